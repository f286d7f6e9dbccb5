import type { AnyModel } from "@anywidget/types";
import type {
	Description,
	Reply,
	Request,
	SavedReplies,
	Snapshot,
	TermsReply,
	TokensReply,
	WeightsReply,
} from "../protocol.gen";
import { everyTile, WeightCache } from "./cache";
import { bytesOf, inflate } from "./codec";
import type { Errand, Errands } from "./errands";
import { onKernelLost } from "./host";
import { Parts } from "./parts";
import { isHere, type Wish, WishfulReader } from "./reader";
import {
	type Fault,
	type PartName,
	type Reader,
	SILENT_AFTER_S,
	type Status,
	type TileSource,
	type Tokens,
} from "./source";
import { type Wanted, wantedOf } from "./wanted";

const BUSY_AFTER_MS = 1000;

const GONE = "The kernel is gone. What was loaded stays; run the cell again for the rest.";
const SAVED = "No kernel: this shows what was saved with the notebook.";
const NOTHING_SAVED = "No kernel, and nothing was saved with the notebook: run the cell again.";

/**
 * Numbers from the kernel, over a data model on which Python only ever replies.
 *
 * One request is in flight at a time; the next holds what the latest drawings still miss. What was
 * saved with the notebook is there at once, so a kernel that is gone takes nothing off the screen.
 */
export class KernelSource implements TileSource {
	readonly description: Description;
	status: Status = { kind: "connecting" };
	fault: Fault | null = null;
	readonly #cache: WeightCache;
	readonly #readers = new Set<WishfulReader>();
	readonly #listeners = new Set<() => void>();
	readonly #refused = new Set<string>();
	readonly #stopped = new Set<string>();
	readonly #signal: AbortSignal;
	readonly #saved: boolean;
	readonly #session = Math.random().toString(36).slice(2);
	#model: AnyModel | null = null;
	#tokens: Tokens | undefined;
	readonly #askedOnce = new Set<Request["kind"]>();
	readonly #errands = new Map<Request["kind"], Errand>();
	#requests = 0;
	#answered = false;
	/** The most tiles that were missing since none was. */
	#most = 0;
	#pending: { id: string; names: readonly string[]; kind: Request["kind"]; since: number } | null =
		null;

	constructor(description: Description, snapshot: Snapshot, signal: AbortSignal) {
		this.description = description;
		this.#cache = new WeightCache(description);
		this.#signal = signal;
		this.#saved = snapshot.header !== null;
		this.#open(snapshot);
	}

	get table(): Float32Array {
		return this.#cache.table;
	}

	tokens(): Tokens | undefined {
		return this.#tokens;
	}

	reader(signal: AbortSignal): Reader {
		const reader = new WishfulReader(this.#cache, () => this.#pump());
		this.#readers.add(reader);
		signal.addEventListener("abort", () => this.#readers.delete(reader));
		return reader;
	}

	onChange(listener: () => void, signal: AbortSignal): void {
		this.#listeners.add(listener);
		signal.addEventListener("abort", () => this.#listeners.delete(listener));
	}

	stop(): void {
		for (const [name] of this.#missing()) this.#stopped.add(name);
		this.#settle();
	}

	goOn(): void {
		this.#stopped.clear();
		this.#settle();
		this.#pump();
	}

	errand<T extends Errand>(kind: T["kind"], make: (at: Errands) => T): T {
		const known = this.#errands.get(kind) as T | undefined;
		const errand = known ?? make(this);
		this.#errands.set(kind, errand);
		return errand;
	}

	wake(): void {
		this.#changed();
		if (this.status.kind === "gone") this.#lost();
		else this.#pump();
	}

	part(name: PartName): Promise<string> {
		const part = this.errand("part", () => new Parts()).want(name);
		this.wake();
		return part;
	}

	dismissFault(): void {
		this.fault = null;
		this.#changed();
	}

	/** Start asking over `model`; a promise that fails means that only saved data is left. */
	connect(model: Promise<AnyModel>): void {
		model.then(
			(found) => this.#listen(found),
			() => this.#lost(),
		);
	}

	#listen(model: AnyModel): void {
		if (this.#signal.aborted) return;
		const onMessage = (reply: Reply, buffers: DataView[]) => void this.#receive(reply, buffers);
		model.on("msg:custom", onMessage);
		this.#model = model;
		this.#signal.addEventListener("abort", () => {
			model.off("msg:custom", onMessage);
			this.#model = null;
		});
		onKernelLost(model, () => this.#lost(), this.#signal);
		this.#pump();
	}

	#lost(): void {
		const why = this.#answered ? GONE : this.#saved ? SAVED : NOTHING_SAVED;
		this.#model = null;
		this.#pending = null;
		for (const errand of this.#errands.values()) errand.lost({ message: why, detail: "" });
		this.#setStatus({ kind: "gone", why });
	}

	#setStatus(status: Status): void {
		this.status = status;
		this.#changed();
	}

	#changed(): void {
		for (const listener of this.#listeners) listener();
	}

	/** Ask for what is missing; tells whether an answer is still to come. */
	#pump(): boolean {
		if (!this.#model) return this.status.kind === "connecting";
		if (this.#pending) return true;
		const { body, names } = this.#next();
		if (!body) {
			// What was worked on or stopped may be looked at no more, or be looked at again.
			if (this.status.kind !== (this.#anyStopped() ? "stopped" : "live")) this.#settle();
			return false;
		}
		const id = this.newId();
		this.#pending = { id, names, kind: body.kind, since: performance.now() };
		try {
			this.#model.send({ id, shown: this.description.shown, ...body } satisfies Request);
		} catch {
			// A restarted kernel leaves its old comms unusable.
			this.#lost();
			return false;
		}
		this.#watch(id);
		return true;
	}

	/** Replies reach every tab on the kernel; crypto.randomUUID is missing on plain http. */
	newId(): string {
		return `${this.#session}-${this.#requests++}`;
	}

	#next(): Wanted {
		const numbers = this.#nextNumbers();
		for (const errand of this.#errands.values()) {
			const body = errand.next(numbers.body !== null);
			if (body) return { body, names: [] };
		}
		return numbers;
	}

	#nextNumbers(): Wanted {
		if (!this.#tokens && this.#firstTime("tokens")) return { body: { kind: "tokens" }, names: [] };
		const wanted = wantedOf(this.#missing(), this.description);
		if (wanted.body) return wanted;
		if (this.description.whole && this.#firstTime("everything"))
			return { body: { kind: "everything" }, names: [] };
		return wanted;
	}

	#firstTime(kind: Request["kind"]): boolean {
		const first = !this.#askedOnce.has(kind);
		this.#askedOnce.add(kind);
		return first;
	}

	*#missing(): Generator<[string, Wish]> {
		const seen = new Set([...this.#refused, ...this.#stopped]);
		for (const reader of this.#readers)
			for (const [name, wish] of reader.wishes) {
				if (seen.has(name)) continue;
				seen.add(name);
				if (!isHere(this.#cache, wish)) yield [name, wish];
			}
	}

	/** A second without an answer is a busy kernel, not an error; it may be running a long cell. */
	#watch(id: string): void {
		const timer = setInterval(() => {
			if (this.#pending?.id !== id || this.#signal.aborted) {
				clearInterval(timer);
				return;
			}
			const seconds = Math.floor((performance.now() - this.#pending.since) / 1000);
			this.#setStatus({ kind: "busy", seconds });
			if (seconds >= SILENT_AFTER_S) clearInterval(timer);
		}, BUSY_AFTER_MS);
	}

	async #receive(reply: Reply, buffers: DataView[]): Promise<void> {
		if (reply.id !== this.#pending?.id) return;
		this.#answered = true;
		const { names, kind } = this.#pending;
		const errand = this.#errands.get(kind);
		try {
			if (reply.kind === "tokens") this.#putTokens(reply);
			else if (reply.kind === "weights") await this.#putWeights(reply, buffers);
			else if (reply.kind === "terms") await this.#putTerms(reply, buffers);
			else if (reply.kind !== "error") await errand?.heard(reply, buffers);
			else if (errand) errand.failed(reply);
			else this.#refuse(names, reply);
		} catch (error) {
			this.#refuse(names, {
				message: "An answer of the kernel could not be read.",
				detail: `${error}`,
			});
		}
		if (this.#signal.aborted || !this.#pending) return;
		this.#pending = null;
		const share = reply.kind === "weights" ? reply.progress : null;
		// How far the numbers are stays as it was.
		const aside = errand !== undefined || reply.kind === "terms";
		if (aside && this.status.kind === "computing") this.#changed();
		else this.#settle(share);
		this.#pump();
	}

	/** Say how things stand after an answer. */
	#settle(share: number | null = null): void {
		if (this.status.kind === "gone") return;
		const stopped = this.#readers.size > 0 && this.#anyStopped();
		const missing = [...this.#missing()].filter(([, wish]) => "tile" in wish).length;
		this.#most = missing === 0 ? 0 : Math.max(this.#most, missing);
		if (share !== null && !stopped) {
			const done = this.#most > 0 ? (this.#most - missing + share) / this.#most : share;
			this.#setStatus({ kind: "computing", share: Math.min(1, done) });
		} else this.#setStatus({ kind: stopped ? "stopped" : "live" });
	}

	#anyStopped(): boolean {
		for (const reader of this.#readers)
			for (const name of reader.wishes.keys()) if (this.#stopped.has(name)) return true;
		return false;
	}

	#refuse(names: readonly string[], fault: Fault): void {
		for (const name of names) this.#refused.add(name);
		// A file that doesn't hold all of it says so once, in its notes.
		if (fault.message) this.fault = fault;
	}

	#putTokens(reply: TokensReply): void {
		const { queries, keys, steps } = reply;
		this.#tokens = { queries, keys: keys ?? queries, steps };
	}

	async #putWeights(reply: WeightsReply, buffers: readonly DataView[]): Promise<void> {
		const [pixels, lines] = await Promise.all(buffers.map((buffer) => inflate(bytesOf(buffer))));
		if (pixels) this.#cache.putPixels(reply, pixels);
		if (lines) this.#cache.putLines(reply, lines);
	}

	async #putTerms(reply: TermsReply, [numbers]: readonly DataView[]): Promise<void> {
		const data = numbers ? await inflate(bytesOf(numbers)) : new Uint8Array();
		this.#cache.terms.put(reply, data);
	}

	#open(snapshot: Snapshot): void {
		if (!snapshot.header) return;
		this.#readSnapshot(snapshot.header, snapshot.buffer).then(
			() => this.#changed(),
			(error: unknown) => {
				const message = "The data saved with the notebook could not be read.";
				this.fault = { message, detail: `${error}` };
				this.#changed();
			},
		);
	}

	async #readSnapshot(header: DataView, buffer: DataView | null): Promise<void> {
		const json = new TextDecoder().decode(await inflate(bytesOf(header)));
		const { tokens, weights } = JSON.parse(json) as SavedReplies;
		if (tokens) this.#putTokens(tokens);
		if (!weights || !buffer) return;
		const tiles = weights.tiles.length ? weights.tiles : everyTile(this.description);
		await this.#putWeights({ ...weights, tiles }, [buffer]);
	}
}
