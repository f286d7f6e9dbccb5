import { describe, expect, test } from "vitest";
import { type Curve, drawCurves, drawnOf, topMass } from "../src/draw/lines";

const RED: Curve = { from: 10, to: 10, thickness: 3, colour: [200, 30, 10], alpha: 1 };

/** How much of each pixel column is covered, in pixels. */
function coverage(image: ImageData): number[] {
	return Array.from({ length: image.width }, (_, x) => {
		let sum = 0;
		for (let y = 0; y < image.height; y++)
			sum += (image.data[(y * image.width + x) * 4 + 3] as number) / 255;
		return sum;
	});
}

describe("curves", () => {
	test.each([
		0.4, 1, 2.5, 3,
	])("a level line of thickness %d covers that many pixels", (thickness) => {
		for (const y of [10, 10.3, 10.5, 10.99]) {
			const image = drawCurves([{ ...RED, from: y, to: y, thickness }], 7, 20);
			for (const sum of coverage(image)) expect(sum).toBeCloseTo(thickness, 1);
		}
	});

	test("a line lies where it is said to, in its colour, and nowhere else", () => {
		const image = drawCurves([RED], 5, 20);
		for (let y = 0; y < 20; y++) {
			const pixel = [...image.data.subarray(y * 20, y * 20 + 4)];
			// From 8.5 to 11.5: rows 9 and 10 whole, 8 and 11 by half.
			const alpha = y === 9 || y === 10 ? 255 : y === 8 || y === 11 ? 128 : 0;
			expect(pixel, `row ${y}`).toEqual(alpha ? [200, 30, 10, alpha] : [0, 0, 0, 0]);
		}
	});

	test("alpha thins the ink, and two lines over each other add up as glass does", () => {
		const faint = { ...RED, from: 10.5, to: 10.5, thickness: 1, alpha: 0.5 };
		const at = (10 * 5 + 2) * 4;
		expect(drawCurves([faint], 5, 20).data[at + 3]).toBe(128);
		const two = drawCurves([faint, { ...faint, colour: [0, 0, 255] }], 5, 20).data;
		expect(two[at + 3]).toBe(191);
		// The later one lies on top: two thirds of what is seen.
		expect(two[at + 2]).toBeGreaterThan(170);
		expect(two[at]).toBeLessThan(70);
	});

	test("a curve begins where it is said to on the left and ends so on the right", () => {
		const image = drawCurves([{ ...RED, from: 5, to: 45 }], 200, 50);
		const middle = (x: number) => {
			let sum = 0;
			let moment = 0;
			for (let y = 0; y < 50; y++) {
				const alpha = image.data[(y * 200 + x) * 4 + 3] as number;
				sum += alpha;
				moment += alpha * (y + 0.5);
			}
			return moment / sum;
		};
		expect(middle(0)).toBeCloseTo(5, 0);
		expect(middle(100)).toBeCloseTo(25, 0);
		expect(middle(199)).toBeCloseTo(45, 0);
	});

	test.each([0, 60, 300])("a line that climbs %d pixels has the ink of its length", (rise) => {
		const [width, thickness, from] = [100, 2, 20];
		const image = drawCurves([{ ...RED, from, to: from + rise, thickness }], width, rise + 40);
		const length = arcLength(width, rise);
		const ink = coverage(image).reduce((a, b) => a + b, 0);
		expect(ink / (thickness * length)).toBeCloseTo(1, 1);
	});

	test("a thin steep line is paler, not dashed: every row that it passes has some of its ink", () => {
		const image = drawCurves([{ ...RED, from: 0, to: 1000, thickness: 0.4 }], 60, 1000);
		const rows = Array.from({ length: 1000 }, (_, y) =>
			image.data.subarray(y * 240, (y + 1) * 240).some((byte) => byte > 0),
		);
		expect(rows.slice(20, -20)).not.toContain(false);
	});

	test("what lies outside of the picture is cut off, not moved or wrapped", () => {
		const cut = drawCurves([{ ...RED, from: 0, to: 0, thickness: 4 }], 5, 20);
		for (const sum of coverage(cut)) expect(sum).toBeCloseTo(2, 5);
		const below = drawCurves([{ ...RED, from: 20, to: 20, thickness: 4 }], 5, 20);
		for (const sum of coverage(below)) expect(sum).toBeCloseTo(2, 5);
		for (const y of [-30, 50]) {
			const image = drawCurves([{ ...RED, from: y, to: y }], 5, 20);
			expect(image.data.some((byte) => byte > 0)).toBe(false);
		}
	});

	test("downwards is the same picture, mirrored at its diagonal", () => {
		const curves = [
			{ ...RED, from: 5, to: 33 },
			{ ...RED, from: 30, to: 2, thickness: 0.6, alpha: 0.5 },
		];
		const right = drawCurves(curves, 23, 40);
		const down = drawCurves(curves, 23, 40, undefined, true);
		expect([down.width, down.height]).toEqual([40, 23]);
		for (let x = 0; x < 23; x++)
			for (let y = 0; y < 40; y++) {
				const [a, b] = [(y * 23 + x) * 4, (x * 40 + y) * 4];
				expect([...down.data.subarray(b, b + 4)]).toEqual([...right.data.subarray(a, a + 4)]);
			}
	});

	test("a line that leaves the picture is drawn as far as it is inside", () => {
		const whole = drawCurves([{ ...RED, from: 10, to: 200 }], 80, 220);
		const part = drawCurves([{ ...RED, from: 10, to: 200 }], 80, 60);
		expect([...part.data]).toEqual([...whole.data.subarray(0, 80 * 60 * 4)]);
	});
});

/** The length of y = rise (3 t^2 - 2 t^3) over the width, by fine steps. */
function arcLength(width: number, rise: number): number {
	const steps = 10_000;
	const y = (t: number) => rise * t * t * (3 - 2 * t);
	let length = 0;
	for (let i = 0; i < steps; i++)
		length += Math.hypot(width / steps, y((i + 1) / steps) - y(i / steps));
	return length;
}

describe("the largest weights that hold a share of a row", () => {
	const row = (...weights: number[]) => Float32Array.from(weights);

	test("of ten equal weights, 80 % is eight of them", () => {
		expect(topMass(new Float32Array(10).fill(0.1), 0.8)).toHaveLength(8);
		expect(topMass(new Float32Array(10).fill(0.1), 0.81)).toHaveLength(9);
	});

	test("one weight that holds all is alone", () => {
		expect(topMass(row(0, 0, 1, 0), 0.5)).toEqual([2]);
		expect(topMass(row(0, 0, 1, 0), 1)).toEqual([2]);
	});

	test("they come largest first, and only as many as needed", () => {
		expect(topMass(row(0.1, 0.4, 0.2, 0.3), 0.7)).toEqual([1, 3]);
		expect(topMass(row(0.1, 0.4, 0.2, 0.3), 0.71)).toEqual([1, 3, 2]);
		expect(topMass(row(0.1, 0.4, 0.2, 0.3), 1)).toEqual([1, 3, 2, 0]);
	});

	test("zeros are never drawn, not even as part of everything", () => {
		expect(topMass(new Float32Array(4), 0.8)).toEqual([]);
		expect(topMass(new Float32Array(4), 1)).toEqual([]);
		expect(topMass(row(0, 0.5, 0, 0.5), 1)).toEqual([1, 3]);
	});

	test("negative weights count by their size", () => {
		expect(topMass(row(0.125, -0.75, 0.0625), 0.75)).toEqual([1]);
		expect(topMass(row(0.125, -0.75, 0.0625), 1)).toEqual([1, 0, 2]);
	});
});

describe("what of a row has lines", () => {
	const ALL = { top_mass: 1, top_k: null, threshold: 0 };

	test("what has none is counted once, by the first limit that hides it", () => {
		const row = Float32Array.from([0.5, 0.2, 0.1, 0.1, 0.1]);
		const { indices, hidden, total } = drawnOf(
			row,
			{ top_mass: 0.85, top_k: 2, threshold: 0.15 },
			(i) => i !== 0,
		);
		expect(indices).toEqual([1]);
		expect(total).toBeCloseTo(1, 6);
		// Of 0.5 that may be drawn 85 % are four weights.
		expect(hidden.between).toBeCloseTo(0.5, 6);
		expect(hidden.top_mass).toBeCloseTo(0, 6);
		expect(hidden.top_k).toBeCloseTo(0.2, 6);
		expect(hidden.threshold).toBeCloseTo(0.1, 6);
	});

	test("nothing that may be drawn is no error, and all of it is hidden", () => {
		const { indices, hidden } = drawnOf(Float32Array.from([0.5, 0.5]), ALL, () => false);
		expect(indices).toEqual([]);
		expect(hidden.between).toBe(1);
	});

	test.each([0.3, 0.8, 0.999, 1])("of a long row the same as by sorting all of it: %d", (mass) => {
		const row = Float32Array.from(
			{ length: 5000 },
			(_, i) => (i % 7 ? 1 : -1) * ((i * 7919) % 4993) ** 4,
		);
		const order = [...row.keys()]
			.filter((i) => row[i] !== 0)
			.sort((a, b) => Math.abs(row[b] as number) - Math.abs(row[a] as number));
		const total = order.reduce((sum, i) => sum + Math.abs(row[i] as number), 0);
		let held = 0;
		const expected = order.filter((i) => {
			const wanted = held < (mass < 1 ? mass - 1e-6 : 2) * total;
			held += Math.abs(row[i] as number);
			return wanted;
		});
		expect(topMass(row, mass)).toEqual(expected);
		// A line may be a part of a larger buffer.
		const shifted = new Float32Array(5010);
		shifted.set(row, 10);
		expect(topMass(shifted.subarray(10), mass)).toEqual(expected);
	});
});
