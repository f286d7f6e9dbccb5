import type { Ink } from "./colour";
import { paintCells } from "./matrix";

/** Where a vector's strip lies; one that would have cells below a pixel takes several lines. */
export interface Strip {
	readonly left: number;
	readonly width: number;
	readonly height: number;
	readonly columns: number;
	readonly lines: number;
}

export function stripOf(size: number, left: number, room: number, height: number): Strip {
	const lines = Math.ceil(size / room);
	const columns = Math.ceil(size / lines);
	const cell = Math.min(8, room / columns);
	// Cells of unequal width show beside each other; where they are narrow all room counts.
	const width = columns * (cell > 2 ? Math.floor(cell) : cell);
	return { left, width, height, columns, lines };
}

/** The number whose cell is at a place, counted from the strip's upper edge. */
export function numberAt(
	{ left, width, height, columns, lines }: Strip,
	x: number,
	y: number,
): number | undefined {
	const [u, v] = [(x - left) / width, y / height];
	const inside = u >= 0 && u < 1 && v >= 0 && v < 1;
	return inside ? Math.floor(v * lines) * columns + Math.floor(u * columns) : undefined;
}

/** Draw a vector's numbers as cells, from `y` on. */
export function drawVector(
	context: CanvasRenderingContext2D,
	{ left, width, height, columns, lines }: Strip,
	y: number,
	vector: Float32Array,
	ink: Ink,
): void {
	const values = new Float32Array(columns * lines).fill(Number.NaN);
	values.set(vector);
	const cells = new OffscreenCanvas(columns, lines);
	cells.getContext("2d")?.putImageData(paintCells({ rows: lines, columns, values }, ink), 0, 0);
	context.imageSmoothingEnabled = false;
	context.drawImage(cells, left, y, width, height);
}
