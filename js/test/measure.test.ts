import { describe, expect, test } from "vitest";
import { fits } from "../src/history";
import { whyNot } from "../src/measures";
import { choose, frame, hover } from "./events";
import { descriptionOf, mount, numbered, softmaxWeights } from "./host";
import { rowOf, weightsOf } from "./weights";

const WEIGHTS = softmaxWeights(2, 3, 6, 6);
/** No shares: a row sums to far more than 1. */
const NORMS = weightsOf([2, 3, 6, 6], (layer, head, query, key) =>
	key > query ? 0 : 2 + layer + head / 4 + key / 8,
);
const MEASURES = [
	"weights, norms, norms summed: ",
	"rollout, relevance: these are limited to 2,048 tokens: there are 3,000",
	"logits: this model has no unembedding",
];
const CHOICE = "select[aria-label='what is shown']";

const norms = (changes = {}) => ({
	state: { measure: "norms", view: ["text", "heads", "matrix"], layer: 1, heads: [2] } as const,
	description: {
		measure: "norms",
		measures: MEASURES,
		number: "|Af|",
		shares: false,
		scale: 5,
		notes: ["Each number is |A f(x)|."],
		...changes,
	} as const,
});

describe("what is shown", () => {
	test("is chosen of what there is; the rest says why it can't be had", async () => {
		const { model, kernel, open } = mount(WEIGHTS, numbered(6), {
			description: { measures: MEASURES },
		});
		const view = await open();
		const select = view.one<HTMLSelectElement>(CHOICE);
		const options = [...select.options].map(({ value, disabled, title }) => [
			value,
			disabled,
			title,
		]);
		expect(options).toEqual([
			["weights", false, ""],
			["norms", false, ""],
			["norms summed", false, ""],
			["rollout", true, "these are limited to 2,048 tokens: there are 3,000"],
			["relevance", true, "these are limited to 2,048 tokens: there are 3,000"],
			["logits", true, "this model has no unembedding"],
		]);
		await choose(select, "norms");
		expect(model.get("measure")).toBe("norms");
		// Python needs a pass for it, and answers when it is done: until then nothing looks dead.
		expect(view.text(".bar label")).toContain("working it out");
		kernel.show(NORMS, numbered(6), null);
		model.set("_description", {
			...descriptionOf(NORMS, true, norms().description),
			shown: '["", "norms"]',
		});
		await expect.poll(() => view.text(".notes")).toContain("|A f(x)|");
		expect(view.text(".bar label")).not.toContain("working it out");
		await hover(view.token(4));
		const row = rowOf(NORMS, 0, 0, 4);
		await expect.poll(() => view.text(".readout")).toContain(Math.max(...row).toFixed(4));
		expect(new Set(kernel.requests.map(({ shown }) => shown))).toEqual(
			new Set(["", '["", "norms"]']),
		);
	});

	test("isn't offered where there is nothing but weights, nor without a kernel", async () => {
		const alone = mount(WEIGHTS, numbered(6), {
			description: {
				measures: [
					"weights: ",
					"norms, norms summed, rollout, relevance, logits: this trace has no model",
				],
			},
		});
		expect((await alone.open()).all(CHOICE)).toEqual([]);
		const saved = mount(WEIGHTS, numbered(6), {
			description: { measures: MEASURES },
			connected: false,
		});
		const view = saved.render();
		await expect.poll(() => view.all<HTMLSelectElement>(CHOICE)[0]?.disabled).toBe(true);
	});

	test("can be undone to where it may still be had", () => {
		const shown = descriptionOf(WEIGHTS, true, { measures: MEASURES });
		expect(whyNot(shown, "logits")).toBe("this model has no unembedding");
		expect(whyNot(shown, "norms"), "not that of norms summed").toBe("");
		expect(["weights", "norms", "logits"].map((name) => fits("measure", name, shown))).toEqual([
			true,
			true,
			false,
		]);
	});
});

describe("numbers that are no shares", () => {
	test("are called by their name, and no share of 1", async () => {
		const { model, open } = mount(NORMS, numbered(6), norms({ hides: 1 }));
		const view = await open();
		expect(view.text(".key-side")).toContain("mean |Af|");
		expect(view.one(".legend").ariaLabel).toBe("colour of |Af|, from 0 to 5");
		expect(view.text(".meter")).not.toContain("%");
		expect(view.all(".gauge")).toEqual([]);
		expect(
			view.all("[aria-label='share of each row\\'s sum of |Af| that is drawn as lines']"),
		).toHaveLength(1);
		model.set("hovered", [4, 2]);
		await frame();
		const labels = view.all(".readout .item > :first-child").map((el) => el.textContent);
		expect(labels).toContain("“w4” (4) reads “w2” (2) · |Af|");
		expect(labels).toContain("not drawn: below top 80 % of a row’s sum");
		expect(view.text(".readout")).toContain("% of its sum");
	});

	test("that are one matrix a layer are of no head", async () => {
		const one = softmaxWeights(2, 1, 6, 6);
		const { open } = mount(one, numbered(6), {
			state: { measure: "rollout", layer: 1 },
			description: { measure: "rollout", measures: MEASURES, number: "share of rollout" },
		});
		const view = await open();
		expect(view.text(".about")).toContain("2 layers · 6 tokens");
		expect(view.text(".heads .title")).toContain("layer 1");
		expect(view.text(".heads .title")).not.toContain("head");
	});

	test("have no lift over even attention", async () => {
		const { model, open } = mount(NORMS, ["a", "b", "c", "d", "e", "f"], {
			...norms(),
			table: { count: [3, 1, 2, 2, 1, 4] },
		});
		model.set("unit", "segment");
		const view = await open();
		await hover(view.token(2));
		await frame();
		expect(view.text(".readout")).not.toContain("lift");
	});
});
