import { describe, expect, test } from "vitest";
import { pinned } from "../src/pins";
import type { Pointer, TileKey } from "../src/protocol.gen";
import { combined, focusOf, readingOf, receivedBy } from "../src/scene";
import { WeightCache } from "../src/source/cache";
import type { Reader } from "../src/source/source";
import { descriptionOf } from "./host";
import { encoded } from "./kernel";
import { columnOf, rowOf, type Weights, weightsOf } from "./weights";

describe("what is looked at", () => {
	const alone = { queries: [], keys: [], pair: null, together: null };

	test("a hovered token is looked at in both roles, and isn't a pair with itself", () => {
		expect(focusOf([], [2, 2], "token")).toEqual({
			query: 2,
			key: 2,
			queries: [2],
			keys: [2],
			pair: null,
			together: null,
		});
	});

	test("a hovered cell is a pair, on the diagonal too", () => {
		expect(focusOf([], [2, 5], "cell").pair).toEqual([2, 5]);
		expect(focusOf([], [2, 2], "cell").pair).toEqual([2, 2]);
	});

	test("half a pointer is a row or a column, not query or key 0", () => {
		expect(focusOf([], [3, null], "token")).toMatchObject({ query: 3, key: null, pair: null });
		expect(focusOf([], [null, 4], "token")).toMatchObject({ query: null, key: 4, pair: null });
		expect(focusOf([], [0, null], "cell").pair).toBeNull();
	});

	test("a pin keeps its row and column while another token is hovered", () => {
		const focus = (pin: Pointer, hovered: Pointer) => focusOf([pin], hovered, "token");
		expect(focus([1, 1], [5, 5])).toMatchObject({ query: 1, key: 1, pair: [1, 5] });
		expect(focus([1, null], [null, 5])).toMatchObject({ query: 1, key: 5, pair: [1, 5] });
		expect(focus([null, 4], [3, null])).toMatchObject({ query: 3, key: 4, pair: [3, 4] });
	});

	test("a hovered cell is read out even while another is pinned", () => {
		const focus = focusOf([[1, 2]], [5, 6], "cell");
		expect(focus).toMatchObject({ query: 1, key: 2, pair: [5, 6], together: null });
	});

	test("a pinned cell stays a pair when the pointer has left", () => {
		expect(focusOf([[1, 2]], null, "token").pair).toEqual([1, 2]);
	});

	test.each([null, [null, null]] as (Pointer | null)[])("nothing is nothing: %j", (hovered) => {
		expect(focusOf([], hovered, "token")).toEqual({ query: null, key: null, ...alone });
	});

	test("of several pins each token counts once in a role, whatever view it was pinned in", () => {
		const pins: Pointer[] = [
			[5, null],
			[null, 3],
			[5, 5],
			[2, 2],
		];
		expect(focusOf(pins, [6, 6], "token")).toMatchObject({ queries: [5, 2], keys: [3, 5, 2] });
	});

	test("a token hovered beside several pins is a pair with all of them", () => {
		const pins: Pointer[] = [
			[1, 1],
			[4, 4],
		];
		expect(focusOf(pins, [6, 6], "token")).toMatchObject({ pair: [1, 6], together: "query" });
		expect(focusOf(pins, [1, 6], "cell"), "a cell").toMatchObject({
			pair: [1, 6],
			together: null,
		});
		expect(focusOf(pins, null, "token").pair, "no one pair").toBeNull();
	});

	test("two pinned queries and a pinned key are a pair: what both read of it", () => {
		const pins: Pointer[] = [
			[1, null],
			[4, null],
			[null, 6],
		];
		expect(focusOf(pins, null, "token")).toMatchObject({ pair: [1, 6], together: "query" });
	});
});

describe("pinning", () => {
	test.each([
		[
			"by itself it is the only one",
			[
				[1, 1],
				[2, 2],
			],
			[3, 3],
			false,
			[[3, 3]],
		],
		["by itself again it is released", [[3, 3]], [3, 3], false, []],
		[
			"one of several by itself stays alone",
			[
				[3, 3],
				[4, 4],
			],
			[3, 3],
			false,
			[[3, 3]],
		],
		[
			"with the others it comes last",
			[[1, 1]],
			[3, 3],
			true,
			[
				[1, 1],
				[3, 3],
			],
		],
		[
			"with the others again it is taken away",
			[
				[1, 1],
				[3, 3],
			],
			[1, 1],
			true,
			[[3, 3]],
		],
		["as a query of both roles only that is released", [[3, 3]], [3, null], true, [[null, 3]]],
		[
			"of two roles both are released",
			[
				[3, null],
				[null, 3],
			],
			[3, 3],
			true,
			[],
		],
		[
			"one role of two is completed",
			[[3, null]],
			[3, 3],
			true,
			[
				[3, null],
				[3, 3],
			],
		],
		[
			"a cell between pinned ones is added",
			[
				[2, 5],
				[3, 6],
			],
			[2, 6],
			true,
			[
				[2, 5],
				[3, 6],
				[2, 6],
			],
		],
		[
			"a cell again is taken away",
			[
				[2, 5],
				[2, 6],
			],
			[2, 6],
			true,
			[[2, 5]],
		],
	] as [string, Pointer[], Pointer, boolean, Pointer[]][])("%s", (_, pins, pointer, also, then) => {
		expect(pinned(pins, pointer, also)).toEqual(then);
	});
});

/** A reader of a cache that has every tile: real numbers, nothing to ask. */
function readerOf(weights: Weights): { reader: Reader; table: Float32Array } {
	const cache = new WeightCache(descriptionOf(weights, false));
	for (let layer = 0; layer < weights.layers; layer++)
		for (let head = 0; head < weights.heads; head++) {
			const key: TileKey = [layer, head, 0, 0, 0, "max"];
			const rows = Array.from({ length: weights.queries }, (_, q) => q);
			const values = rows.flatMap((query) => rowOf(weights, layer, head, query));
			cache.putPixels(
				{
					id: "",
					kind: "weights",
					tiles: [key],
					strips: [],
					encoding: "float32",
					rows: [],
					columns: [],
					masses: [],
					spans: [],
					scores: false,
					progress: null,
				},
				encoded(values, "float32", 1),
			);
		}
	const reader: Reader = {
		collect(draw) {
			draw();
			return true;
		},
		tile: (key) => cache.tile(key),
		peek: (key) => cache.tile(key),
		strip: (key) => cache.strip(key),
		scores: () => undefined,
		terms: () => undefined,
		mass: () => undefined,
		span: () => undefined,
		line: (axis, key) => cache.line(axis, key),
	};
	return { reader, table: cache.table };
}

describe("numbers put together over heads", () => {
	const weights = weightsOf([2, 3, 5, 7], (l, h, q, k) => (l + 2 * h + 3 * q + 5 * k) / 64);
	const { reader, table } = readerOf(weights);

	test("a reading has a line a head in their order, and their mean", () => {
		const row = readingOf(reader, "row", 1, [0, 2], 4, true);
		expect(row?.lines.map((line) => [...line.values])).toEqual([
			rowOf(weights, 1, 0, 4),
			rowOf(weights, 1, 2, 4),
		]);
		expect([...(row?.mean ?? [])]).toEqual(rowOf(weights, 1, 1, 4));
		const column = readingOf(reader, "column", 0, [1], 6, true);
		expect([...(column?.mean ?? [])]).toEqual(columnOf(weights, 0, 1, 6));
	});

	test("several tokens' readings are one: the mean or the sum of each head's lines", () => {
		const readings = [0, 4].map((query) => readingOf(reader, "row", 1, [0, 2], query, true));
		const sumOf = (head: number) =>
			rowOf(weights, 1, head, 0).map((weight, k) => weight + weights.at(1, head, 4, k));
		const sum = combined(readings, "sum");
		expect(sum?.lines.map(({ values }) => [...values])).toEqual([sumOf(0), sumOf(2)]);
		expect([...(sum?.mean ?? [])]).toEqual(sumOf(1));
		const mean = combined(readings, "mean");
		expect([...(mean?.mean ?? [])]).toEqual(sumOf(1).map((weight) => weight / 2));
		expect(sum?.parts).toEqual(readings);
	});

	test("one token's reading is itself, and of several none may be missing", () => {
		const row = readingOf(reader, "row", 1, [0, 2], 4, true);
		expect(combined([row], "sum")).toBe(row);
		expect(combined([row, undefined], "mean")).toBeUndefined();
		expect(combined([], "mean")).toBeUndefined();
	});

	test("what isn't here makes no mean of the rest", () => {
		expect(readingOf(reader, "row", 1, [0, 3], 4, true)).toBeUndefined();
	});

	test("what a key receives is the mean of its column over the heads", () => {
		const received = receivedBy(reader, descriptionOf(weights, false), table, 1, [0, 2]);
		const expected = Array.from({ length: 7 }, (_, key) => {
			const all = [...columnOf(weights, 1, 0, key), ...columnOf(weights, 1, 2, key)];
			return all.reduce((a, b) => a + b, 0) / all.length;
		});
		for (const [key, mean] of expected.entries()) expect(received?.[key]).toBeCloseTo(mean, 6);
	});
});
