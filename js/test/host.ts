import type { AnyModel } from "@anywidget/types";
import {
	type Description,
	type Reply,
	type Request,
	TILE,
	type TokenTable,
	type ViewState,
	type WeightsRequest,
} from "../src/protocol.gen";
import { encode } from "../src/source/codec";
import widget from "../src/widget";

/** An AFM model as hosts give it: traits, events, messages; no more than the contract. */
export class HostModel<T extends object> {
	readonly sent: unknown[] = [];
	saves = 0;
	widget_manager = { get_model: async (id: string) => this.others.get(id) as never };
	readonly others = new Map<string, unknown>();
	readonly #state: T;
	readonly #listeners = new Map<string, Set<(...args: never[]) => void>>();

	constructor(state: T) {
		this.#state = { ...state };
	}

	get<K extends keyof T>(name: K): T[K] {
		return this.#state[name];
	}

	set<K extends keyof T>(name: K, value: T[K]): void {
		this.#state[name] = value;
		this.emit(`change:${String(name)}`);
	}

	save_changes(): void {
		this.saves++;
	}

	on(name: string, listener: (...args: never[]) => void): void {
		const listeners = this.#listeners.get(name) ?? new Set();
		this.#listeners.set(name, listeners.add(listener));
	}

	off(name?: string | null, listener?: ((...args: never[]) => void) | null): void {
		if (name && listener) this.#listeners.get(name)?.delete(listener);
	}

	emit(name: string, ...args: unknown[]): void {
		for (const listener of this.#listeners.get(name) ?? []) listener(...(args as never[]));
	}

	listenerCount(): number {
		return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
	}

	send(content: unknown): void {
		this.sent.push(content);
		this.emit("sent", content);
	}
}

export interface Weights {
	readonly layers: number;
	readonly heads: number;
	readonly queries: number;
	readonly keys: number;
	at(layer: number, head: number, query: number, key: number): number;
}

/** Rows of a softmax over made-up scores: each (layer, head) looks different, every row sums to 1. */
export function softmaxWeights(
	layers: number,
	heads: number,
	queries: number,
	keys: number,
): Weights {
	const rows = new Map<string, Float32Array>();
	const row = (layer: number, head: number, query: number) => {
		const name = `${layer},${head},${query}`;
		let values = rows.get(name);
		if (!values) {
			const offset = head - Math.floor(heads / 2);
			values = Float32Array.from({ length: keys }, (_, key) =>
				Math.exp(
					3 * Math.sin(query * 12.9898 + key * 78.233 + layer * 3.1 + head) +
						(key === query + offset ? 4 : 0) +
						(key === 0 ? 2 : 0),
				),
			);
			const sum = values.reduce((a, b) => a + b, 0);
			values = values.map((v) => v / sum);
			rows.set(name, values);
		}
		return values;
	};
	return { layers, heads, queries, keys, at: (l, h, q, k) => row(l, h, q)[k] as number };
}

export function tokenTable(words: readonly string[]): TokenTable {
	return {
		text: words,
		gap: words.map((_, i) => (i ? " " : "")),
		raw: words,
		special: words.map((word) => /^\[.*\]$/.test(word)),
		segment: words.map(() => 0),
		word: words.map((_, i) => i),
	};
}

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<DataView> {
	const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
	const packed = new Uint8Array(await new Response(stream).arrayBuffer());
	// A window into a larger buffer, as Jupyter's are: whoever ignores byteOffset reads rubbish.
	const shifted = new Uint8Array(packed.length + 8);
	shifted.set(packed, 8);
	return new DataView(shifted.buffer, 8);
}

/** Answers requests from `weights` as channel.py does, after `delay` turns of the event loop. */
export class Kernel {
	answering = true;
	readonly requests: Request[] = [];
	readonly model: HostModel<object>;
	readonly #weights: Weights;
	readonly #tokens: readonly [TokenTable, TokenTable | null];

	constructor(weights: Weights, queries: TokenTable, keys: TokenTable | null) {
		this.#weights = weights;
		this.#tokens = [queries, keys];
		this.model = new HostModel({});
		this.model.on("sent", (request: Request) => void this.answer(request));
	}

	async answer(request: Request): Promise<void> {
		this.requests.push(request);
		if (!this.answering) return;
		if (request.kind === "tokens") {
			const [queries, keys] = this.#tokens;
			this.reply({ id: request.id, kind: "tokens", queries, keys }, []);
			return;
		}
		const weights = request.kind === "weights" ? request : this.#everything(request.id);
		await this.#answerWeights(weights, request.kind === "everything");
	}

	reply(reply: Reply, buffers: DataView[]): void {
		this.model.emit("msg:custom", reply, buffers);
	}

	#everything(id: string): WeightsRequest {
		const { layers, heads, queries, keys } = this.#weights;
		const tiles = [];
		for (let l = 0; l < layers; l++)
			for (let h = 0; h < heads; h++)
				for (let q = 0; q < Math.ceil(queries / TILE); q++)
					for (let k = 0; k < Math.ceil(keys / TILE); k++) tiles.push([l, h, 0, q, k] as const);
		return { id, kind: "weights", tiles, rows: [], columns: [] };
	}

	async #answerWeights(request: WeightsRequest, exact: boolean): Promise<void> {
		const { queries, keys } = this.#weights;
		const tiles = request.tiles.flatMap(([l, h, level, qt, kt]) => {
			const span = 2 ** level;
			const values: number[] = [];
			for (let q = qt * TILE; q < Math.min((qt + 1) * TILE, Math.ceil(queries / span)); q++)
				for (let k = kt * TILE; k < Math.min((kt + 1) * TILE, Math.ceil(keys / span)); k++)
					values.push(this.#pooled(l, h, q * span, k * span, span));
			return values;
		});
		const packed = exact
			? new Uint8Array(Float32Array.from(tiles).buffer)
			: Uint8Array.from(tiles, (w) => encode(w, false, 1));
		const lines = [
			...request.rows.flatMap(([l, h, q]) =>
				Array.from({ length: keys }, (_, k) => this.#weights.at(l, h, q, k)),
			),
			...request.columns.flatMap(([l, h, k]) =>
				Array.from({ length: queries }, (_, q) => this.#weights.at(l, h, q, k)),
			),
		];
		const buffers = await Promise.all([
			deflate(packed),
			deflate(new Uint8Array(Float32Array.from(lines).buffer)),
		]);
		this.reply({ ...request, kind: "weights", encoding: exact ? "float32" : "quartic8" }, buffers);
	}

	#pooled(l: number, h: number, q0: number, k0: number, span: number): number {
		let max = 0;
		for (let q = q0; q < Math.min(q0 + span, this.#weights.queries); q++)
			for (let k = k0; k < Math.min(k0 + span, this.#weights.keys); k++)
				max = Math.max(max, this.#weights.at(l, h, q, k));
		return max;
	}
}

export interface Options {
	readonly state?: Partial<ViewState>;
	readonly description?: Partial<Description>;
	readonly keyWords?: readonly string[];
	readonly connected?: boolean;
}

export interface Mounted {
	readonly model: HostModel<ViewState>;
	readonly kernel: Kernel;
	/** Show one more view of the same model. */
	render(width?: number): { el: HTMLElement; root: ShadowRoot; remove(): void };
	close(): void;
}

let models = 0;

/** A host with one explorer over `weights`: real entry points, a kernel that really computes. */
export function mount(weights: Weights, words: readonly string[], options: Options = {}): Mounted {
	const { layers, heads, queries, keys } = weights;
	const keyTable = options.keyWords ? tokenTable(options.keyWords) : null;
	const kernel = new Kernel(weights, tokenTable(words), keyTable);
	const model = new HostModel<ViewState>({
		layer: 0,
		heads: [0],
		view: ["text", "heads", "matrix"],
		hovered: null,
		selected: null,
		top_mass: 0.8,
		theme: "light",
		_description: {
			layers: Array.from({ length: layers }, (_, i) => i),
			heads,
			queries,
			keys,
			causal: false,
			same_tokens: keyTable === null,
			scale: 1,
			encoding: "quartic8",
			model: "a test model",
			source: "made up",
			notes: [],
			...options.description,
		},
		_snapshot: { tokens: null, weights: null, buffer: null },
		_source: "IPY_MODEL_data",
		_uuid: `model-${models++}`,
		...options.state,
	});
	if (options.connected === false)
		model.widget_manager.get_model = () => Promise.reject(new Error("none"));
	else model.others.set("data", kernel.model);
	const definition = widget();
	const life = new AbortController();
	const proxy = model as unknown as AnyModel<ViewState>;
	definition.initialize({ model: proxy, signal: life.signal } as never);
	return {
		model,
		kernel,
		render(width = 1100) {
			const el = document.createElement("div");
			el.style.width = `${width}px`;
			document.body.append(el);
			const view = new AbortController();
			definition.render({ model: proxy, el, signal: view.signal } as never);
			const root = (el.firstElementChild as HTMLElement).shadowRoot as ShadowRoot;
			return {
				el,
				root,
				remove() {
					view.abort();
					el.remove();
				},
			};
		},
		close: () => life.abort(),
	};
}
