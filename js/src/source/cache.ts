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

const MAX_TILES = 1200;
const MAX_LINE_VALUES = 16_000_000;

/** How many tiles of a level cover `cells` cells. */
export function tileCount(cells: number, level: number): number {
	return Math.ceil(Math.ceil(cells / 2 ** level) / TILE);
}

function tileSide(cells: number, level: number, index: number): number {
	return Math.min(TILE, Math.ceil(cells / 2 ** level) - index * TILE);
}

/** What has come from the kernel or a snapshot so far; the least recently used goes first. */
export class WeightCache {
	readonly table: Float32Array;
	readonly #description: Description;
	readonly #tiles = new Map<string, Tile>();
	readonly #lines = new Map<string, Float32Array>();
	#lineValues = 0;

	constructor(description: Description) {
		this.#description = description;
		this.table = decodeTable(description.encoding === "signed8", description.scale);
	}

	tile(key: TileKey): Tile | undefined {
		const name = key.join();
		const tile = this.#tiles.get(name);
		if (tile && this.#tiles.size >= MAX_TILES) {
			this.#tiles.delete(name);
			this.#tiles.set(name, tile);
		}
		return tile;
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
		let at = 0;
		for (const key of reply.tiles) {
			const [, , level, queryTile, keyTile] = key;
			const rows = tileSide(queries, level, queryTile);
			const columns = tileSide(keys, level, keyTile);
			const size = rows * columns;
			const chunk = data.slice(at, at + size * BYTES_PER_WEIGHT[reply.encoding]);
			at += chunk.length;
			const exact = reply.encoding === "float32" ? new Float32Array(chunk.buffer) : null;
			const signed = encoding === "signed8";
			const codes = exact ? Uint8Array.from(exact, (w) => encode(w, signed, scale)) : chunk;
			this.#tiles.set(key.join(), { rows, columns, codes, exact });
		}
		for (const name of this.#tiles.keys()) {
			if (this.#tiles.size <= MAX_TILES) break;
			this.#tiles.delete(name);
		}
	}

	putLines(reply: WeightsReply, data: Uint8Array<ArrayBuffer>): void {
		const values = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
		let at = 0;
		const put = (axis: Axis, key: LineKey, length: number) => {
			this.#lines.set(`${axis},${key}`, values.slice(at, at + length));
			at += length;
			this.#lineValues += length;
		};
		for (const key of reply.rows) put("row", key, this.#description.keys);
		for (const key of reply.columns) put("column", key, this.#description.queries);
		for (const [name, line] of this.#lines) {
			if (this.#lineValues <= MAX_LINE_VALUES) break;
			this.#lines.delete(name);
			this.#lineValues -= line.length;
		}
	}
}
