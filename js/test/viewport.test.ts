import { describe, expect, test } from "vitest";
import { TILE } from "../src/protocol.gen";
import { frameOf, panBy, reveal, tokensInView, zoomAt } from "../src/views/viewport";

const LONG = { queries: 3000, keys: 5000 };

describe("the whole", () => {
	test("fits, and no cell is smaller than a pixel", () => {
		for (const [queries, keys] of [
			[1, 1],
			[13, 13],
			[5, 90],
			[700, 20],
			[3000, 5000],
			[32768, 32768],
		] as const) {
			const frame = frameOf({ queries, keys }, 600, null);
			expect(frame.zoomed).toBe(false);
			expect(frame.size[0]).toBeLessThanOrEqual(600);
			expect(frame.size[1]).toBeLessThanOrEqual(569);
			expect(frame.width).toBeCloseTo(keys * frame.cell, 6);
			expect(frame.cell * 2 ** frame.level * devicePixelRatio).toBeGreaterThanOrEqual(1 - 1e-9);
			expect(tokensInView(frame, "query", queries)).toEqual([0, queries]);
			expect(tokensInView(frame, "key", keys)).toEqual([0, keys]);
		}
	});
});

describe("zooming", () => {
	test.each([
		[13, 13],
		[5, 90],
		[120, 120],
		[3000, 5000],
	])("%d x %d cells stay where they are at every zoom: a picture that jumps is lost", (queries, keys) => {
		const whole = frameOf({ queries, keys }, 600, null);
		for (let cell = whole.cell; cell < 28; cell *= 1.3) {
			const { x, y, width, height, size } = frameOf({ queries, keys }, 600, {
				query: 1,
				key: 2,
				cell,
			});
			expect([x, y, width, height, ...size]).toEqual([
				whole.x,
				whole.y,
				whole.width,
				whole.height,
				...whole.size,
			]);
		}
	});

	test("a room of some pixels has cells, not margins alone", () => {
		for (let width = 0; width < 600; width += 7) {
			const frame = frameOf(LONG, width, null);
			expect(frame.width).toBeGreaterThan(10);
			expect(frame.size[0]).toBeLessThanOrEqual(Math.max(20, width) + 1e-9);
		}
	});

	test("keeps the token under the pointer, from the whole to one cell and back", () => {
		let frame = frameOf(LONG, 600, null);
		const [x, y] = [frame.x + 100, frame.y + 40];
		const under = () => [
			frame.key + (x - frame.x) / frame.cell,
			frame.query + (y - frame.y) / frame.cell,
		];
		const [key = 0, query = 0] = under();
		while (frame.cell < frame.cells[1]) {
			frame = frameOf(LONG, 600, zoomAt(frame, x, y, 1.7));
			expect(under()[0]).toBeCloseTo(key, 4);
			expect(under()[1]).toBeCloseTo(query, 4);
		}
		expect(frame.level).toBe(0);
		expect(zoomAt(frame, x, y, 1e-9)).toBeNull();
	});

	test("stays inside the matrix at every edge", () => {
		const close = frameOf(LONG, 600, { query: -50, key: 1e9, cell: 10 });
		expect(close.query).toBe(0);
		expect(tokensInView(close, "key", LONG.keys)[1]).toBe(LONG.keys);
		const far = frameOf(LONG, 600, panBy(close, 1e9, -1e9));
		expect(far.key).toBe(0);
		expect(tokensInView(far, "query", LONG.queries)[1]).toBe(LONG.queries);
	});

	test("needs few tiles, however long the text: as many as fit the screen", () => {
		const n = 32768;
		for (let cell = 520 / n; cell < 28; cell *= 1.9) {
			const frame = frameOf({ queries: n, keys: n }, 600, { query: 9000, key: 9000, cell });
			const [first, last] = tokensInView(frame, "key", n);
			expect((last - first) / (TILE * 2 ** frame.level)).toBeLessThanOrEqual(520 / TILE + 1);
		}
	});

	test("a cell outside is brought in by the least move", () => {
		const frame = frameOf(LONG, 600, { query: 100, key: 200, cell: 20 });
		const [, lastQuery] = tokensInView(frame, "query", LONG.queries);
		expect(reveal(frame, 110, 210)).toEqual({ query: 100, key: 200, cell: 20 });
		expect(reveal(frame, 60, null)).toEqual({ query: 60, key: 200, cell: 20 });
		const moved = frameOf(LONG, 600, reveal(frame, lastQuery + 30, 150));
		expect(tokensInView(moved, "query", LONG.queries)[1]).toBe(lastQuery + 31);
		expect(moved.key).toBe(150);
	});
});
