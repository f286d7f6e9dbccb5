import { describe, expect, test } from "vitest";
import { frame, hoverAt, press } from "./events";
import { mount, numbered, type Shown } from "./host";
import { hasInk, pixelAt } from "./pixels";
import { columnOf, rowOf, weightsOf } from "./weights";

const [QUERIES, KEYS, CELL, MARGIN, GAP, LENGTH] = [7, 5, 28, 84, 6, 40];
const WEIGHTS = weightsOf([1, 2, QUERIES, KEYS], (_, head, query, key) => {
	return (((query * KEYS + key) * 17 + head * 11) % 41) / 160;
});
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const margins = (view: Shown) => view.one<HTMLCanvasElement>(".margins");

/** How far the ink goes from a place, in a direction. */
function lengthFrom(view: Shown, x: number, y: number, dx: number, dy: number): number {
	let length = 0;
	while (length < 60 && pixelAt(margins(view), x + dx * length, y + dy * length)[3] > 60) length++;
	return length;
}

test("bars are as long as rows' sums, and columns' means on the colours' scale: not the transpose", async () => {
	const view = await mount(WEIGHTS, numbered(QUERIES, "q"), {
		keyWords: numbered(KEYS, "k"),
		state: { view: ["matrix"], heads: [1] },
	}).open();
	const means = Array.from(
		{ length: KEYS },
		(_, key) => sum(columnOf(WEIGHTS, 0, 1, key)) / QUERIES,
	);
	for (let query = 0; query < QUERIES; query++) {
		const y = MARGIN + (query + 0.4) * CELL;
		const length = lengthFrom(view, MARGIN + KEYS * CELL + GAP, y, 1, 0);
		expect(Math.abs(length - sum(rowOf(WEIGHTS, 0, 1, query)) * LENGTH)).toBeLessThan(1.6);
	}
	for (const [key, mean] of means.entries()) {
		const x = MARGIN + (key + 0.4) * CELL;
		const length = lengthFrom(view, x, MARGIN + QUERIES * CELL + GAP, 0, 1);
		expect(Math.abs(length - Math.sqrt(mean / Math.max(...means)) * LENGTH)).toBeLessThan(1.6);
	}
});

test("under the pointer they are numbers, over the chosen heads", async () => {
	const { model, open } = mount(WEIGHTS, numbered(QUERIES, "q"), {
		keyWords: numbered(KEYS, "k"),
		state: { view: ["matrix"], heads: [0, 1] },
	});
	const view = await open();
	expect(view.text(".matrix .at")).toBe("");
	model.set("hovered", [4, 2]);
	await frame();
	const of = (head: number) => [rowOf(WEIGHTS, 0, head, 4), columnOf(WEIGHTS, 0, head, 2)] as const;
	const [row, column] = view
		.text(".matrix .at")
		.match(/row sum (?:≈ )?([\d.]+) · column mean (?:≈ )?([\d.]+)$/)
		?.slice(1)
		.map(Number) as [number, number];
	expect(row).toBeCloseTo((sum(of(0)[0]) + sum(of(1)[0])) / 2, 1);
	expect(column).toBeCloseTo((sum(of(0)[1]) + sum(of(1)[1])) / 2 / QUERIES, 2);
	model.set("hovered", [4, null]);
	await frame();
	expect(view.text(".matrix .at")).toMatch(/^row sum/);
	expect(view.text(".matrix .at")).not.toContain("column");
});

describe("of 1500 x 1200, pooled", () => {
	const [queries, keys] = [1500, 1200];
	// Every fifth key is read with 1/240, so that each row sums to 1; one key in two rows with more.
	const weights = weightsOf([1, 4, queries, keys], (_, __, query, key) =>
		(key + query) % 5 === 0 ? 1 / 240 : key === 7 && query < 2 ? 0.5 : 0,
	);
	const start = async (pooling: "max" | "mean") => {
		const mounted = mount(weights, numbered(queries, "q"), {
			keyWords: numbered(keys, "k"),
			state: { view: ["matrix"], pooling },
		});
		const view = await mounted.open();
		return { ...mounted, view, stage: view.one(".stage") };
	};
	const number = (text: string, name: string) =>
		Number(text.match(new RegExp(`${name} ≈ ([\\d.e-]+)`))?.[1]);

	test.each([
		"max",
		"mean",
	] as const)("%s: sums are those of the weights, not of what is drawn", async (pooling) => {
		const { model, view, settled } = await start(pooling);
		model.set("hovered", [900, 801]);
		await settled();
		await expect.poll(() => view.text(".matrix .at")).toContain("row sum");
		const text = view.text(".matrix .at");
		expect(number(text, "row sum")).toBeCloseTo(1, 1);
		expect(number(text, "column mean")).toBeCloseTo(1 / 1200, 4);
	});

	test("a pooled cell has its own value, beside the exact weight in the read-out", async () => {
		const { model, view, settled } = await start("max");
		model.set("hovered", [0, 5]);
		await settled();
		expect(view.text(".matrix .at")).toMatch(/^max of 4 × 4 weights here: ≈ 0.5/);
		expect(view.text(".readout .weight")).toBe("0.0042");
		model.set("pooling", "mean");
		await settled();
		// Three of 16 with 1/240, and twice a half.
		expect(view.text(".matrix .at")).toMatch(/^mean of 4 × 4 weights here: ≈ 0.06/);
	});

	test("zoomed in, they are of what is in view", async () => {
		const { model, view, stage, settled } = await start("max");
		for (let i = 0; i < 12; i++) await press(stage, "+");
		await settled();
		const [from = 0, to = 0] = (view.text(".matrix .remark").match(/keys (\d+)–(\d+)/) ?? [])
			.slice(1)
			.map(Number);
		const query = Number(view.text(".matrix .remark").match(/queries (\d+)/)?.[1]) + 2;
		model.set("hovered", [query, from + 1]);
		await settled();
		const read = Array.from({ length: to + 1 - from }, (_, i) => weights.at(0, 0, query, from + i));
		expect(number(view.text(".matrix .at"), "row sum in view")).toBeCloseTo(sum(read), 2);
		model.set("hovered", [query > 750 ? 3 : 1400, null]);
		await settled();
		expect(view.text(".matrix .at"), "of a row out of view there is no sum").not.toContain("row");
	});

	test("until their tiles are here there are none, and the cells are drawn meanwhile", async () => {
		const mounted = mount(weights, numbered(queries), {
			keyWords: numbered(keys, "k"),
			state: { view: ["matrix"] },
		});
		mounted.kernel.answering = (request) =>
			request.kind !== "weights" || request.tiles.every((key) => key[5] !== "mean");
		const view = mounted.render();
		await expect.poll(() => view.one(".explorer").ariaBusy).toBe("false");
		await hoverAt(view.one(".stage"), 200, 200);
		expect(hasInk(view.one(".stage canvas"))).toBe(true);
		const picture = view.one<HTMLCanvasElement>(".stage canvas");
		picture.getContext("2d")?.clearRect(0, 0, 2000, 2000);
		await hoverAt(view.one(".stage"), 220, 220);
		expect(hasInk(picture), "a hover draws no cell anew while sums are waited for").toBe(false);
		expect(view.text(".matrix .at")).not.toContain("sum");
		mounted.kernel.resume();
		await mounted.settled();
		await expect.poll(() => view.text(".matrix .at")).toContain("row sum");
	});
});
