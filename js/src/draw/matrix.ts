import { onScale, type Palette } from "./colour";

/** Cells of a matrix, possibly pooled, as weights; NaN where they aren't here. */
export interface Cells {
	readonly rows: number;
	readonly columns: number;
	readonly values: Float32Array;
}

/** One pixel a cell; cells that aren't here yet stay clear. */
export function paintCells(cells: Cells, colours: Palette, scale: number): ImageData {
	const image = new ImageData(cells.columns, cells.rows);
	const pixels = new Uint32Array(image.data.buffer);
	const inkOf = inks(colours, scale);
	for (let i = 0; i < pixels.length; i++) {
		const value = cells.values[i] as number;
		if (!Number.isNaN(value)) pixels[i] = inkOf(value);
	}
	return image;
}

/** Colours of weights as the four bytes of a pixel. */
function inks(colours: Palette, scale: number): (weight: number) => number {
	const warm = new Uint32Array(colours.ramp.buffer);
	const cold = new Uint32Array(colours.coldRamp.buffer);
	return (weight) => (weight < 0 ? cold : warm)[Math.round(onScale(weight, scale) * 255)] as number;
}

/** The colours of the 256 codes of tiles, by the weights that they stand for. */
export function codeInks(table: Float32Array, colours: Palette, scale: number): Uint32Array {
	return Uint32Array.from(table, inks(colours, scale));
}

/** The same from codes, for what is painted by the thousand. */
export function paintCodes(codes: Uint8Array, columns: number, inkOf: Uint32Array): ImageData {
	const image = new ImageData(columns, codes.length / columns);
	const pixels = new Uint32Array(image.data.buffer);
	for (let i = 0; i < pixels.length; i++) pixels[i] = inkOf[codes[i] as number] as number;
	return image;
}
