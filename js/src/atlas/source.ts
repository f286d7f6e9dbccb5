import type { AnyModel } from "@anywidget/types";
import type { Fault } from "../source/source";
import { floats, type Numbers, readNumbers } from "./numbers";
import { Opened } from "./opened";
import type {
	AtlasReply,
	AtlasState,
	ExemplarsReply,
	GroupInfo,
	HeadKey,
	HeldData,
	Method,
	TextInfo,
} from "./protocol.gen";
import { type Body, Requests } from "./requests";

/** What was asked for. */
export type Loaded<T> =
	| { readonly kind: "waiting" }
	| { readonly kind: "here"; readonly value: T }
	| { readonly kind: "failed"; readonly fault: Fault };

/** Exemplars in groups; `said` is what they are like, where that is no score. */
export interface Exemplars {
	readonly said: string;
	readonly groups: readonly GroupInfo[];
	readonly texts: Readonly<Record<string, TextInfo>>;
}

const WAITING = { kind: "waiting" } as const;

/** Where an atlas's view has its numbers from, once a model, however many views: Python, or a file. */
export class AtlasSource {
	/** Of all scores; undefined until they are read. */
	numbers: Numbers | undefined;
	/** What could not be read at all. */
	fault: Fault | null = null;
	/** Where else the head does what was looked at; null where nobody asked. */
	like: Loaded<Exemplars> | null = null;
	readonly opened: Opened;
	readonly #model: AnyModel<AtlasState>;
	readonly #requests: Requests;
	readonly #exemplars = new Map<string, Loaded<Exemplars>>();
	readonly #positions = new Map<Method, Loaded<Float32Array>>();
	readonly #listeners = new Set<() => void>();

	constructor(model: AnyModel<AtlasState>, signal: AbortSignal) {
		this.#model = model;
		this.#requests = new Requests(model, signal);
		const changed = () => this.#changed();
		this.opened = new Opened(model, this.#requests, changed, signal);
		const forget = () => {
			this.like = null;
		};
		for (const name of ["change:head", "change:exemplar"] as const) {
			model.on(name, forget);
			signal.addEventListener("abort", () => model.off(name, forget));
		}
		const { scores, layers, heads } = model.get("_info");
		readNumbers(model.get("_numbers"), scores.length, layers.length * heads).then(
			(numbers) => {
				this.numbers = numbers;
				changed();
			},
			(error: unknown) => {
				this.fault = { message: "The atlas's numbers could not be read.", detail: `${error}` };
				changed();
			},
		);
	}

	onChange(listener: () => void, signal: AbortSignal): void {
		this.#listeners.add(listener);
		signal.addEventListener("abort", () => this.#listeners.delete(listener));
	}

	/** The texts in which a head has a score; asked for the first time that they are looked at. */
	exemplars(head: HeadKey, score: string): Loaded<Exemplars> {
		const name = `${head.join(".")} ${score}`;
		const known = this.#exemplars.get(name);
		if (known) return known;
		const put = (loaded: Loaded<Exemplars>) => this.#put(this.#exemplars, name, loaded);
		if (this.#held) return put(heldExemplars(this.#held, name));
		this.#exemplars.set(name, WAITING);
		this.#ask(
			{ kind: "exemplars", head, score },
			async (reply) => put(here(exemplarsOf(reply))),
			put,
		);
		return WAITING;
	}

	/** A text that came with exemplars, by its place. */
	text(place: number): TextInfo | undefined {
		for (const loaded of [...this.#exemplars.values(), this.like])
			if (loaded?.kind === "here" && loaded.value.texts[place]) return loaded.value.texts[place];
		return undefined;
	}

	/** Where heads lie: all their x, then all their y. */
	positions(method: Method): Loaded<Float32Array> {
		const known = this.#positions.get(method);
		if (known) return known;
		const put = (loaded: Loaded<Float32Array>) => this.#put(this.#positions, method, loaded);
		this.#positions.set(method, WAITING);
		const read = async (buffer: DataView) => put(here(await floats(buffer)));
		const held = this.#held;
		if (held) {
			const packed = held.positions[method];
			if (!packed) return put(failed(held.said));
			read(packed).catch((error: unknown) =>
				put(failed("The file could not be read.", `${error}`)),
			);
			return WAITING;
		}
		const heard = async (_: AtlasReply, [buffer]: readonly DataView[]) => {
			if (buffer) await read(buffer);
		};
		this.#ask({ kind: "positions", method }, heard, put);
		return WAITING;
	}

	/** Ask where else the head does what it does at the token that is looked at. */
	askLike(): void {
		const put = (loaded: Loaded<Exemplars> | null) => {
			this.like = loaded;
			this.#changed();
		};
		put(WAITING);
		this.#ask({ kind: "like" }, async (reply) => put(here(exemplarsOf(reply))), put);
	}

	forgetLike(): void {
		this.like = null;
		this.#changed();
	}

	get #held(): HeldData | null {
		return this.#model.get("_held");
	}

	#ask(
		body: Body,
		heard: (reply: AtlasReply, buffers: readonly DataView[]) => Promise<unknown>,
		put: (loaded: { kind: "failed"; fault: Fault }) => void,
	): void {
		const fails = (fault: Fault) => put({ kind: "failed", fault });
		this.#requests.ask(body, {
			heard: (reply, buffers) =>
				void heard(reply, buffers).catch((error: unknown) =>
					fails({ message: "An answer of the kernel could not be read.", detail: `${error}` }),
				),
			failed: fails,
		});
	}

	#put<K, T>(known: Map<K, Loaded<T>>, name: K, loaded: Loaded<T>): Loaded<T> {
		known.set(name, loaded);
		this.#changed();
		return loaded;
	}

	#changed(): void {
		for (const listener of this.#listeners) listener();
	}
}

function here<T>(value: T): Loaded<T> {
	return { kind: "here", value };
}

function failed(message: string, detail = ""): { kind: "failed"; fault: Fault } {
	return { kind: "failed", fault: { message, detail } };
}

function exemplarsOf(reply: AtlasReply): Exemplars {
	if (reply.kind !== "exemplars") throw new Error(`expected exemplars, got ${reply.kind}`);
	return reply satisfies ExemplarsReply;
}

function heldExemplars({ groups, texts, said }: HeldData, name: string): Loaded<Exemplars> {
	const own = groups[name];
	return own ? here({ said: "", groups: own, texts }) : failed(said);
}
