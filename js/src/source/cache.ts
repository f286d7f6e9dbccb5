import {
	type Description,
	type LineKey,
	TILE,
	type TileKey,
	type WeightsReply,
} from "../protocol.gen";
import { BYTES_PER_WEIGHT, decodeTable, encode } from "./codec";

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

export type Axis = "row" | "column";

/** About 80 MB: more than everything that is ever sent whole. */
const MAX_TILE_WEIGHTS = 1200 * TILE * TILE;
const MAX_LINE_WEIGHTS = 16_000_000;

/** How many tiles of a level cover `cells` cells. */
export function tileCount(cells: number, level: number): number {
	return Math.ceil(Math.ceil(cells / 2 ** level) / TILE);
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
		for (let k = 0; k < tileCount(keys, level); k++) found.push([layer, head, level, q, k]);
	return found;
}

function tileSide(cells: number, level: number, index: number): number {
	return Math.min(TILE, Math.ceil(cells / 2 ** level) - index * TILE);
}

/** Entries up to so many values together; beyond, the least recently used go first. */
class Recent<T> {
	readonly #entries = new Map<string, T>();
	readonly #most: number;
	readonly #valuesOf: (entry: T) => number;
	#values = 0;

	constructor(most: number, valuesOf: (entry: T) => number) {
		this.#most = most;
		this.#valuesOf = valuesOf;
	}

	get(name: string): T | undefined {
		const entry = this.#entries.get(name);
		// Keeping order costs, and pays only where something may soon have to go.
		if (entry && this.#values > this.#most / 2) {
			this.#entries.delete(name);
			this.#entries.set(name, entry);
		}
		return entry;
	}

	put(name: string, entry: T): void {
		this.#remove(name);
		this.#entries.set(name, entry);
		this.#values += this.#valuesOf(entry);
		for (const oldest of this.#entries.keys()) {
			if (this.#values <= this.#most) break;
			this.#remove(oldest);
		}
	}

	#remove(name: string): void {
		const entry = this.#entries.get(name);
		if (entry === undefined) return;
		this.#entries.delete(name);
		this.#values -= this.#valuesOf(entry);
	}
}

/** What has come from the kernel or a snapshot so far. */
export class WeightCache {
	readonly table: Float32Array;
	readonly #description: Description;
	readonly #tiles = new Recent<Tile>(MAX_TILE_WEIGHTS, (tile) => tile.codes.length);
	readonly #lines = new Recent<Float32Array>(MAX_LINE_WEIGHTS, (line) => line.length);

	constructor(description: Description) {
		this.#description = description;
		this.table = decodeTable(description.encoding === "signed8", description.scale);
	}

	tile(key: TileKey): Tile | undefined {
		return this.#tiles.get(key.join());
	}

	/** The line from a read-out if there was one, else put together from full-resolution tiles. */
	line(axis: Axis, key: LineKey): Line | undefined {
		const values = this.#lines.get(`${axis},${key}`);
		return values ? { values, exact: true } : this.#lineFromTiles(axis, key);
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
				(axis === "row" ? [layer, head, 0, along, t] : [layer, head, 0, t, along]).join(),
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

	putTiles(reply: WeightsReply, data: Uint8Array<ArrayBuffer>): void {
		const { queries, keys, scale, encoding } = this.#description;
		const bytes = BYTES_PER_WEIGHT[reply.encoding];
		const sides = reply.tiles.map(([, , level, queryTile, keyTile]) => ({
			rows: tileSide(queries, level, queryTile),
			columns: tileSide(keys, level, keyTile),
		}));
		expectBytes(data, bytes * sides.reduce((sum, side) => sum + side.rows * side.columns, 0));
		let at = 0;
		for (const [i, { rows, columns }] of sides.entries()) {
			const chunk = data.slice(at, at + rows * columns * bytes);
			at += chunk.length;
			const exact = reply.encoding === "float32" ? new Float32Array(chunk.buffer) : null;
			const signed = encoding === "signed8";
			const codes = exact ? Uint8Array.from(exact, (w) => encode(w, signed, scale)) : chunk;
			this.#tiles.put(`${reply.tiles[i]}`, { rows, columns, codes, exact });
		}
	}

	putLines({ rows, columns }: WeightsReply, data: Uint8Array<ArrayBuffer>): void {
		const { queries, keys } = this.#description;
		expectBytes(data, 4 * (rows.length * keys + columns.length * queries));
		const values = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
		let at = 0;
		const put = (axis: Axis, key: LineKey, length: number) => {
			this.#lines.put(`${axis},${key}`, values.slice(at, at + length));
			at += length;
		};
		for (const key of rows) put("row", key, keys);
		for (const key of columns) put("column", key, queries);
	}
}

/** Weights cut at the wrong places would make a plausible picture that is not the model's. */
function expectBytes(data: Uint8Array, expected: number): void {
	if (data.length !== expected)
		throw new Error(`expected ${expected} bytes of weights, got ${data.length}`);
}
