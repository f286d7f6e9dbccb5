import { describe, expect, onTestFinished, test } from "vitest";
import type { Axis, Encoding, Pooling, Reduction, StripKey, TileKey } from "../src/protocol.gen";
import { KernelSource } from "../src/source/kernel";
import { Pool } from "../src/source/pool";
import type { Reader } from "../src/source/source";
import { descriptionOf } from "./host";
import { Kernel } from "./kernel";
import { numbered, tokenTable, type Weights, weightsOf } from "./weights";

/** Borders in each axis and at each level, two tiles of queries and three of keys. */
const SHAPE = [2, 3, 300, 517] as const;
const QUERIES = SHAPE[2];
const KEYS = SHAPE[3];
const POSITIVE = weightsOf(SHAPE, (layer, head, query, key) => {
	return (((query * 31 + key * 17 + layer * 7 + head * 13) % 1009) / 1009) ** 2;
});
const SIGNED = weightsOf(SHAPE, (...at) => POSITIVE.at(...at) - 0.37);
/** So many that they come as codes, not as float32. */
const MANY = { ...POSITIVE, layers: 3 };

const everything = (reader: Reader) =>
	expect.poll(() => reader.peek([0, 0, 0, 0, 0, "max"]), { interval: 5 }).toBeDefined();

/** A reader of the weights once all of them came, and a kernel that pools by itself. */
async function whole(weights: Weights, encoding: Encoding) {
	const tokens = [numbered(QUERIES, "q"), numbered(KEYS, "k")].map(tokenTable);
	const kernel = new Kernel(weights, ...(tokens as [never, never]), { encoding });
	const life = new AbortController();
	onTestFinished(() => life.abort());
	const description = descriptionOf(weights, false, { encoding });
	const nothing = { header: null, buffer: null };
	const source = new KernelSource(description, nothing, life.signal);
	const reader = source.reader(life.signal);
	source.connect(Promise.resolve(kernel.model.wrapped()));
	await everything(reader);
	return { kernel, reader };
}

function expectCodes(codes: Uint8Array | undefined, right: Uint8Array, exactly: boolean): void {
	expect(codes?.length).toBe(right.length);
	const off = right.map((code, i) => Math.abs(code - (codes?.[i] ?? Number.NaN)));
	// Sums of float32 and of float64 may round to neighbouring codes.
	expect(off.reduce((a, b) => Math.max(a, b), 0)).toBeLessThanOrEqual(exactly ? 0 : 1);
}

const TILES: readonly [level: number, q: number, k: number][] = [
	[1, 0, 0],
	[1, 0, 1],
	[2, 0, 0],
	[3, 0, 0],
	[9, 0, 0],
	[10, 0, 0],
];
const LINES: readonly [index: number, axis: Axis][] = [
	[299, "row"],
	[516, "column"],
	[270, "column"],
];

test.each([
	["float32", POSITIVE, "quartic8"],
	["signed float32", SIGNED, "signed8"],
	["codes", MANY, "quartic8"],
] as const)("what came whole as %s is pooled as the kernel pools", async (sent, weights, encoding) => {
	const { kernel, reader } = await whole(weights, encoding);
	for (const pooling of ["max", "mean"] as const) {
		for (const [level, q, k] of TILES) {
			const key: TileKey = [1, 2, level, q, k, pooling];
			const tile = reader.tile(key);
			expectCodes(tile?.codes, kernel.tileCodes(key), pooling === "max");
			expect(tile?.rows).toBe(Math.ceil(QUERIES / 2 ** level));
			expect(tile?.columns).toBe(Math.min(256, Math.ceil(KEYS / 2 ** level) - 256 * k));
		}
		for (const level of [0, 1, 4, 10])
			for (const [index, axis] of LINES) {
				const key: StripKey = [1, 2, index, level, pooling, axis];
				const exactly = pooling === "max" || sent !== "codes";
				expectCodes(reader.strip(key), kernel.stripCodes(key), exactly);
			}
	}
	expect(kernel.asked("weights")).toBe(0);
});

describe("a pool of a few weights", () => {
	const pooled = (values: number[], width: number, level: number, pooling: Pooling) => {
		const side = 2 ** level;
		const rows = Math.ceil(values.length / width / side);
		const pool = new Pool(rows, Math.ceil(width / side), level, pooling);
		pool.add(Float32Array.from(values), width, 0, 0);
		return [...pool.cells()];
	};

	test("a cell at the border is the mean of what it has, not of what would fit", () => {
		expect(pooled([1, 2, 3, 4, 5, 6, 7, 8, 9], 3, 1, "mean")).toEqual([3, 4.5, 7.5, 9]);
	});

	test("the largest of signed weights is the largest in size, with its sign", () => {
		expect(pooled([0.25, -0.5, -0.125, 0.375], 2, 1, "max")).toEqual([-0.5]);
	});

	test.each([
		[0.5, -0.5],
		[-0.5, 0.5],
	])("of two that are as large the one above zero is shown: %d, %d", (a, b) => {
		expect(pooled([a, b], 2, 1, "max")).toEqual([0.5]);
	});

	test("blocks are added at their places", () => {
		const pool = new Pool(2, 3, 1, "mean" satisfies Reduction);
		for (const [row, column, weight] of [
			[0, 0, 1],
			[0, 4, 2],
			[2, 0, 3],
			[2, 2, 4],
		] as const)
			pool.add(Float32Array.of(weight, weight, weight, weight), 2, row, column);
		expect([...pool.cells()]).toEqual([1, Number.NaN, 2, 3, 4, Number.NaN]);
	});
});
