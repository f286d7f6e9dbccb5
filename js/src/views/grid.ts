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
}

/** The grid that fits a room, or that a zoom makes larger than it. */
export function gridOf(
	{ layers, heads }: Pick<Description, "layers" | "heads">,
	room: readonly [width: number, height: number],
	zoom: number,
	square: boolean,
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
	};
}

/** The head at a point, if any. */
export function headAt(grid: Grid, x: number, y: number): HeadOf | null {
	const head = Math.floor((x - grid.left) / grid.across);
	const layer = Math.floor((y - grid.top) / grid.down);
	const inside = head >= 0 && head < grid.heads && layer >= 0 && layer < grid.layers;
	return inside ? { layer, head } : null;
}

/** Where a head is: its left, top, width and height without the gap. */
export function boxOf(grid: Grid, layer: number, head: number) {
	return [
		grid.left + head * grid.across,
		grid.top + layer * grid.down,
		grid.across - grid.gap,
		grid.down - grid.gap,
	] as const;
}

/** The indices along one axis that are in view of a room that starts at `from`: first, one past last. */
export function inView(from: number, length: number, start: number, step: number, count: number) {
	const first = Math.max(0, Math.floor((from - start) / step));
	return [first, Math.min(count, Math.ceil((from + length - start) / step))] as const;
}

/** Each how-many-th number has the room that it needs. */
export function labelStep(step: number, room: number): number {
	return Math.ceil(room / step);
}
