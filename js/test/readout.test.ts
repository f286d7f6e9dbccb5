import { describe, expect, test } from "vitest";
import { click, frame, hover } from "./events";
import { mount, numbered, type Shown, softmaxWeights } from "./host";
import { columnOf, rowOf, weightsOf } from "./weights";

const WEIGHTS = softmaxWeights(3, 4, 7, 5);
const WORDS = ["[CLS]", "The", "cat", "sat", "because", "it", "[SEP]"];
const KEY_WORDS = numbered(5, "k");

/** The readout's items: what each says it is, and its text. */
function itemsOf(view: Shown): Record<string, string> {
	return Object.fromEntries(
		view.all(".readout .item").map((item) => {
			const [label, text] = [item.children[0], item.children[1]];
			return [label?.textContent ?? "", (text?.textContent ?? "").replace(/\s+/g, " ").trim()];
		}),
	);
}

const crossing = (state: object) => mount(WEIGHTS, WORDS, { keyWords: KEY_WORDS, state });

test("a pair's weight has four digits of the float32 itself, not of its byte", async () => {
	const { model, open } = crossing({ layer: 2, heads: [3] });
	const view = await open();
	for (const [query, key] of [
		[6, 0],
		[1, 4],
		[0, 3],
	] as const) {
		model.set("hovered", [query, key]);
		await frame();
		expect(itemsOf(view)).toMatchObject({
			[`“${WORDS[query]}” (${query}) reads “k${key}” (${key})`]: WEIGHTS.at(
				2,
				3,
				query,
				key,
			).toFixed(4),
		});
	}
});

test("what a token reads and what reads it: the three strongest, strongest first", async () => {
	const { model, open } = crossing({ layer: 1, heads: [2] });
	const view = await open();
	model.set("hovered", [4, 2]);
	await frame();
	const strongest = (values: readonly number[], words: readonly string[]) =>
		[...values.keys()]
			.sort((a, b) => (values[b] as number) - (values[a] as number))
			.slice(0, 3)
			.map((i) => `${words[i]} ${(values[i] as number).toFixed(4)}`);
	const listed = (label: string) => {
		const item = view.all(".item").find((el) => el.firstElementChild?.textContent === label);
		return [...(item?.querySelectorAll(".read") ?? [])].map((el) => el.textContent);
	};
	expect(listed("“because” (4) reads")).toEqual(strongest(rowOf(WEIGHTS, 1, 2, 4), KEY_WORDS));
	expect(listed("“k2” (2) is read by")).toEqual(strongest(columnOf(WEIGHTS, 1, 2, 2), WORDS));
});

test("several heads: a number each in the order of the heads, and none of a head that isn't shown", async () => {
	const { model, open } = crossing({ layer: 0, heads: [0, 1, 3] });
	const view = await open();
	model.set("hovered", [5, 1]);
	await frame();
	expect(view.all(".of-head").map((el) => el.textContent)).toEqual(
		[0, 1, 3].map((head) => `${head} ${WEIGHTS.at(0, head, 5, 1).toFixed(4)}`),
	);
});

test("a pin and a hovered token make a pair", async () => {
	const words = numbered(7);
	const weights = softmaxWeights(1, 2, 7, 7);
	const { open } = mount(weights, words);
	const view = await open();
	await click(view.token(2));
	await hover(view.token(6));
	expect(itemsOf(view)).toMatchObject({
		"“w2” (2) reads “w6” (6)": weights.at(0, 0, 2, 6).toFixed(4),
	});
});

describe("the share that isn't drawn", () => {
	const notDrawn = (view: Shown) => itemsOf(view)["not drawn: below top 50 %"];

	test("is what the largest weights leave over", async () => {
		const weights = weightsOf([1, 1, 4, 4], (_, __, ___, k) => [0.4, 0.3, 0.2, 0.1][k] as number);
		const { model, open } = mount(weights, numbered(4), { state: { top_mass: 0.5 } });
		const view = await open();
		model.set("hovered", [1, 1]);
		await frame();
		expect(notDrawn(view)).toBe("30 %");
		model.set("top_mass", 1);
		await frame();
		expect(view.text(".readout")).not.toContain("not drawn");
	});

	test("of several heads is that of their lines, not of their mean", async () => {
		// Each head's one line is drawn whole, though half of the mean lies on either key.
		const weights = weightsOf([1, 2, 4, 4], (_, head, __, key) => (key === head ? 1 : 0));
		const { model, open } = mount(weights, numbered(4), {
			state: { top_mass: 0.5, heads: [0, 1] },
		});
		const view = await open();
		model.set("hovered", [3, 3]);
		await frame();
		expect(notDrawn(view)).toBe("0 %");
	});
});

test("what isn't drawn is named by what hides it", async () => {
	const weights = weightsOf([1, 1, 4, 4], (_, __, ___, k) => [0.5, 0.25, 0.2, 0.05][k] as number);
	const { open } = mount(weights, numbered(4), {
		state: { top_mass: 0.9, top_k: 2, threshold: 0.35, hovered: [1, 1] },
	});
	const view = await open();
	expect(itemsOf(view)).toMatchObject({
		"not drawn: below top 90 %": "5.0 %",
		"not drawn: beyond the 2 largest": "20 %",
		"not drawn: below 0.35": "25 %",
	});
});

describe("several pinned tokens", () => {
	const weights = softmaxWeights(2, 3, 7, 7);
	const words = numbered(7);

	test("are read out as their mean, which a button makes their sum", async () => {
		const { model, open } = mount(weights, words, {
			state: {
				layer: 1,
				heads: [2],
				selected: [1, null],
				also: [
					[4, null],
					[5, null],
				],
			},
		});
		const view = await open();
		const sums = words.map((_, key) =>
			[1, 4, 5].reduce((sum, query) => sum + weights.at(1, 2, query, key), 0),
		);
		const strongest = (values: number[]) =>
			[...values.keys()]
				.sort((a, b) => (values[b] as number) - (values[a] as number))
				.slice(0, 3)
				.map((key) => `w${key} ${(values[key] as number).toFixed(4)}`)
				.join("");
		expect(itemsOf(view)).toMatchObject({
			"mean over 3 tokens: w1, w4, w5 · reads": strongest(sums.map((sum) => sum / 3)),
		});
		await click(view.one(".combine"));
		expect(model.get("combine")).toBe("sum");
		expect(itemsOf(view)).toMatchObject({
			"sum over 3 tokens: w1, w4, w5 · reads": strongest(sums),
		});
	});

	test("with a hovered key are one pair; a hovered cell among them keeps its own weight", async () => {
		const { model, open } = mount(weights, words, {
			state: { selected: [1, 1], also: [[4, 4]] },
		});
		const view = await open();
		await hover(view.token(6));
		const mean = (weights.at(0, 0, 1, 6) + weights.at(0, 0, 4, 6)) / 2;
		expect(itemsOf(view)).toMatchObject({
			"mean over 2 tokens: w1, w4 · reads “w6” (6)": mean.toFixed(4),
		});
		model.set("hovered", [1, 6]);
		await frame();
		expect(itemsOf(view)).toMatchObject({
			"“w1” (1) reads “w6” (6)": weights.at(0, 0, 1, 6).toFixed(4),
		});
	});
});

test("at rest it says what to do, and has no number", async () => {
	const { open } = crossing({});
	const view = await open();
	expect(view.text(".readout")).toMatch(/Hover a token/);
	expect(view.text(".readout")).not.toMatch(/\d\.\d/);
});

test("a negative weight keeps its sign", async () => {
	const weights = weightsOf([1, 1, 3, 3], (_, __, q, k) => (q === k ? -0.12345 : 0.5));
	const { model, open } = mount(weights, numbered(3), { description: { encoding: "signed8" } });
	const view = await open();
	model.set("hovered", [1, 1]);
	await frame();
	expect(view.text(".readout")).toContain("-0.1235");
});
