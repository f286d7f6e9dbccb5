import { describe, expect, test } from "vitest";
import { inkOf, onScale, palette } from "../src/draw/colour";
import { contrast, oklab, over, type Rgba } from "./pixels";

const GROUNDS = { light: [255, 255, 255], dark: [20, 20, 23] } as const;
/** The text of special tokens, the faintest there is: --muted of the style sheet. */
const MUTED = { light: [0x6b, 0x6b, 0x76], dark: [0x9a, 0x9a, 0xa6] } as const;

function step(ramp: Uint8ClampedArray, i: number): Rgba {
	return [...ramp.subarray(i * 4, i * 4 + 4)] as unknown as Rgba;
}

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
	const colours = palette(theme === "dark");
	const ground = GROUNDS[theme];
	const away = theme === "dark" ? 1 : -1;

	test.each(["ramp", "coldRamp"] as const)("a larger weight never looks smaller: %s", (name) => {
		const lightness = Array.from(
			{ length: 256 },
			(_, i) => oklab(over(step(colours[name], i), ground))[0] * away,
		);
		const rounding = 0.004;
		for (let i = 1; i < 256; i++)
			expect(lightness[i], `step ${i}`).toBeGreaterThan((lightness[i - 1] as number) - rounding);
		for (let i = 16; i < 256; i += 16)
			expect(lightness[i], `step ${i}`).toBeGreaterThan((lightness[i - 16] as number) + 0.01);
	});

	test.each(["ramp", "coldRamp"] as const)("only nothing is clear: %s", (name) => {
		expect(step(colours[name], 0)[3]).toBe(0);
		expect(step(colours[name], 1)[3]).toBeGreaterThan(0);
		expect(step(colours[name], 255)[3]).toBe(255);
	});

	test("negative weights can't be taken for positive ones", () => {
		for (const i of [64, 128, 255]) {
			const [, a1, b1] = oklab(over(step(colours.ramp, i), ground));
			const [, a2, b2] = oklab(over(step(colours.coldRamp, i), ground));
			expect(Math.hypot(a1 - a2, b1 - b2)).toBeGreaterThan(0.05);
		}
	});

	test("no two of 32 heads have one colour, and neighbours differ at a glance", () => {
		const heads = Array.from({ length: 32 }, (_, head) => oklab(colours.head(head)));
		const distance = (i: number, j: number) => {
			const [a, b] = [heads[i], heads[j]] as [readonly number[], readonly number[]];
			return Math.hypot(...a.map((x, axis) => x - (b[axis] as number)));
		};
		for (let i = 0; i < 32; i++)
			for (let j = i + 1; j < 32; j++)
				expect(distance(i, j), `heads ${i} and ${j}`).toBeGreaterThan(j === i + 1 ? 0.15 : 0.035);
	});

	test.each([1, -1])("a token's text can be read on every shade, sign %d", (sign) => {
		const shades = inkOf(colours, "linear", 1);
		for (let i = 0; i <= 250; i++) {
			const weight = (sign * i) / 250;
			const [r, g, b, a] = numbersIn(shades.of(weight));
			const paper = over([r, g, b, a * 255], ground);
			const ink = shades.on(weight);
			const text = ink ? hexBytes(ink) : MUTED[theme];
			expect(contrast(text, paper), `weight ${weight}`).toBeGreaterThan(4.5);
		}
	});

	test("a log scale shows whatever isn't nothing, to the eye too", () => {
		const shades = inkOf(colours, "log", 1);
		const lightness = (weight: number) => {
			const [r, g, b, a] = numbersIn(shades.of(weight));
			return oklab(over([r, g, b, a * 255], ground))[0] * away;
		};
		expect(lightness(1e-30)).toBeGreaterThan(lightness(0) + 0.01);
	});
});

function numbersIn(css: string): [number, number, number, number] {
	return (css.match(/[\d.]+/g) ?? []).map(Number) as [number, number, number, number];
}

function hexBytes(hex: string): readonly [number, number, number] {
	const digits = hex.length === 4 ? hex.slice(1).replace(/./g, "$&$&") : hex.slice(1);
	return [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16)) as never;
}

test.each([
	["linear", [0.0001, 0.5, 1]],
	["sqrt", [0.01, Math.SQRT1_2, 1]],
	["log", [1 / 32, 1 - Math.log10(2) / 4, 1]],
] as const)("%s: ends at its largest weight, whatever the sign", (curve, [small, half, whole]) => {
	expect(onScale(0, 2, curve)).toBe(0);
	expect(onScale(2e-4, 2, curve)).toBeCloseTo(small, 9);
	expect(onScale(1, 2, curve)).toBeCloseTo(half, 9);
	expect(onScale(-1, 2, curve)).toBeCloseTo(half, 9);
	expect(onScale(2, 2, curve)).toBe(whole);
	expect(onScale(7, 2, curve)).toBe(whole);
});

test("the logarithmic scale gives each power of ten as much, and never falls", () => {
	const at = [1e-4, 1e-3, 1e-2, 1e-1, 1].map((weight) => onScale(weight, 1, "log"));
	expect(at.slice(1)).toEqual([0.25, 0.5, 0.75, 1].map((place) => expect.closeTo(place, 9)));
	for (let weight = 1e-6, last = 0; weight < 1; weight *= 1.1) {
		const place = onScale(weight, 1, "log");
		expect(place).toBeGreaterThanOrEqual(last);
		last = place;
	}
});
