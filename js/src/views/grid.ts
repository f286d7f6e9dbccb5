import type { Description } from "../protocol.gen";
import type { HeadOf } from "./view";

/** Room for the numbers of layers and of heads. */
const LEFT = 28;
const TOP = 18;
/** A head smaller than this can't be hit: the map scrolls instead. */
const MIN_CELL = 5;
const MAX_CELL = 96;

/** Where the heads of a model lie, in CSS pixels: a row a layer, a column a head. */
export interface Grid {
	readonly layers: number;
	readonly heads: number;
	readonly width: number;
	readonly height: number;
	readonly left: number;
	readonly top: number;
	/** Of one head and the gap after it. */
	readonly across: number;
	readonly down: number;
	readonly gap: number;
	/** Which head stands at each place, row by row, both counted through all layers; null: its own. */
	readonly order: readonly number[] | null;
}

/** What of the content is in view. */
export interface Room {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** The grid that fits a room, or that a zoom makes larger than it. */
export function gridOf(
	{ layers, heads }: Pick<Description, "layers" | "heads">,
	room: readonly [width: number, height: number],
	zoom: number,
	square: boolean,
	order: readonly number[] | null = null,
): Grid {
	const fitted = [(room[0] - LEFT) / heads, (room[1] - TOP) / layers.length] as const;
	const side = Math.min(...fitted);
	const wide = Math.min(MAX_CELL, square ? side : fitted[0]);
	const across = zoom * Math.max(MIN_CELL, wide);
	const down = zoom * Math.max(MIN_CELL, Math.min(MAX_CELL, fitted[1], wide));
	return {
		layers: layers.length,
		heads,
		width: LEFT + across * heads,
		height: TOP + down * layers.length,
		left: LEFT,
		top: TOP,
		across,
		down,
		gap: Math.min(across, down) < 12 ? 1 : 2,
		order,
	};
}

/** The head that stands in a row and a column. */
export function headIn({ heads, order }: Grid, row: number, column: number): HeadOf {
	const place = row * heads + column;
	const number = order?.[place] ?? place;
	return { layer: Math.floor(number / heads), head: number % heads };
}

/** The row and the column in which a head stands. */
export function placeOf(
	{ heads, order }: Grid,
	{ layer, head }: HeadOf,
): readonly [number, number] {
	const number = layer * heads + head;
	const place = order?.indexOf(number) ?? number;
	return [Math.floor(place / heads), place % heads];
}

/** The order of heads by a score, highest first; those that have none are last. */
export function orderBy(scores: Float32Array): number[] {
	const rankOf = (head: number) => {
		const score = scores[head] as number;
		return Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score;
	};
	return Array.from(scores.keys()).sort((a, b) => rankOf(b) - rankOf(a) || a - b);
}

/** The head at a point, if any. */
export function headAt(grid: Grid, x: number, y: number): HeadOf | null {
	const column = Math.floor((x - grid.left) / grid.across);
	const row = Math.floor((y - grid.top) / grid.down);
	const inside = column >= 0 && column < grid.heads && row >= 0 && row < grid.layers;
	return inside ? headIn(grid, row, column) : null;
}

/** Where a head is: its left, top, width and height without the gap. */
export function boxOf(grid: Grid, head: HeadOf) {
	return boxIn(grid, ...placeOf(grid, head));
}

/** What a row and a column have: left, top, width and height without the gap. */
export function boxIn(grid: Grid, row: number, column: number) {
	return [
		grid.left + column * grid.across,
		grid.top + row * grid.down,
		grid.across - grid.gap,
		grid.down - grid.gap,
	] as const;
}

/** The indices along one axis that are in view of a room that starts at `from`: first, one past last. */
export function inView(from: number, length: number, start: number, step: number, count: number) {
	const first = Math.max(0, Math.floor((from - start) / step));
	return [first, Math.min(count, Math.ceil((from + length - start) / step))] as const;
}

/** The rows and columns in view, row by row. */
export function* cellsInView(grid: Grid, room: Room): Generator<readonly [number, number]> {
	const [row0, row1] = inView(room.y, room.height, grid.top, grid.down, grid.layers);
	const [column0, column1] = inView(room.x, room.width, grid.left, grid.across, grid.heads);
	for (let row = row0; row < row1; row++)
		for (let column = column0; column < column1; column++) yield [row, column];
}

/** Each how-many-th number has the room that it needs. */
export function labelStep(step: number, room: number): number {
	return Math.ceil(room / step);
}
