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
	const warm = new Uint32Array(colours.ramp.buffer);
	const cold = new Uint32Array(colours.coldRamp.buffer);
	for (let i = 0; i < pixels.length; i++) {
		const value = cells.values[i] as number;
		if (Number.isNaN(value)) continue;
		const step = Math.round(onScale(value, scale) * 255);
		pixels[i] = (value < 0 ? cold[step] : warm[step]) as number;
	}
	return image;
}
