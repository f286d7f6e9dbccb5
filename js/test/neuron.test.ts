import { describe, expect, test } from "vitest";
import { numberAt, stripOf } from "../src/draw/vectors";
import { clickAt, frame, hover, hoverAt, leave, press } from "./events";
import { mount, numbered, type Shown, softmaxWeights } from "./host";
import { weightsOf } from "./weights";

const WEIGHTS = softmaxWeights(2, 3, 7, 7);
const VIEW = { state: { view: ["text", "neuron"] as ("text" | "neuron")[], heads: [2, 0] } };
const ROW = 24;

/** The numbers of each key's row, as they are read, and its weight last. */
function rows(view: Shown): { token: string; steps: number[]; weight: number }[] {
	return view.all(".neuron .scroll .term").map((row) => {
		const texts = [...row.children].map((cell) => cell.textContent.replace("−", "-"));
		const [token = ""] = texts;
		const numbers = texts.slice(3).map(Number);
		return { token, steps: numbers.slice(0, -1), weight: numbers.at(-1) ?? Number.NaN };
	});
}

function scrollOf(view: Shown): HTMLElement {
	return view.one(".neuron .scroll");
}

describe("numbers add up on screen", () => {
	test("from the products to the weights that the other views show, of the first chosen head", async () => {
		const { open, settled } = mount(WEIGHTS, numbered(7), VIEW);
		const view = await open();
		await hover(view.token(4));
		await settled();
		expect(view.text(".neuron .title")).toContain("how “w4” reads: layer 0 · head 2");
		expect(view.text(".neuron .names")).toContain("exp(score − 0.5000) = weight");
		expect(rows(view)).toHaveLength(7);
		for (const [key, { token, steps, weight }] of rows(view).entries()) {
			const [product = 0, scaled = 0, bias = 0, score = 0] = steps;
			expect(token).toBe(`w${key}`);
			expect(scaled).toBeCloseTo(product / 2, 3);
			expect(score).toBeCloseTo(scaled + bias, 3);
			expect(weight).toBeCloseTo(Math.exp(score - 0.5), 3);
			expect(weight).toBeCloseTo(WEIGHTS.at(0, 2, 4, key), 4);
		}
	});

	test("a hovered cell says its dimension, and its row the whole sum", async () => {
		const { model, open, settled } = mount(WEIGHTS, numbered(7), VIEW);
		const view = await open();
		const left = view.all(".neuron .asks span")[1]?.offsetLeft ?? 0;
		await hoverAt(scrollOf(view), left + 12, 5 * ROW + 12);
		await settled();
		expect(model.get("hovered"), "the last query asks").toEqual([6, 5]);
		expect(view.text(".neuron .focused")).toMatch(/^w5/);
		const weight = WEIGHTS.at(0, 2, 6, 5);
		expect(view.text(".sums")).toContain("“w5” (5) · dimension 1: q 2.0000 × k 5.0000 = 10.0000");
		expect(view.text(".sums")).toContain(`− 0.5000) = ${weight.toFixed(6)}`);
		await leave(scrollOf(view));
		expect(view.text(".sums")).toContain("full at |q| 7.0000, |k| 4.0000, |q × k| 8.0000");
	});

	test("a sink has a row and a weight of its own", async () => {
		const { kernel, open } = mount(WEIGHTS, numbered(7), VIEW);
		kernel.sink = -1;
		const view = await open();
		expect(view.text(".neuron .terms > div:first-child .term:last-child")).toBe(
			`learned sink −1.0000${Math.exp(-1.5).toFixed(4)}`.replace("sink ", "sink"),
		);
	});

	test("a key that may not be read is said to be", async () => {
		const causal = weightsOf([1, 1, 5, 5], (_l, _h, q, k) => (k > q ? 0 : 1 / (q + 1)));
		const { model, open, settled } = mount(causal, numbered(5), { state: { view: ["neuron"] } });
		model.set("selected", [2, 3]);
		const view = await open();
		await settled();
		expect(view.text(".neuron .focused")).toBe("w3not readable0.0000");
		expect(view.text(".sums")).toContain("not readable: it comes later");
	});
});

describe("one's way", () => {
	test("a pointer that leaves the text leaves the query; a pin keeps it", async () => {
		const { model, open, settled } = mount(WEIGHTS, numbered(7), VIEW);
		const view = await open();
		await hover(view.token(3));
		await leave(view.one(".tokens"));
		await settled();
		expect(view.text(".neuron .title")).toContain("“w3” reads");
		await clickAt(scrollOf(view), 5, 2 * ROW + 4);
		expect(model.get("selected")).toEqual([3, 2]);
	});

	test("arrow keys move along the keys and the queries, Enter pins", async () => {
		const { model, open, settled } = mount(WEIGHTS, numbered(7), VIEW);
		const view = await open();
		for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowLeft"])
			await press(scrollOf(view), key);
		await settled();
		expect(model.get("hovered")).toEqual([4, 1]);
		expect(await press(scrollOf(view), "Enter"), "seen by the host").toBe(false);
		expect(model.get("selected")).toEqual([4, 1]);
		expect(await press(scrollOf(view), "Enter", { shiftKey: true }), "seen by the host").toBe(true);
	});

	test("sorted by weight, the strongest key is first and the row it says is its own", async () => {
		const { open, settled } = mount(WEIGHTS, numbered(7), VIEW);
		const view = await open();
		view.one(".neuron .title button").click();
		await settled();
		const found = rows(view);
		const weights = found.map(({ weight }) => weight);
		expect(weights).toEqual([...weights].sort((a, b) => b - a));
		for (const { token, weight } of found)
			expect(weight).toBeCloseTo(WEIGHTS.at(0, 2, 6, Number(token.slice(1))), 4);
		await hoverAt(scrollOf(view), 5, ROW / 2);
		expect(view.text(".sums")).toContain(`“${found[0]?.token}”`);
	});
});

test("of long texts only what is in view is asked for and in the document", async () => {
	const long = weightsOf([2, 8, 600, 600], (l, h, q, k) => (1 + ((l + h + q + k) % 97)) / 97);
	const { kernel, open, settled } = mount(long, numbered(600), { state: { view: ["neuron"] } });
	const view = await open();
	expect(rows(view).length).toBeLessThan(20);
	scrollOf(view).scrollTop = 300 * ROW;
	await frame();
	await settled();
	const found = rows(view);
	expect(found[0]?.token).toBe("w300");
	expect(found[0]?.weight).toBeCloseTo(long.at(0, 0, 599, 300), 4);
	const asked = kernel.requests.flatMap((request) =>
		request.kind === "terms" ? request.keys : [],
	);
	expect(asked.length).toBeLessThan(150);
	const before = kernel.asked("terms");
	scrollOf(view).scrollTop = 0;
	await frame();
	await settled();
	expect(kernel.asked("terms"), "what was seen is kept").toBe(before);
});

test("weights without queries and keys say why, and go on once there are some", async () => {
	const { model, kernel, open, settled } = mount(WEIGHTS, numbered(7), VIEW);
	kernel.why = "These weights came without <b>queries</b>.";
	const view = await open();
	expect(view.text(".sums")).toBe(kernel.why);
	expect(view.one(".neuron .terms").hidden).toBe(true);
	kernel.why = "";
	model.set("layer", 1);
	await settled();
	expect(rows(view)).toHaveLength(7);
});

describe("strips", () => {
	test.each([
		[32, 140, 1, 128],
		[128, 200, 1, 200],
		[256, 97, 3, 97],
	])("%i numbers in %i pixels take %i lines", (size, room, lines, width) => {
		const strip = stripOf(size, 10, room, 16);
		expect(strip.lines).toBe(lines);
		expect(Math.round(strip.width)).toBe(width);
		expect(strip.width / strip.columns).toBeGreaterThanOrEqual(1);
	});

	test("a place in a strip of several lines is a number of its own", () => {
		const strip = stripOf(256, 10, 97, 15);
		const found = new Set<number | undefined>();
		for (let y = 0.5; y < 15; y++)
			for (let x = 10.01; x < 10 + strip.width; x += strip.width / strip.columns)
				found.add(numberAt(strip, x, y));
		for (let number = 0; number < 256; number++) expect(found.has(number)).toBe(true);
		expect(numberAt(strip, 9, 3)).toBeUndefined();
		expect(numberAt(strip, 20, -1)).toBeUndefined();
	});
});
