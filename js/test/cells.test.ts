import { expect, test } from "vitest";
import { inkOf, palette } from "../src/draw/colour";
import { type Cells, paintCells } from "../src/draw/matrix";

const colours = palette(false);
const ink = inkOf(colours, "sqrt", 1);

function cellsOf(rows: number, columns: number, values: readonly number[]): Cells {
	return { rows, columns, values: Float32Array.from(values) };
}

function rampStep(ramp: Uint8ClampedArray, step: number): number[] {
	return [...ramp.subarray(step * 4, step * 4 + 4)];
}

test("each cell is one pixel in the colour of its weight, rows down, columns along", () => {
	// On a square root scale: 0, 1/4 -> 128, 1 -> 255; 4 is beyond the scale's end.
	const image = paintCells(cellsOf(2, 3, [0, 0.25, 1, 4, 0.0625, 0.5625]), ink);
	expect([image.width, image.height]).toEqual([3, 2]);
	const pixel = (x: number, y: number) => [
		...image.data.subarray((y * 3 + x) * 4, (y * 3 + x) * 4 + 4),
	];
	expect(pixel(0, 0)[3]).toBe(0);
	expect(pixel(1, 0)).toEqual(rampStep(colours.ramp, 128));
	expect(pixel(2, 0)).toEqual(rampStep(colours.ramp, 255));
	expect(pixel(0, 1)).toEqual(rampStep(colours.ramp, 255));
	expect(pixel(1, 1)).toEqual(rampStep(colours.ramp, 64));
	expect(pixel(2, 1)).toEqual(rampStep(colours.ramp, 191));
});

test("the colours follow the scale of the weights", () => {
	const image = paintCells(cellsOf(1, 1, [1]), inkOf(colours, "sqrt", 4));
	expect([...image.data]).toEqual(rampStep(colours.ramp, 128));
});

test("weights below zero have the cold ramp, by their size", () => {
	const image = paintCells(cellsOf(1, 2, [-0.25, -1]), ink);
	expect([...image.data.subarray(0, 4)]).toEqual(rampStep(colours.coldRamp, 128));
	expect([...image.data.subarray(4, 8)]).toEqual(rampStep(colours.coldRamp, 255));
});

test("a cell that isn't here stays clear, instead of looking like a weight", () => {
	const image = paintCells(cellsOf(1, 2, [Number.NaN, 1]), ink);
	expect([...image.data.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
	expect(image.data[7]).toBe(255);
});
