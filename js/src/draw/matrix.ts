import { TILE } from "../protocol.gen";
import { onScale, type Palette } from "./colour";

/** Cells of a whole matrix, possibly pooled, as weights; NaN where they aren't here yet. */
export interface Cells {
	readonly rows: number;
	readonly columns: number;
	readonly values: Float32Array;
}

/** Copy a tile's values into the cells at its place, adding to what is there. */
export function addTile(
	cells: Cells,
	queryTile: number,
	keyTile: number,
	tile: { rows: number; columns: number },
	value: (at: number) => number,
): void {
	for (let i = 0; i < tile.rows; i++) {
		const to = (queryTile * TILE + i) * cells.columns + keyTile * TILE;
		for (let j = 0; j < tile.columns; j++)
			cells.values[to + j] = (cells.values[to + j] as number) + value(i * tile.columns + j);
	}
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
