import {
	type AskRequest,
	type Encoding,
	EVERYTHING_BYTES,
	type Pooling,
	type Reply,
	type Request,
	type SavedReplies,
	type Snapshot,
	type SpanKey,
	type StepInfo,
	type StripKey,
	type Studied,
	type Study,
	type TermsRequest,
	TILE,
	type TileKey,
	type TokensReply,
	type TokenTable,
	type WeightsReply,
	type WeightsRequest,
} from "../src/protocol.gen";
import { HostModel } from "./model";
import { columnOf, rowOf, tokenTable, type Weights } from "./weights";

const STEPS = ["Σ q × k", "× 0.5", "+ bias", "= score"];

/** Answers requests from `weights` over a data model, as channel.py does. */
export class Kernel {
	/** While false, requests are kept: a kernel that runs a long cell, or what this says of each. */
	answering: boolean | ((request: Request) => boolean) = true;
	/** While set, every request is answered by this error. */
	failing: string | null = null;
	/** Why parts can't be had; "" where they can. */
	broken = "";
	readonly requests: Request[] = [];
	readonly model = new HostModel<object>({});
	#weights: Weights;
	#tokens: readonly [TokenTable, TokenTable | null];
	readonly #scale: number;
	/** Requests for tiles are answered with these shares first, as by a kernel that still computes. */
	shares: number[] = [];
	steps: readonly StepInfo[] = [];
	/** Of a question: the shares that are answered first; and what then comes of it. */
	reading: number[] = [];
	answered: (request: AskRequest) => void = () => {};
	/** What comes of a study; a string is why nothing does. */
	studied: (study: Study) => Studied | string = () => "nothing to study here";
	/** The shares of a study that are answered first. */
	studying: number[] = [];
	/** While not empty, there are no queries and keys, and this says why. */
	why = "";
	sink: number | null = null;
	/** What each query reads of hidden keys. */
	hidden: (layer: number, head: number, query: number) => number = () => 0;
	readonly #encoding: Encoding;
	#answered = 0;

	constructor(
		weights: Weights,
		queries: TokenTable,
		keys: TokenTable | null,
		{ scale = 1, encoding = "quartic8" }: { scale?: number; encoding?: Encoding } = {},
	) {
		this.#weights = weights;
		this.#tokens = [queries, keys];
		this.#scale = scale;
		this.#encoding = encoding;
		this.model.on("sent", (request: Request) => {
			this.requests.push(request);
			const { answering } = this;
			if (typeof answering === "function" ? answering(request) : answering)
				void this.#answer(request);
		});
	}

	/** Answer from other weights from now on. */
	show(weights: Weights, queries: readonly string[], keys: readonly string[] | null): void {
		this.#weights = weights;
		this.#tokens = [tokenTable(queries), keys && tokenTable(keys)];
	}

	get idle(): boolean {
		return this.#answered === this.requests.length;
	}

	asked(kind: Request["kind"]): number {
		return this.requests.filter((request) => request.kind === kind).length;
	}

	/** Answer what was kept, and from now on at once. */
	resume(): void {
		this.answering = true;
		for (const request of this.requests.slice(this.#answered)) void this.#answer(request);
	}

	/** The bytes of a tile, pooled here. */
	tileCodes(key: TileKey): Uint8Array {
		return encoded(this.#tileValues(key), this.#encoding, this.#scale);
	}

	/** The bytes of a pooled row or column. */
	stripCodes(key: StripKey): Uint8Array {
		return encoded(this.#stripValues(key), this.#encoding, this.#scale);
	}

	reply(reply: Reply, buffers: readonly DataView[] = []): void {
		this.model.emit("msg:custom", reply, buffers);
	}

	tokensReply(id = ""): TokensReply {
		const [queries, keys] = this.#tokens;
		return { id, kind: "tokens", queries, keys, steps: this.steps };
	}

	/** What a notebook that was saved with all of it holds. */
	async snapshot(): Promise<Snapshot> {
		const { reply, buffers } = await this.#weightsReply(this.#everything(""), this.#wholeAs());
		const saved: SavedReplies = { tokens: this.tokensReply(), weights: { ...reply, tiles: [] } };
		const header = await deflate(new TextEncoder().encode(JSON.stringify(saved)));
		return { header, buffer: buffers[0] ?? null };
	}

	async #answer(request: Request): Promise<void> {
		const { id, kind } = request;
		if (this.failing !== null) {
			this.#answered++;
			this.reply({ id, kind: "error", message: this.failing, detail: "Traceback …" });
		} else if (kind === "tokens") {
			this.#answered++;
			this.reply(this.tokensReply(id));
		} else if (kind === "terms") {
			const numbers = await deflate(new Uint8Array(this.#terms(request).buffer));
			this.#answered++;
			const { line, keys } = request;
			const why = this.why;
			const terms = why === "" ? { size: 3, steps: STEPS, log_sum: 0.5, sink: this.sink } : null;
			const info = terms && { ...terms, largest: [4, 8] as const };
			this.reply({ id, kind, line, keys, terms: info, why }, why === "" ? [numbers] : []);
		} else if (kind === "ask") {
			const progress = this.reading.shift() ?? null;
			// An answer comes in a task of its own.
			await new Promise((done) => setTimeout(done));
			this.#answered++;
			if (progress === null) this.answered(request);
			this.reply({ id, kind, progress });
		} else if (kind === "study") {
			const progress = this.studying.shift();
			await new Promise((done) => setTimeout(done));
			const studied = progress === undefined ? this.studied(request.study) : null;
			this.#answered++;
			if (typeof studied === "string")
				this.reply({ id, kind: "error", message: studied, detail: "" });
			else this.reply({ id, kind, progress: progress ?? 1, studied });
		} else if (kind === "part" && this.broken) {
			this.#answered++;
			this.reply({ id, kind: "error", message: this.broken, detail: "" });
		} else if (kind === "part") {
			// The part itself, as the test's own server has it.
			const url = new URL(`/src/${request.name}.ts`, location.href);
			const module = new TextEncoder().encode(`export { default } from "${url}";`);
			const packed = await deflate(module);
			this.#answered++;
			this.reply({ id, kind }, [packed]);
		} else {
			const { reply, buffers } = await (kind === "weights"
				? this.#weightsReply(request, this.#encoding)
				: this.#weightsReply(this.#everything(id), this.#wholeAs()));
			this.#answered++;
			this.reply(reply, buffers);
		}
	}

	/** Vectors whose products sum to the scores that give the weights, halved and shifted by key. */
	#terms({ line: [layer, head, query], keys }: TermsRequest): Float32Array<ArrayBuffer> {
		const own = [query + 1, 2, -1];
		const rows = keys.map((key) => {
			const weight = this.#weights.at(layer, head, query, key);
			const bias = key / 10;
			const score = Math.log(weight) + 0.5;
			const product = weight ? 2 * (score - bias) : 3;
			const vector = [(product - 2 * key + 1) / (query + 1), key, 1];
			return [...vector, product, product / 2, bias, score];
		});
		return Float32Array.from([...own, ...rows.flat()]);
	}

	#wholeAs(): Encoding {
		const { layers, heads, queries, keys } = this.#weights;
		return layers * heads * queries * keys * 4 <= EVERYTHING_BYTES ? "float32" : this.#encoding;
	}

	#everything(id: string): WeightsRequest {
		const { layers, heads, queries, keys } = this.#weights;
		const tiles: TileKey[] = [];
		for (let l = 0; l < layers; l++)
			for (let h = 0; h < heads; h++)
				for (let q = 0; q * TILE < queries; q++)
					for (let k = 0; k * TILE < keys; k++) tiles.push([l, h, 0, q, k, "max"]);
		return {
			id,
			kind: "weights",
			shown: "",
			tiles,
			strips: [],
			rows: [],
			columns: [],
			masses: [],
			spans: [],
			scores: false,
		};
	}

	async #weightsReply(asked: WeightsRequest, encoding: Encoding) {
		const progress = asked.tiles.length ? (this.shares.shift() ?? null) : null;
		const request = progress === null ? asked : { ...asked, tiles: [], strips: [] };
		const { id, tiles, strips, rows, columns } = request;
		const { masses, spans, scores } = request;
		const values = [
			...tiles.flatMap((key) => this.#tileValues(key)),
			...strips.flatMap((key) => this.#stripValues(key)),
		];
		const lines = [
			...rows.flatMap((key) => rowOf(this.#weights, ...key)),
			...columns.flatMap((key) => columnOf(this.#weights, ...key)),
			...masses.flatMap(([layer, head]) => this.#hiddenOf(layer, head)),
			...spans.flatMap((key) => this.#spanMasses(key)),
			...(scores ? this.#peaks() : []),
		];
		const buffers = await Promise.all([
			deflate(encoded(values, encoding, this.#scale)),
			deflate(encoded(lines, "float32", this.#scale)),
		]);
		const reply: WeightsReply = {
			id,
			kind: "weights",
			tiles,
			strips,
			encoding,
			rows,
			columns,
			masses,
			spans,
			scores,
			progress,
		};
		return { reply, buffers };
	}

	#hiddenOf(layer: number, head: number): number[] {
		return Array.from({ length: this.#weights.queries }, (_, query) =>
			this.hidden(layer, head, query),
		);
	}

	/** Of each head the mean over some queries of the sum over some keys. */
	#spanMasses([first, stop, firstKey, stopKey]: SpanKey): number[] {
		const { layers, heads } = this.#weights;
		const queries = Array.from({ length: stop - first }, (_, i) => first + i);
		return Array.from({ length: layers * heads }, (_, at) => {
			const rows = queries.map((q) => rowOf(this.#weights, Math.floor(at / heads), at % heads, q));
			const sum = rows.flatMap((row) => row.slice(firstKey, stopKey)).reduce((a, b) => a + b, 0);
			return sum / queries.length;
		});
	}

	/** Each head's mean of the largest weight of a row. */
	#peaks(): number[] {
		const { layers, heads, queries } = this.#weights;
		return Array.from({ length: layers * heads }, (_, i) => {
			const rows = Array.from({ length: queries }, (_, query) =>
				Math.max(...rowOf(this.#weights, Math.floor(i / heads), i % heads, query)),
			);
			return rows.reduce((sum, peak) => sum + peak, 0) / queries;
		});
	}

	#stripValues([layer, head, index, level, reduction, axis]: StripKey): number[] {
		const lineOf = axis === "row" ? rowOf : columnOf;
		const line = lineOf(this.#weights, layer, head, index);
		const span = 2 ** level;
		return Array.from({ length: Math.ceil(line.length / span) }, (_, cell) =>
			pooled(line.slice(cell * span, (cell + 1) * span), reduction),
		);
	}

	#tileValues([layer, head, level, queryTile, keyTile, pooling]: TileKey): number[] {
		const { queries, keys } = this.#weights;
		const span = 2 ** level;
		const values: number[] = [];
		for (let q = queryTile * TILE; q < Math.min((queryTile + 1) * TILE, queries / span); q++)
			for (let k = keyTile * TILE; k < Math.min((keyTile + 1) * TILE, keys / span); k++)
				values.push(pooled(this.#block(layer, head, q * span, k * span, span, pooling), pooling));
		return values;
	}

	/** The weights of a cell; of a sample those of its first query. */
	#block(
		layer: number,
		head: number,
		q0: number,
		k0: number,
		span: number,
		pooling: Pooling,
	): number[] {
		const { queries, keys, at } = this.#weights;
		const block: number[] = [];
		const rows = pooling.endsWith("sampled") ? 1 : span;
		for (let q = q0; q < Math.min(q0 + rows, queries); q++)
			for (let k = k0; k < Math.min(k0 + span, keys); k++) block.push(at(layer, head, q, k));
		return block;
	}
}

/** The largest in size, or the mean. */
function pooled(weights: readonly number[], pooling: Pooling): number {
	if (pooling.startsWith("mean"))
		return weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
	const [highest, lowest] = [
		weights.reduce((a, b) => Math.max(a, b)),
		weights.reduce((a, b) => Math.min(a, b)),
	];
	return highest >= -lowest ? highest : lowest;
}

/** Weights to bytes as encoding.py writes them; not by the code under test. */
export function encoded(
	values: readonly number[],
	encoding: Encoding,
	scale: number,
): Uint8Array<ArrayBuffer> {
	if (encoding === "float32") return new Uint8Array(Float32Array.from(values).buffer);
	const most = encoding === "signed8" ? 127 : 255;
	return Uint8Array.from(values, (weight) => {
		const root = Math.sqrt(Math.sqrt(Math.abs(weight) / scale));
		const code = Math.max(weight === 0 ? 0 : 1, Math.floor(Math.min(root * most + 0.5, most)));
		return encoding === "signed8" ? 128 + Math.sign(weight) * code : code;
	});
}

/** Compress into a window of a larger buffer, as Jupyter's are: who ignores byteOffset reads rubbish. */
export async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<DataView> {
	const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
	const packed = new Uint8Array(await new Response(stream).arrayBuffer());
	const shifted = new Uint8Array(packed.length + 16).fill(0xaa);
	shifted.set(packed, 8);
	return new DataView(shifted.buffer, 8, packed.length);
}
