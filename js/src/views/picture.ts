import { type Cells, codeInks, paintCells, paintCodes } from "../draw/matrix";
import { TILE, type TileKey } from "../protocol.gen";
import type { Scene } from "../scene";
import { type Tile, tileKey } from "../source/cache";
import { type Frame, tokensInView } from "./viewport";

/** Bitmaps that are kept: some screens' worth. */
const KEPT = 160;
/** What stands in until the finer tile is here looks like it. */
const STAND_IN = 0.55;

/** Draws the chosen heads' tiles; each is painted once and then only copied. */
export class TilePainter {
	readonly #bitmaps = new Map<string, OffscreenCanvas>();

	/**
	 * Draw what is in view.
	 *
	 * @returns The coarsest level that was used, more than the frame's while finer tiles are missing;
	 * and whether no tile was missing.
	 */
	draw(
		context: CanvasRenderingContext2D,
		scene: Scene,
		frame: Frame,
	): { coarsest: number; complete: boolean } {
		const { queries, keys } = scene.description;
		const span = TILE * 2 ** frame.level;
		const [q0, q1] = tokensInView(frame, "query", queries).map((t) => t / span) as [number, number];
		const [k0, k1] = tokensInView(frame, "key", keys).map((t) => t / span) as [number, number];
		let coarsest = frame.level;
		let complete = true;
		context.save();
		context.beginPath();
		context.rect(frame.x, frame.y, frame.width, frame.height);
		context.clip();
		context.imageSmoothingEnabled = false;
		for (let q = Math.floor(q0); q < q1; q++)
			for (let k = Math.floor(k0); k < k1; k++) {
				const level = this.#drawTile(context, scene, frame, q, k);
				complete &&= level === frame.level;
				coarsest = Math.max(coarsest, level ?? 0);
			}
		context.restore();
		return { coarsest, complete };
	}

	/** The value of the cell that holds a weight, as it is drawn. */
	valueAt({ state, reader, table }: Scene, level: number, query: number, key: number) {
		const [row, column] = [query >> level, key >> level];
		const at = (index: number) => Math.floor(index / TILE);
		const tiles = state.heads.map((head) =>
			reader.peek(tileKey(state.layer, head, level, at(row), at(column), state.pooling)),
		);
		if (!tiles.every((tile) => tile !== undefined)) return undefined;
		const weights = tiles.map(({ columns, codes }) => {
			return table[codes[(row % TILE) * columns + (column % TILE)] as number] as number;
		});
		return weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
	}

	/** One tile, or its part of the finest coarser one that is here; returns the level that was drawn. */
	#drawTile(
		context: CanvasRenderingContext2D,
		scene: Scene,
		frame: Frame,
		q: number,
		k: number,
	): number | undefined {
		const { cell, level } = frame;
		const side = cell * 2 ** level;
		const left = frame.x + (k * TILE * 2 ** level - frame.key) * cell;
		const top = frame.y + (q * TILE * 2 ** level - frame.query) * cell;
		const bitmap = this.#bitmap(scene, level, q, k, (key) => scene.reader.tile(key));
		if (bitmap) {
			context.globalAlpha = 1;
			context.drawImage(bitmap, left, top, bitmap.width * side, bitmap.height * side);
			return level;
		}
		const longest = Math.max(scene.description.queries, scene.description.keys);
		for (let up = 1; longest / 2 ** (level + up) >= 1; up++) {
			const over = 2 ** up;
			const coarse = this.#bitmap(
				scene,
				level + up,
				Math.floor(q / over),
				Math.floor(k / over),
				(key) => scene.reader.peek(key),
			);
			if (!coarse) continue;
			const part = TILE / over;
			const x = (k % over) * part;
			const y = (q % over) * part;
			const width = Math.min(part, coarse.width - x);
			const height = Math.min(part, coarse.height - y);
			context.globalAlpha = STAND_IN;
			context.drawImage(
				coarse,
				x,
				y,
				width,
				height,
				left,
				top,
				width * over * side,
				height * over * side,
			);
			return level + up;
		}
		return undefined;
	}

	#bitmap(
		{ state, ink, table }: Scene,
		level: number,
		q: number,
		k: number,
		tileAt: (key: TileKey) => Tile | undefined,
	): OffscreenCanvas | undefined {
		const name = JSON.stringify([state.layer, state.heads, state.pooling, ink.name, level, q, k]);
		const known = this.#bitmaps.get(name);
		if (known) return known;
		const tiles = state.heads.map((head) =>
			tileAt(tileKey(state.layer, head, level, q, k, state.pooling)),
		);
		if (!tiles.every((tile) => tile !== undefined)) return undefined;
		const [one] = tiles;
		const image =
			one && tiles.length === 1
				? paintCodes(one.codes, one.columns, codeInks(table, ink))
				: paintCells(meanOf(tiles, table), ink);
		const bitmap = new OffscreenCanvas(image.width, image.height);
		bitmap.getContext("2d")?.putImageData(image, 0, 0);
		this.#bitmaps.set(name, bitmap);
		for (const oldest of this.#bitmaps.keys()) {
			if (this.#bitmaps.size <= KEPT) break;
			this.#bitmaps.delete(oldest);
		}
		return bitmap;
	}
}

function meanOf(tiles: readonly Tile[], table: Float32Array): Cells {
	const { rows = 0, columns = 0 } = tiles[0] ?? {};
	const values = new Float32Array(rows * columns);
	for (const { codes } of tiles)
		for (let at = 0; at < values.length; at++)
			values[at] = (values[at] as number) + (table[codes[at] as number] as number) / tiles.length;
	return { rows, columns, values };
}
