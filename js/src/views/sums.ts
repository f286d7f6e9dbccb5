import { type CurveName, css, onScale } from "../draw/colour";
import { TILE } from "../protocol.gen";
import type { Scene } from "../scene";
import { type Tile, tileKey } from "../source/cache";
import { type Frame, tokensInView } from "./viewport";

const GAP = 6;

/** The sums of one side's cells, and bars for them. */
interface SideSums {
	/** Of the cell that holds a token; undefined out of view. */
	of(token: number): number | undefined;
	readonly bars: Path2D;
}

/** What the queries in view read of the keys in view, and the mean weight of each such key. */
export interface Sums {
	/** Whether they are of the model's float32, not of 8-bit codes. */
	readonly exact: boolean;
	readonly rows: SideSums;
	readonly columns: SideSums;
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

/** The cells of one side in view: the first, and how many tokens in view each holds. */
function cellsOf(frame: Frame, side: "query" | "key", tokens: number) {
	const span = 2 ** frame.level;
	const [start, end] = tokensInView(frame, side, tokens);
	const first = Math.floor(start / span);
	const held: number[] = [];
	for (let from = first * span; from < end; from += span)
		held.push(Math.min(end, from + span) - Math.max(start, from));
	const tiles: number[] = [];
	for (let tile = Math.floor(first / TILE); tile * TILE < first + held.length; tile++)
		tiles.push(tile);
	return { side, first, held, tiles, count: end - start, sums: new Float64Array(held.length) };
}

function sumsOf(scene: Scene, frame: Frame): Sums | undefined {
	const { state, reader, table, description, ink } = scene;
	const { level } = frame;
	const rows = cellsOf(frame, "query", description.queries);
	const columns = cellsOf(frame, "key", description.keys);
	// From a cell's largest weight no sum can be had, from its mean it can.
	const urgent = level === 0 || state.pooling === "mean";
	const found = rows.tiles.flatMap((q) =>
		columns.tiles.flatMap((k) =>
			state.heads.map((head) => {
				const tile = reader.tile(tileKey(state.layer, head, level, q, k, "mean"), urgent);
				return { top: q * TILE - rows.first, left: k * TILE - columns.first, tile };
			}),
		),
	);
	if (found.some(({ tile }) => !tile)) return undefined;
	for (const { top, left, tile } of found) {
		const { codes, exact, columns: width } = tile as Tile;
		for (let at = 0; at < codes.length; at += width) {
			const row = top + at / width;
			const rowHeld = rows.held[row];
			if (rowHeld === undefined) continue;
			for (let c = Math.max(0, -left); c < width; c++) {
				const held = columns.held[left + c];
				if (held === undefined) break;
				const weight = (exact ? exact[at + c] : table[codes[at + c] as number]) as number;
				rows.sums[row] = (rows.sums[row] as number) + weight * held;
				columns.sums[left + c] = (columns.sums[left + c] as number) + weight * rowHeld;
			}
		}
	}
	const heads = state.heads.length;
	const side = (
		{ sums, first, side }: typeof rows,
		count: number,
		least: number,
		curve: CurveName,
	): SideSums => {
		const means = sums.map((sum) => sum / count);
		const most = means.reduce((most, mean) => Math.max(most, Math.abs(mean)), least);
		const shares = means.map((mean) => onScale(mean, most, curve));
		return {
			of: (token) => means[Math.floor(token / 2 ** level) - first],
			bars: barsOf(shares, first, frame, side),
		};
	};
	return {
		exact: found.every(({ tile }) => tile?.exact),
		rows: side(rows, heads, description.scale, "linear"),
		// Where nearly all is read from one key, nothing would be left of the others: as the colours do.
		columns: side(columns, heads * rows.count, Number.MIN_VALUE, ink.curve),
	};
}

/**
 * Bars that grow away from the cells, each as thick as its cell. Of one outline: to fill hundreds of
 * rectangles that share edges takes ten times as long.
 */
function barsOf(
	shares: Float64Array,
	first: number,
	{ x, y, width, height, sums, cell, level, ...frame }: Frame,
	side: "query" | "key",
): Path2D {
	const bars = new Path2D();
	const thick = cell * 2 ** level;
	const down = side === "query";
	const [start, end] = down ? [y, y + height] : [x, x + width];
	const to = (at: number, out: number) =>
		down ? bars.lineTo(x + width + GAP + out, at) : bars.lineTo(at, y + height + GAP + out);
	to(start, 0);
	for (const [i, share] of shares.entries()) {
		const at = start + (first + i) * thick - frame[side] * cell;
		const from = Math.max(start, at);
		const until = Math.min(end, at + thick) - (thick > 3 ? 1 : 0);
		const length = share * (sums - GAP - 2);
		to(from, 0);
		to(from, length);
		to(until, length);
		to(until, 0);
	}
	return bars;
}

/** Draw the bars beside the cells, named where no cell is. */
export function drawSums(
	context: CanvasRenderingContext2D,
	{ colours }: Scene,
	{ x, y, width, height, sums: room }: Frame,
	{ rows, columns }: Sums,
): void {
	if (room < GAP) return;
	context.fillStyle = css(colours.reader, 0.45);
	context.fill(rows.bars);
	context.fillStyle = css(colours.read, 0.8);
	context.fill(columns.bars);
	context.fillStyle = css(colours.dark ? [154, 154, 166] : [107, 107, 118]);
	context.font = "11px system-ui, sans-serif";
	context.textBaseline = "top";
	const name = (words: readonly string[], left: number) => {
		for (const [line, word] of words.entries())
			context.fillText(word, left, y + height + GAP + line * 13);
	};
	context.textAlign = "right";
	name(["column", "means"], x - GAP);
	context.textAlign = "left";
	name(["row", "sums"], x + width + GAP);
}
