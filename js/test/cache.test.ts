import { describe, expect, test } from "vitest";
import type { Description, Encoding, LineKey, TileKey, WeightsReply } from "../src/protocol.gen";
import { tileCount, WeightCache } from "../src/source/cache";
import { descriptionOf } from "./host";
import { encoded } from "./kernel";
import { columnOf, rowOf, type Weights, weightsOf } from "./weights";

/** Every weight differs from its neighbours in all four directions, and none is float32 by chance. */
const LARGE = weightsOf([2, 3, 300, 517], (layer, head, query, key) =>
	Math.sqrt(((layer * 3 + head) * 300 + query) * 517 + key),
);

function replyOf(
	encoding: Encoding,
	{ tiles = [], strips = [], rows = [], columns = [] }: Partial<WeightsReply>,
): WeightsReply {
	return {
		id: "",
		kind: "weights",
		tiles,
		strips,
		encoding,
		rows,
		columns,
		masses: [],
		spans: [],
		scores: false,
		progress: null,
	};
}

function tilesOf(queries: number, keys: number, layer: number, head: number): TileKey[] {
	return Array.from({ length: tileCount(queries, 0) }, (_, q) => q).flatMap((q) =>
		Array.from({ length: tileCount(keys, 0) }, (_, k) => [layer, head, 0, q, k, "max"] as const),
	);
}

/** The bytes of tiles, cut out of the matrices cell by cell. */
function bytesOf(weights: Weights, keys: readonly TileKey[], encoding: Encoding, scale: number) {
	const values = keys.flatMap(([layer, head, , queryTile, keyTile]) => {
		const tile: number[] = [];
		for (let q = queryTile * 256; q < Math.min(weights.queries, queryTile * 256 + 256); q++)
			for (let k = keyTile * 256; k < Math.min(weights.keys, keyTile * 256 + 256); k++)
				tile.push(weights.at(layer, head, q, k));
		return tile;
	});
	return encoded(values, encoding, scale);
}

function filled(encoding: Encoding, description: Description = descriptionOf(LARGE, false)) {
	const cache = new WeightCache(description);
	const tiles = tilesOf(300, 517, 1, 2);
	cache.putPixels(replyOf(encoding, { tiles }), bytesOf(LARGE, tiles, encoding, description.scale));
	return cache;
}

describe("rows and columns put together from tiles of 300 x 517", () => {
	test("there are two tiles down and three along", () => {
		expect([tileCount(300, 0), tileCount(517, 0)]).toEqual([2, 3]);
		expect([tileCount(517, 1), tileCount(513, 1), tileCount(512, 1)]).toEqual([2, 2, 1]);
	});

	test.each([0, 1, 255, 256, 299])("row %d is exact, border tiles too", (query) => {
		const line = filled("float32").line("row", [1, 2, query]);
		expect([...(line?.values ?? [])]).toEqual(rowOf(LARGE, 1, 2, query));
		expect(line?.exact).toBe(true);
	});

	test.each([0, 255, 256, 511, 516])("column %d is exact, border tiles too", (key) => {
		const line = filled("float32").line("column", [1, 2, key]);
		expect([...(line?.values ?? [])]).toEqual(columnOf(LARGE, 1, 2, key));
		expect(line?.exact).toBe(true);
	});

	test("from codes they are near, and say that they aren't exact", () => {
		const description = descriptionOf(LARGE, false, { scale: 1000 });
		const line = filled("quartic8", description).line("row", [1, 2, 270]);
		expect(line?.exact).toBe(false);
		const error = rowOf(LARGE, 1, 2, 270).map((w, k) => Math.abs((line?.values[k] ?? 0) / w - 1));
		expect(Math.max(...error)).toBeLessThan(0.01);
	});

	test("with one tile missing there is no line, instead of one with a hole", () => {
		const cache = new WeightCache(descriptionOf(LARGE, false));
		const tiles = tilesOf(300, 517, 0, 1).filter(([, , , q, k]) => q !== 1 || k !== 2);
		cache.putPixels(replyOf("float32", { tiles }), bytesOf(LARGE, tiles, "float32", 1));
		expect(cache.line("row", [0, 1, 0])).toBeDefined();
		expect(cache.line("row", [0, 1, 280])).toBeUndefined();
		expect(cache.line("column", [0, 1, 516])).toBeUndefined();
		expect(cache.line("column", [0, 1, 300])).toBeDefined();
		expect(cache.line("row", [1, 1, 0])).toBeUndefined();
	});

	test("exact tiles have the codes of their weights, so that both draw one picture", () => {
		const description = descriptionOf(LARGE, false, { scale: 1000 });
		const key: TileKey = [1, 2, 0, 1, 2, "max"];
		expect([...(filled("float32", description).tile(key)?.codes ?? [])]).toEqual([
			...(filled("quartic8", description).tile(key)?.codes ?? []),
		]);
	});
});

describe("lines read out", () => {
	const rows: LineKey[] = [
		[0, 2, 7],
		[1, 0, 299],
	];
	const columns: LineKey[] = [[0, 1, 516]];
	const values = [
		...rows.flatMap((key) => rowOf(LARGE, ...key)),
		...columns.flatMap((key) => columnOf(LARGE, ...key)),
	];

	test("rows come before columns, each of its own length", () => {
		const cache = new WeightCache(descriptionOf(LARGE, false));
		cache.putLines(replyOf("quartic8", { rows, columns }), encoded(values, "float32", 1));
		expect([...(cache.line("row", [1, 0, 299])?.values ?? [])]).toEqual(rowOf(LARGE, 1, 0, 299));
		expect([...(cache.line("column", [0, 1, 516])?.values ?? [])]).toEqual(
			columnOf(LARGE, 0, 1, 516),
		);
		expect(cache.line("column", [0, 2, 7])).toBeUndefined();
	});

	test("a line read out stands before one from codes", () => {
		const cache = filled("quartic8");
		const key: LineKey = [1, 2, 3];
		const exact = encoded(rowOf(LARGE, ...key), "float32", 1);
		cache.putLines(replyOf("quartic8", { rows: [key] }), exact);
		expect(cache.line("row", key)?.exact).toBe(true);
		expect(cache.line("row", [1, 2, 4])?.exact).toBe(false);
	});
});

describe("bytes that aren't what their header says", () => {
	test.each([-1, 1])("tiles: %d too many", (more) => {
		const cache = new WeightCache(descriptionOf(LARGE, false));
		const tiles = tilesOf(300, 517, 0, 0);
		const bytes = new Uint8Array(300 * 517 + more);
		expect(() => cache.putPixels(replyOf("quartic8", { tiles }), bytes)).toThrow("155100");
	});

	test.each([-4, 4])("lines: %d too many", (more) => {
		const cache = new WeightCache(descriptionOf(LARGE, false));
		const bytes = new Uint8Array(517 * 4 + more);
		const reply = replyOf("quartic8", { rows: [[0, 0, 0]] });
		expect(() => cache.putLines(reply, bytes)).toThrow("2068");
	});
});

describe("the bound", () => {
	const put = (cache: WeightCache, side: number, key: TileKey) =>
		cache.putPixels(replyOf("quartic8", { tiles: [key] }), new Uint8Array(side * side));

	test("of large tiles the least recently used goes, and memory stays bounded", () => {
		const cache = new WeightCache(
			descriptionOf({ layers: 1, heads: 1, queries: 256 * 40, keys: 256 * 40 }, true),
		);
		const keyOf = (i: number): TileKey => [0, 0, 0, Math.floor(i / 40), i % 40, "max"];
		for (let i = 0; i < 1200; i++) put(cache, 256, keyOf(i));
		expect(cache.tile(keyOf(0))).toBeDefined();
		for (let i = 1200; i < 1210; i++) put(cache, 256, keyOf(i));
		expect(cache.tile(keyOf(0)), "used a moment ago").toBeDefined();
		expect(cache.tile(keyOf(1)), "longest unused").toBeUndefined();
		const here = Array.from({ length: 1210 }, (_, i) => cache.tile(keyOf(i))).filter(Boolean);
		expect(here.length).toBeLessThanOrEqual(1200);
	});

	test("all heads of a large model fit where their tiles are small", () => {
		// 80 layers of 64 heads over 11 tokens: 0.6 MB, sent at once and never again.
		const weights = weightsOf([80, 64, 11, 11], (layer, head) => (layer * 64 + head) / 5120);
		const cache = new WeightCache(descriptionOf(weights, true));
		const tiles = Array.from({ length: 80 * 64 }, (_, i): TileKey => {
			return [Math.floor(i / 64), i % 64, 0, 0, 0, "max"];
		});
		cache.putPixels(replyOf("float32", { tiles }), bytesOf(weights, tiles, "float32", 1));
		expect(tiles.filter((key) => !cache.tile(key))).toEqual([]);
	});

	test("lines of very long texts are let go, the oldest first", () => {
		const keys = 4_000_000;
		const cache = new WeightCache(descriptionOf({ layers: 1, heads: 1, queries: 9, keys }, false));
		const bytes = new Uint8Array(keys * 4);
		for (let query = 0; query < 5; query++)
			cache.putLines(replyOf("quartic8", { rows: [[0, 0, query]] }), bytes);
		expect(cache.line("row", [0, 0, 0])).toBeUndefined();
		expect(cache.line("row", [0, 0, 1])).toBeDefined();
		expect(cache.line("row", [0, 0, 4])).toBeDefined();
	});

	test("a line that comes twice is counted once", () => {
		const keys = 4_000_000;
		const cache = new WeightCache(descriptionOf({ layers: 1, heads: 1, queries: 9, keys }, false));
		const bytes = new Uint8Array(keys * 4);
		for (const query of [0, 1, 1, 1, 1, 2])
			cache.putLines(replyOf("quartic8", { rows: [[0, 0, query]] }), bytes);
		expect(cache.line("row", [0, 0, 0])).toBeDefined();
	});
});
