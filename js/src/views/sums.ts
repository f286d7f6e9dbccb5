import { css, onScale } from "../draw/colour";
import { TILE } from "../protocol.gen";
import type { Scene } from "../scene";
import { type Tile, tileKey } from "../source/cache";
import { type Frame, tokensInView } from "./viewport";

const GAP = 6;

/** Sums over what is in view, from the tokens' mean where cells are pooled. */
export interface Sums {
	/** Whether they are of the model's float32, not of 8-bit codes. */
	readonly exact: boolean;
	/** What a query in view reads of the keys in view. */
	row(query: number): number | undefined;
	/** The mean weight of a key in view over the queries in view. */
	column(key: number): number | undefined;
	readonly rowBars: Path2D;
	readonly columnBars: Path2D;
}

/** Sums up what is in view, once; what is missing for it is asked for behind all else. */
export class Summing {
	#name = "";
	#sums: Sums | undefined;

	of(scene: Scene, frame: Frame): Sums | undefined {
		const { state, ink } = scene;
		const name = JSON.stringify([frame, state.layer, state.heads, ink.curve]);
		if (name !== this.#name) this.#sums = undefined;
		this.#name = name;
		this.#sums ??= sumsOf(scene, frame);
		return this.#sums;
	}
}

/** The cells of one side that are in view, and how many of the tokens in view each holds. */
function cellsOf(scene: Scene, frame: Frame, side: "query" | "key") {
	const { queries, keys } = scene.description;
	const span = 2 ** frame.level;
	const [start, end] = tokensInView(frame, side, side === "query" ? queries : keys);
	const first = Math.floor(start / span);
	const held = Array.from({ length: Math.ceil(end / span) - first }, (_, i) => {
		const from = (first + i) * span;
		return Math.min(end, from + span) - Math.max(start, from);
	});
	return { first, held, count: end - start };
}

function sumsOf(scene: Scene, frame: Frame): Sums | undefined {
	const { state, reader, table, description, ink } = scene;
	const { level } = frame;
	const [queries, keys] = [cellsOf(scene, frame, "query"), cellsOf(scene, frame, "key")];
	const tiles: [query: number, key: number, Tile][] = [];
	let complete = true;
	for (const q of tilesOf(queries))
		for (const k of tilesOf(keys))
			for (const head of state.heads) {
				// Of the mean only: from a cell's largest weight no sum can be had.
				const urgent = level === 0 || state.pooling === "mean";
				const tile = reader.tile(tileKey(state.layer, head, level, q, k, "mean"), urgent);
				if (tile) tiles.push([q * TILE, k * TILE, tile]);
				else complete = false;
			}
	if (!complete) return undefined;
	const rows = new Float64Array(queries.held.length);
	const columns = new Float64Array(keys.held.length);
	for (const [top, left, { rows: height, columns: width, codes, exact }] of tiles)
		for (let r = Math.max(0, queries.first - top); r < height; r++) {
			const row = top + r - queries.first;
			const rowsHeld = queries.held[row];
			if (rowsHeld === undefined) break;
			for (let c = Math.max(0, keys.first - left); c < width; c++) {
				const column = left + c - keys.first;
				const columnsHeld = keys.held[column];
				if (columnsHeld === undefined) break;
				const at = r * width + c;
				const weight = (exact ? exact[at] : table[codes[at] as number]) as number;
				rows[row] = (rows[row] as number) + weight * columnsHeld;
				columns[column] = (columns[column] as number) + weight * rowsHeld;
			}
		}
	const heads = state.heads.length;
	const sums = rows.map((sum) => sum / heads);
	const means = columns.map((sum) => sum / heads / queries.count);
	const largest = means.reduce((most, mean) => Math.max(most, Math.abs(mean)), 0) || 1;
	const most = sums.reduce((most, sum) => Math.max(most, Math.abs(sum)), description.scale);
	const of = (values: Float64Array, first: number) => (token: number) =>
		values[Math.floor(token / 2 ** level) - first];
	const bars = (lengths: Float64Array, { first }: { first: number }, side: "query" | "key") =>
		barsOf(lengths, first, frame, side);
	return {
		exact: tiles.every(([, , tile]) => tile.exact),
		row: of(sums, queries.first),
		column: of(means, keys.first),
		rowBars: bars(
			sums.map((sum) => Math.abs(sum) / most),
			queries,
			"query",
		),
		// One key that nearly all is read from would leave nothing of the others: as the colours do.
		columnBars: bars(
			means.map((mean) => onScale(mean, largest, ink.curve)),
			keys,
			"key",
		),
	};
}

function tilesOf({ first, held }: { first: number; held: readonly number[] }): number[] {
	const from = Math.floor(first / TILE);
	return Array.from({ length: Math.ceil((first + held.length) / TILE) - from }, (_, i) => from + i);
}

/** Bars that grow away from the cells, each as thick as its cell. */
function barsOf(lengths: Float64Array, first: number, frame: Frame, side: "query" | "key"): Path2D {
	const { x, y, width, height, cell } = frame;
	const bars = new Path2D();
	const thick = cell * 2 ** frame.level;
	const [start, end] = side === "query" ? [y, y + height] : [x, x + width];
	for (const [i, share] of lengths.entries()) {
		const at = start + (first + i) * thick - frame[side] * cell;
		const [from, to] = [Math.max(start, at), Math.min(end, at + thick)];
		const length = share * (frame.sums - GAP - 2);
		const along = Math.max(0, to - from - (thick > 3 ? 1 : 0));
		if (side === "query") bars.rect(x + width + GAP, from, length, along);
		else bars.rect(from, y + height + GAP, along, length);
	}
	return bars;
}

/** Draw the bars beside the cells, named where no cell is. */
export function drawSums(
	context: CanvasRenderingContext2D,
	{ colours }: Scene,
	{ x, y, width, height, sums: room }: Frame,
	sums: Sums,
): void {
	if (room < GAP * 2) return;
	context.fillStyle = css(colours.reader, 0.35);
	context.fill(sums.rowBars);
	context.fillStyle = css(colours.read, 0.8);
	context.fill(sums.columnBars);
	context.fillStyle = css(colours.dark ? [154, 154, 166] : [107, 107, 118]);
	context.font = "11px system-ui, sans-serif";
	context.textBaseline = "top";
	for (const [line, [column, row]] of [
		["column", "row"],
		["means", "sums"],
	].entries()) {
		const top = y + height + GAP + line * 13;
		context.textAlign = "right";
		context.fillText(column as string, x - GAP, top);
		context.textAlign = "left";
		context.fillText(row as string, x + width + GAP, top);
	}
}
