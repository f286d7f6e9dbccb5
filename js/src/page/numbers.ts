import type {
	Description,
	RecordedReply,
	RecordedVariant,
	SpanKey,
	TileKey,
	WeightsReply,
	WeightsRequest,
} from "../protocol.gen";
import { everyTile, WeightCache } from "../source/cache";
import { inflate } from "../source/codec";
import { bytesFrom, deflate } from "./bytes";
import { type Answer, NOT_HELD, refusal } from "./source";

/** Weights as a file holds them, and what follows from them: lines, pools and sums. */
export class RecordedNumbers {
	readonly #description: Description;
	readonly #replies: readonly RecordedReply[];
	/** Overviews that were sent in the place of a tile that isn't here. */
	readonly #sent = new Set<string>();
	#read: Promise<WeightCache> | undefined;

	constructor({ description, weights }: RecordedVariant) {
		this.#description = description;
		this.#replies = weights;
	}

	/** All at once, as it was recorded. */
	everything(id: string): Answer {
		const whole = this.#replies.find(({ reply }) => reply.tiles.length === 0 && !reply.rows.length);
		if (!whole) return refusal(id, NOT_HELD);
		const buffers = whole.buffers.map((text) => new DataView(bytesFrom(text).buffer));
		return { reply: { ...whole.reply, id, tiles: everyTile(this.#description) }, buffers };
	}

	/** What is here of what is asked for; where nothing is, it isn't asked for again. */
	async weights(asked: WeightsRequest): Promise<Answer> {
		const cache = await this.#cache();
		const tiles = this.#tiles(cache, asked.tiles);
		const strips = found(asked.strips, (key) => cache.strip(key));
		const exact = (axis: "row" | "column") => (key: WeightsRequest["rows"][number]) => {
			const line = cache.line(axis, key);
			return line?.exact ? line.values : undefined;
		};
		const rows = found(asked.rows, exact("row"));
		const columns = found(asked.columns, exact("column"));
		const masses = found(asked.masses, (key) => cache.mass(key));
		const spans = found(asked.spans, (key) => cache.span(key) ?? this.#span(cache, key));
		const scores = asked.scores ? cache.scores : undefined;
		const pixels = [...tiles.values(), ...strips.values()];
		const lines = [rows, columns, masses, spans].flatMap((each) => [...each.values()]);
		if (scores) lines.push(scores);
		if (!pixels.length && !lines.length) return refusal(asked.id, NOT_HELD);
		const reply: WeightsReply = {
			id: asked.id,
			kind: "weights",
			tiles: [...tiles.keys()],
			strips: [...strips.keys()],
			encoding: this.#description.encoding,
			rows: [...rows.keys()],
			columns: [...columns.keys()],
			masses: [...masses.keys()],
			spans: [...spans.keys()],
			scores: scores !== undefined,
			progress: null,
		};
		return { reply, buffers: await Promise.all([deflate(pixels), deflate(lines)]) };
	}

	/** The tiles that are here; of a head that has none, its overview, which is drawn in their place. */
	#tiles(cache: WeightCache, asked: readonly TileKey[]): Map<TileKey, Uint8Array> {
		const tiles = found(asked, (key) => cache.tile(key)?.codes);
		for (const key of asked) {
			const instead = tiles.has(key) ? undefined : this.#overviewOf(key);
			const codes = instead && cache.tile(instead)?.codes;
			if (!codes || this.#sent.has(`${instead}`)) continue;
			this.#sent.add(`${instead}`);
			tiles.set(instead, codes);
		}
		return tiles;
	}

	#overviewOf([layer, head, level, , , pooling]: TileKey): TileKey | undefined {
		const held = this.#replies.flatMap(({ reply }) => reply.tiles);
		return held.find(
			(tile) =>
				tile[0] === layer && tile[1] === head && tile[2] > level && tile[5].startsWith(pooling),
		);
	}

	/** The mean over some queries of the sum over some keys in every head, where all are here. */
	#span(cache: WeightCache, [first, stop, from, to]: SpanKey): Float32Array | undefined {
		const { layers, heads } = this.#description;
		const sums = new Float32Array(layers.length * heads);
		for (let at = 0; at < sums.length; at++)
			for (let query = first; query < stop; query++) {
				const row = cache.line("row", [Math.floor(at / heads), at % heads, query]);
				if (!row) return undefined;
				for (const weight of row.values.subarray(from, to))
					sums[at] = (sums[at] as number) + weight / (stop - first);
			}
		return sums;
	}

	#cache(): Promise<WeightCache> {
		this.#read ??= this.#readAll();
		return this.#read;
	}

	async #readAll(): Promise<WeightCache> {
		// What can be pooled from what is here is, whether or not that is all.
		const cache = new WeightCache({ ...this.#description, whole: true });
		for (const { reply, buffers } of this.#replies) {
			const [pixels, lines] = await Promise.all(buffers.map((text) => inflate(bytesFrom(text))));
			const whole = reply.tiles.length === 0 && pixels?.length !== 0;
			const tiles = whole ? everyTile(this.#description) : reply.tiles;
			if (pixels) cache.putPixels({ ...reply, tiles }, pixels);
			if (lines) cache.putLines(reply, lines);
		}
		return cache;
	}
}

/** Those of some keys that something is found for, with it. */
function found<K, V>(keys: readonly K[], find: (key: K) => V | undefined): Map<K, V> {
	const all = new Map<K, V>();
	for (const key of keys) {
		const value = find(key);
		if (value !== undefined) all.set(key, value);
	}
	return all;
}
