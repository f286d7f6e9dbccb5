import type { Ink } from "./colour";

/** Cells of a matrix, possibly pooled, as weights; NaN where they aren't here. */
export interface Cells {
	readonly rows: number;
	readonly columns: number;
	readonly values: Float32Array;
}

/** One pixel a cell; cells that aren't here yet stay clear. */
export function paintCells(cells: Cells, ink: Ink): ImageData {
	const image = new ImageData(cells.columns, cells.rows);
	const pixels = new Uint32Array(image.data.buffer);
	for (let i = 0; i < pixels.length; i++) {
		const value = cells.values[i] as number;
		if (!Number.isNaN(value)) pixels[i] = ink.pixel(value);
	}
	return image;
}

/** The colours of the 256 codes of tiles, by the weights that they stand for. */
export function codeInks(table: Float32Array, ink: Ink): Uint32Array {
	return Uint32Array.from(table, ink.pixel);
}

/** The same from codes, for what is painted by the thousand. */
export function paintCodes(codes: Uint8Array, columns: number, inkOf: Uint32Array): ImageData {
	const image = new ImageData(columns, codes.length / columns);
	const pixels = new Uint32Array(image.data.buffer);
	for (let i = 0; i < pixels.length; i++) pixels[i] = inkOf[codes[i] as number] as number;
	return image;
}
