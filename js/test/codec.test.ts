import { describe, expect, test } from "vitest";
import { onScale } from "../src/draw/colour";
import { bytesOf, decodeTable, encode, inflate } from "../src/source/codec";
import { deflate, encoded } from "./kernel";

/** Weights over eight orders of magnitude, and evenly from 0 to 1. */
const WEIGHTS = [
	...Array.from({ length: 500 }, (_, i) => 10 ** (-8 * (i / 499))),
	...Array.from({ length: 500 }, (_, i) => i / 499),
	0.5 ** 30,
	1e-30,
];

describe.each([0.02, 1, 7])("with a scale of %d", (scale) => {
	const within = (signed: boolean) => (weight: number) => {
		const back = decodeTable(signed, scale)[encode(weight, signed, scale)] as number;
		return Math.abs(onScale(back, scale) - onScale(weight, scale)) * Math.sign(back * weight || 1);
	};

	test("a byte's colour is within one step of 255 of its weight's", () => {
		const error = within(false);
		for (const weight of WEIGHTS) expect(error(weight * scale)).toBeLessThan(1 / 255);
	});

	test("with a sign, within one step of 127, and never of the other sign", () => {
		const error = within(true);
		for (const weight of [...WEIGHTS, ...WEIGHTS.map((w) => -w)]) {
			const off = error(weight * scale);
			expect(off).toBeGreaterThanOrEqual(0);
			expect(off).toBeLessThan(1 / 127);
		}
	});

	test("nothing that isn't zero becomes zero, and zero stays zero", () => {
		for (const signed of [false, true]) {
			const table = decodeTable(signed, scale);
			const zero = encode(0, signed, scale);
			expect(table[zero]).toBe(0);
			for (const weight of signed ? [1e-30, -1e-30, 1e-12, -1e-12] : [1e-30, 1e-12]) {
				const code = encode(weight * scale, signed, scale);
				expect(code, `${weight}`).not.toBe(zero);
				expect(Math.sign(table[code] as number)).toBe(Math.sign(weight));
			}
		}
	});

	test("the codes are those that Python writes", () => {
		const scaled = WEIGHTS.map((weight) => weight * scale);
		expect(scaled.map((w) => encode(w, false, scale))).toEqual([
			...encoded(scaled, "quartic8", scale),
		]);
		const signs = [...scaled, ...scaled.map((w) => -w)];
		expect(signs.map((w) => encode(w, true, scale))).toEqual([...encoded(signs, "signed8", scale)]);
	});

	test("what is beyond the scale has its last code", () => {
		expect(encode(scale * 9, false, scale)).toBe(255);
		expect(encode(scale * 9, true, scale)).toBe(255);
		expect(encode(scale * -9, true, scale)).toBe(1);
	});
});

test("a view's bytes are its own, not those of the buffer that it is a window of", () => {
	const buffer = Uint8Array.from([9, 9, 1, 2, 3, 9]).buffer;
	expect([...bytesOf(new DataView(buffer, 2, 3))]).toEqual([1, 2, 3]);
});

test("zlib from a window of a larger buffer is inflated", async () => {
	const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) % 251);
	expect([...(await inflate(bytesOf(await deflate(bytes))))]).toEqual([...bytes]);
});

test("what isn't zlib is refused, not drawn", async () => {
	await expect(inflate(Uint8Array.from([1, 2, 3, 4]))).rejects.toThrow();
});
