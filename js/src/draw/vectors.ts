import type { Ink } from "./colour";
import { paintCells } from "./matrix";

/** In how many lines a vector is drawn so that none of its numbers is narrower than a pixel. */
export function linesFor(size: number, width: number): number {
	return Math.ceil(size / Math.max(1, Math.floor(width)));
}

/** The number of a vector at a place of its strip, both from 0 to 1; undefined beside the last. */
export function numberAt(size: number, lines: number, x: number, y: number): number | undefined {
	if (x < 0 || x >= 1 || y < 0 || y >= 1) return undefined;
	const columns = Math.ceil(size / lines);
	const at = Math.floor(y * lines) * columns + Math.floor(x * columns);
	return at < size ? at : undefined;
}

/** Draws vectors as strips, a cell a number. */
export class VectorPainter {
	readonly #canvas = new OffscreenCanvas(1, 1);

	draw(
		context: CanvasRenderingContext2D,
		vector: Float32Array,
		lines: number,
		ink: Ink,
		...box: readonly [x: number, y: number, width: number, height: number]
	): void {
		const canvas = this.#canvas;
		const columns = Math.ceil(vector.length / lines);
		const values = new Float32Array(columns * lines).fill(Number.NaN);
		values.set(vector);
		canvas.width = columns;
		canvas.height = lines;
		canvas.getContext("2d")?.putImageData(paintCells({ rows: lines, columns, values }, ink), 0, 0);
		context.imageSmoothingEnabled = false;
		context.drawImage(canvas, ...box);
	}
}
