import { expect, test } from "vitest";
import {
	boxOf,
	gridOf,
	headAt,
	headIn,
	inView,
	labelStep,
	orderBy,
	placeOf,
} from "../src/views/grid";

const model = (layers: number, heads: number) => ({
	layers: Array.from({ length: layers }, (_, i) => i),
	heads,
});

test("the head at a point is the one that is drawn there, up to the last layer and head", () => {
	const grid = gridOf(model(3, 7), [500, 248], 1, false);
	for (let layer = 0; layer < 3; layer++)
		for (let head = 0; head < 7; head++) {
			const [left, top, width, height] = boxOf(grid, { layer, head });
			for (const [x, y] of [
				[left, top],
				[left + width - 0.01, top + height - 0.01],
			] as const)
				expect(headAt(grid, x, y)).toEqual({ layer, head });
		}
	const [left, top, width, height] = boxOf(grid, { layer: 2, head: 6 });
	expect(left + width).toBeLessThanOrEqual(grid.width);
	expect(top + height).toBeLessThanOrEqual(grid.height);
});

test("on the numbers, and past the last head or layer, there is none", () => {
	const grid = gridOf(model(3, 7), [500, 248], 1, false);
	expect(headAt(grid, grid.left - 1, 100)).toBeNull();
	expect(headAt(grid, 100, grid.top - 1)).toBeNull();
	expect(headAt(grid, grid.width + 1, 100)).toBeNull();
	expect(headAt(grid, 100, grid.height + 1)).toBeNull();
});

test.each([
	[3, 7],
	[32, 32],
	[1, 1],
	[6, 12],
	[2, 25],
])("%d x %d heads fit their room, whether square or not", (layers, heads) => {
	for (const square of [true, false]) {
		const grid = gridOf(model(layers, heads), [500, 248], 1, square);
		expect(grid.width).toBeLessThanOrEqual(500);
		expect(grid.height).toBeLessThanOrEqual(248);
		if (square) expect(grid.across).toBeCloseTo(grid.down);
		expect(grid.down).toBeLessThanOrEqual(grid.across);
	}
});

test("more heads than fit stay large enough to be hit, and scroll", () => {
	const grid = gridOf(model(80, 200), [500, 248], 1, false);
	expect([grid.across, grid.down]).toEqual([5, 5]);
	expect(grid.width).toBeGreaterThan(500);
	expect(grid.height).toBeGreaterThan(248);
	expect(grid.gap).toBeLessThan(grid.down);
});

test("zooming makes each head larger by as much, and never moves the numbers", () => {
	const [whole, near] = [1, 3].map((zoom) => gridOf(model(12, 16), [500, 248], zoom, false));
	expect(near?.across).toBeCloseTo(3 * (whole?.across ?? 0));
	expect(near?.down).toBeCloseTo(3 * (whole?.down ?? 0));
	expect([near?.left, near?.top]).toEqual([whole?.left, whole?.top]);
});

test("in view is what a stretch touches, and nothing that isn't there", () => {
	expect(inView(0, 248, 18, 5, 80), "the last one is cut").toEqual([0, 46]);
	expect(inView(18, 50, 18, 5, 80)).toEqual([0, 10]);
	expect(inView(20, 50, 18, 5, 80), "cut at both ends").toEqual([0, 11]);
	expect(inView(170, 248, 18, 5, 80)).toEqual([30, 80]);
});

test("numbers stand as close as they have room", () => {
	expect([5, 10, 19, 20, 96].map((step) => labelStep(step, 20))).toEqual([4, 2, 2, 1, 1]);
});

test("sorted, each head is found where it stands, the highest first and what has no score last", () => {
	const scores = Float32Array.from([0.25, Number.NaN, 0.5, 0.5, -1, 0.125]);
	const order = orderBy(scores);
	expect(order).toEqual([2, 3, 0, 5, 4, 1]);
	const grid = gridOf(model(2, 3), [500, 248], 1, false, order);
	expect(headIn(grid, 0, 0)).toEqual({ layer: 0, head: 2 });
	expect(headIn(grid, 1, 2)).toEqual({ layer: 0, head: 1 });
	for (let layer = 0; layer < 2; layer++)
		for (let head = 0; head < 3; head++) {
			expect(headIn(grid, ...placeOf(grid, { layer, head }))).toEqual({ layer, head });
			const [left, top] = boxOf(grid, { layer, head });
			expect(headAt(grid, left + 1, top + 1)).toEqual({ layer, head });
		}
});
