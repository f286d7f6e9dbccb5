import { describe, expect, test } from "vitest";
import type { Pointer, TileKey } from "../src/protocol.gen";
import { focusOf, readingOf, receivedBy } from "../src/scene";
import { WeightCache } from "../src/source/cache";
import type { Reader } from "../src/source/source";
import { descriptionOf } from "./host";
import { encoded } from "./kernel";
import { columnOf, rowOf, type Weights, weightsOf } from "./weights";

describe("what is looked at", () => {
	test("a hovered token is looked at in both roles, and isn't a pair with itself", () => {
		expect(focusOf(null, [2, 2], "token")).toEqual({ query: 2, key: 2, pair: null });
	});

	test("a hovered cell is a pair, on the diagonal too", () => {
		expect(focusOf(null, [2, 5], "cell").pair).toEqual([2, 5]);
		expect(focusOf(null, [2, 2], "cell").pair).toEqual([2, 2]);
	});

	test("half a pointer is a row or a column, not query or key 0", () => {
		expect(focusOf(null, [3, null], "token")).toEqual({ query: 3, key: null, pair: null });
		expect(focusOf(null, [null, 4], "token")).toEqual({ query: null, key: 4, pair: null });
		expect(focusOf(null, [0, null], "cell").pair).toBeNull();
	});

	test("a pin keeps its row and column while another token is hovered", () => {
		expect(focusOf([1, 1], [5, 5], "token")).toEqual({ query: 1, key: 1, pair: [1, 5] });
		expect(focusOf([1, null], [null, 5], "token")).toEqual({ query: 1, key: 5, pair: [1, 5] });
		expect(focusOf([null, 4], [3, null], "token")).toEqual({ query: 3, key: 4, pair: [3, 4] });
	});

	test("a hovered cell is read out even while another is pinned", () => {
		expect(focusOf([1, 2], [5, 6], "cell")).toEqual({ query: 1, key: 2, pair: [5, 6] });
	});

	test("a pinned cell stays a pair when the pointer has left", () => {
		expect(focusOf([1, 2], null, "token").pair).toEqual([1, 2]);
	});

	test.each([
		[null, null],
		[null, [null, null]],
	] as [null, Pointer | null][])("nothing is nothing: %j %j", (selected, hovered) => {
		expect(focusOf(selected, hovered, "token")).toEqual({ query: null, key: null, pair: null });
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
