import { expect, test } from "vitest";
import { palette } from "../src/draw/colour";
import type { Scene } from "../src/scene";
import { endsOf } from "../src/scores";
import { gridOf } from "../src/views/grid";
import { drawScores } from "../src/views/scored";
import { pixelAt } from "./pixels";

test("ends are of the heads that have a number", () => {
	expect(endsOf(Float32Array.of(Number.NaN, 0.5, 0.25, Number.NaN, 2))).toEqual([0.25, 2]);
	expect(endsOf(Float32Array.of(Number.NaN))).toBeUndefined();
});

test("a head without a score has no colour; where all are alike each has one", () => {
	const grid = gridOf({ layers: [0, 1], heads: 3 }, [28 + 150, 18 + 100], 1, true);
	const canvas = document.createElement("canvas");
	[canvas.width, canvas.height] = [grid.width, grid.height];
	const context = canvas.getContext("2d") as CanvasRenderingContext2D;
	const scene = { colours: palette(false), description: { layers: [0, 1] } } as unknown as Scene;
	const room = { x: 0, y: 0, width: grid.width, height: grid.height };
	const scores = Float32Array.of(Number.NaN, 0.5, 0.5, 0.5, Number.NaN, 0.5);
	drawScores(context, grid, room, scene, scores);
	const drawn = Array.from(scores.keys(), (i) => {
		const [row, column] = [Math.floor(i / 3), i % 3];
		const x = grid.left + (column + 0.9) * grid.across;
		const pixel = pixelAt(canvas, x, grid.top + (row + 0.1) * grid.down);
		return pixel[3] > 0;
	});
	expect(drawn).toEqual([false, true, true, true, false, true]);
});
