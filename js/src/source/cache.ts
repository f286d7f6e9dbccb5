import {
	type Axis,
	type Description,
	type LineKey,
	type MassKey,
	type Pooling,
	type SpanKey,
	type StripKey,
	TILE,
	type TileKey,
	type WeightsReply,
} from "../protocol.gen";
import { BYTES_PER_WEIGHT, decodeTable, encode, expectBytes } from "./codec";
import { Pool } from "./pool";
import { Recent } from "./recent";
import { TermsCache } from "./terms";

/** A block of weights as 8-bit codes, and as themselves where they came as float32. */
export interface Tile {
	readonly rows: number;
	readonly columns: number;
	readonly codes: Uint8Array;
	readonly exact: Float32Array | null;
}

/** A row or a column; `exact` says whether the values are the model's float32 or decoded codes. */
export interface Line {
	readonly values: Float32Array;
	readonly exact: boolean;
}

/** About 80 MB: more than everything that is ever sent whole. */
const MAX_TILE_WEIGHTS = 1200 * TILE * TILE;
const MAX_LINE_WEIGHTS = 16_000_000;
const MAX_STRIP_CELLS = 16_000_000;

/** How many tiles of a level cover `cells` cells. */
export function tileCount(cells: number, level: number): number {
	return Math.ceil(Math.ceil(cells / 2 ** level) / TILE);
}

/** The key of a tile; at full resolution nothing is pooled, and one name is enough. */
export function tileKey(
	layer: number,
	head: number,
	level: number,
	q: number,
	k: number,
	pooling: Pooling,
): TileKey {
	return [layer, head, level, q, k, level === 0 ? "max" : pooling];
}

/** The tiles that cover one head at a level, row by row. */
export function tileKeys(
	{ queries, keys }: Pick<Description, "queries" | "keys">,
	layer: number,
	head: number,
	level: number,
): TileKey[] {
	const found: TileKey[] = [];
	for (let q = 0; q < tileCount(queries, level); q++)
		for (let k = 0; k < tileCount(keys, level); k++) found.push([layer, head, level, q, k, "max"]);
	return found;
}

/** Every full-resolution tile, head by head. */
export function everyTile(description: Description): TileKey[] {
	const { layers, heads } = description;
	return layers.flatMap((_, layer) =>
		Array.from({ length: heads }, (_, head) => tileKeys(description, layer, head, 0)).flat(),
	);
}

function tileSide(cells: number, level: number, index: number): number {
	return Math.min(TILE, Math.ceil(cells / 2 ** level) - index * TILE);
}

/** How many weights there are over all layers and heads. */
export function weightsOf({ layers, heads, queries, keys }: Description): number {
	return layers.length * heads * queries * keys;
}

/** How many cells a tile has. */
export function cellsOf({ queries, keys }: Description, [, , level, q, k]: TileKey): number {
	return tileSide(queries, level, q) * tileSide(keys, level, k);
}

/** What has come from the kernel or a snapshot so far. */
export class WeightCache {
	readonly table: Float32Array;
	readonly #description: Description;
	readonly #tiles = new Recent<Tile>(MAX_TILE_WEIGHTS, (tile) => tile.codes.length);
	readonly #lines = new Recent<Float32Array>(MAX_LINE_WEIGHTS, (line) => line.length);
	readonly #strips = new Recent<Uint8Array>(MAX_STRIP_CELLS, (strip) => strip.length);
	/** One score of the description after the other, of all heads, layer by layer; NaN for none. */
	scores: Float32Array | undefined;
	readonly terms = new TermsCache();

	constructor(description: Description) {
		this.#description = description;
		this.table = decodeTable(description.encoding === "signed8", description.scale);
	}

	tile(key: TileKey): Tile | undefined {
		return (
			this.#tiles.get(key.join()) ?? (this.#description.whole ? this.#pooledTile(key) : undefined)
		);
	}

	strip(key: StripKey): Uint8Array | undefined {
		return (
			this.#strips.get(key.join()) ?? (this.#description.whole ? this.#pooledStrip(key) : undefined)
		);
	}

	#pooledTile(key: TileKey): Tile | undefined {
		const [layer, head, level, q, k, pooling] = key;
		if (level === 0) return undefined;
		const { queries, keys } = this.#description;
		const [rows, columns] = [tileSide(queries, level, q), tileSide(keys, level, k)];
		const pool = new Pool(rows, columns, level, pooling);
		for (let q0 = q << level; q0 < Math.min((q + 1) << level, tileCount(queries, 0)); q0++)
			for (let k0 = k << level; k0 < Math.min((k + 1) << level, tileCount(keys, 0)); k0++) {
				const part = this.#tiles.get([layer, head, 0, q0, k0, "max"].join());
				if (!part) return undefined;
				pool.add(
					this.#valuesOf(part),
					part.columns,
					(q0 - (q << level)) * TILE,
					(k0 - (k << level)) * TILE,
				);
			}
		const tile = { rows, columns, codes: this.#codesOf(pool.cells()), exact: null };
		this.#tiles.put(key.join(), tile);
		return tile;
	}

	#pooledStrip(key: StripKey): Uint8Array | undefined {
		const [layer, head, index, level, reduction, axis] = key;
		const line = this.#lineFromTiles(axis, [layer, head, index]);
		if (!line) return undefined;
		const pool = new Pool(1, Math.ceil(line.values.length / 2 ** level), level, reduction);
		pool.add(line.values, line.values.length, 0, 0);
		const strip = this.#codesOf(pool.cells());
		this.#strips.put(key.join(), strip);
		return strip;
	}

	#valuesOf({ exact, codes }: Tile): Float32Array {
		return exact ?? Float32Array.from(codes, (code) => this.table[code] as number);
	}

	#codesOf(values: Float32Array): Uint8Array {
		const { encoding, scale } = this.#description;
		return Uint8Array.from(values, (weight) => encode(weight, encoding === "signed8", scale));
	}

	/** The line from a read-out if there was one, else put together from full-resolution tiles. */
	line(axis: Axis, key: LineKey): Line | undefined {
		const values = this.#lines.get(`${axis},${key}`);
		return values ? { values, exact: true } : this.#lineFromTiles(axis, key);
	}

	mass(key: MassKey): Float32Array | undefined {
		return this.#lines.get(`mass,${key}`);
	}

	span(key: SpanKey): Float32Array | undefined {
		return this.#lines.get(`span,${key}`);
	}

	#lineFromTiles(axis: Axis, [layer, head, index]: LineKey): Line | undefined {
		const { queries, keys } = this.#description;
		const length = axis === "row" ? keys : queries;
		const along = Math.floor(index / TILE);
		const offset = index % TILE;
		const values = new Float32Array(length);
		let exact = true;
		for (let t = 0; t < tileCount(length, 0); t++) {
			const tile = this.#tiles.get(
				[layer, head, 0, ...(axis === "row" ? [along, t] : [t, along]), "max"].join(),
			);
			if (!tile) return undefined;
			exact &&= tile.exact !== null;
			const count = axis === "row" ? tile.columns : tile.rows;
			const start = axis === "row" ? offset * tile.columns : offset;
			const step = axis === "row" ? 1 : tile.columns;
			for (let i = 0, at = start; i < count; i++, at += step)
				values[t * TILE + i] = tile.exact
					? (tile.exact[at] as number)
					: (this.table[tile.codes[at] as number] as number);
		}
		return { values, exact };
	}

	/** Keep the tiles and strips of a reply. */
	putPixels(reply: WeightsReply, data: Uint8Array<ArrayBuffer>): void {
		const { queries, keys } = this.#description;
		const bytes = BYTES_PER_WEIGHT[reply.encoding];
		const lengths = [
			...reply.tiles.map((key) => cellsOf(this.#description, key)),
			...reply.strips.map(([, , , level, , axis]) =>
				Math.ceil((axis === "row" ? keys : queries) / 2 ** level),
			),
		];
		expectBytes(data, bytes * lengths.reduce((sum, length) => sum + length, 0));
		let at = 0;
		const chunks = lengths.map((length) => {
			const chunk = data.slice(at, at + length * bytes);
			at += chunk.length;
			const exact = reply.encoding === "float32" ? new Float32Array(chunk.buffer) : null;
			return { codes: exact ? this.#codesOf(exact) : chunk, exact };
		});
		for (const [i, chunk] of chunks.entries()) {
			const tile = reply.tiles[i];
			if (tile) {
				const [, , level, q, k] = tile;
				const [rows, columns] = [tileSide(queries, level, q), tileSide(keys, level, k)];
				this.#tiles.put(tile.join(), { rows, columns, ...chunk });
			} else this.#strips.put(`${reply.strips[i - reply.tiles.length]}`, chunk.codes);
		}
	}

	putLines(
		{ rows, columns, masses, spans, scores }: WeightsReply,
		data: Uint8Array<ArrayBuffer>,
	): void {
		const { queries, keys, layers, heads } = this.#description;
		const all = layers.length * heads;
		const numbers = spans.length * all + (scores ? this.#description.scores.length * all : 0);
		expectBytes(
			data,
			4 * (rows.length * keys + (columns.length + masses.length) * queries + numbers),
		);
		const values = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
		let at = 0;
		const put = (axis: Axis | "mass" | "span", key: readonly number[], length: number) => {
			this.#lines.put(`${axis},${key}`, values.slice(at, at + length));
			at += length;
		};
		for (const key of rows) put("row", key, keys);
		for (const key of columns) put("column", key, queries);
		for (const key of masses) put("mass", key, queries);
		for (const key of spans) put("span", key, all);
		if (scores) this.scores = values.slice(at);
	}
}
