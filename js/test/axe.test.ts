import { describe, expect, test } from "vitest";
import { broken } from "./broken";
import { click, hoverAt } from "./events";
import { type Mounted, mount, numbered, type Options, softmaxWeights } from "./host";
import { mountQa } from "./qa";

const WEIGHTS = softmaxWeights(3, 4, 9, 9);
const WORDS = numbered(9);
const VIEWS = ["text", "heads", "matrix", "model", "neuron"] as const;

async function open(options: Options = {}) {
	return opened(mount(WEIGHTS, WORDS, options));
}

async function opened(mounted: Mounted) {
	return { ...mounted, view: await mounted.open(1100) };
}

describe.each(["light", "dark"] as const)("no serious violation, %s", (theme) => {
	test.each(VIEWS)("in the %s view at rest, with a token pinned, with all heads", async (name) => {
		const { model, view, settled } = await open({ state: { theme, view: [name] } });
		expect(await broken(view)).toEqual([]);
		model.set("selected", [4, 4]);
		model.set("also", [[6, null]]);
		await settled();
		expect(await broken(view)).toEqual([]);
		model.set("heads", [0, 1, 2, 3]);
		await settled();
		expect(await broken(view)).toEqual([]);
	});

	test("with all views and a cell hovered", async () => {
		const { view } = await open({ state: { theme, view: VIEWS } });
		await hoverAt(view.one(".stage"), 150, 150);
		expect(await broken(view)).toEqual([]);
	});

	test("with something else than weights shown", async () => {
		const { view } = await open({
			state: { theme, measure: "norms", view: VIEWS },
			description: {
				measure: "norms",
				measures: ["weights, norms: ", "logits: this model has no unembedding"],
				number: "|Af|",
				shares: false,
			},
		});
		expect(view.one("[aria-label='what is shown']").checkVisibility()).toBe(true);
		expect(await broken(view)).toEqual([]);
	});

	test("with heads coloured by a score", async () => {
		const state = { theme, view: ["model"], sort: "peak", paint: "score" } as const;
		const { view } = await open({ state });
		expect(view.one<HTMLInputElement>(".model .title input").checkVisibility()).toBe(true);
		expect(await broken(view)).toEqual([]);
	});

	test("with every menu open", async () => {
		const { view } = await open({ state: { theme, selected: [2, 2] } });
		for (const menu of view.all<HTMLDetailsElement>("details")) menu.open = true;
		await click(view.one(".line-controls [aria-expanded]"));
		expect(await broken(view)).toEqual([]);
	});

	test("with two kinds, and hidden keys", async () => {
		const { view } = await open({
			state: { theme, kind: "cross", hide: ["first"], hide_tokens: [3] },
			description: {
				kind: "cross",
				kinds: ["encoder", "cross"],
				hides: 2,
				hidden_tokens: ["w3"],
				check: { worst: 2e-7, tolerance: 1e-5, ok: true },
			},
			keyWords: numbered(9, "k"),
		});
		expect(await broken(view)).toEqual([]);
	});

	test("with a fault", async () => {
		const { kernel, render } = mount(WEIGHTS, WORDS, { state: { theme } });
		kernel.failing = "layer 1 has no attention";
		const view = render();
		await expect.poll(() => view.text(".fault")).toContain(kernel.failing);
		expect(await broken(view)).toEqual([]);
	});

	test("with steps", async () => {
		const mounted = mount(WEIGHTS, WORDS, { state: { theme, selected: [5, null] } });
		mounted.kernel.steps = [5, 6, 7].map((query) => ({
			token: query + 1,
			query,
			probability: 0.5,
			alternatives: [["other", 0.25] as const],
		}));
		const view = await mounted.open();
		expect(view.all(".steps")).toHaveLength(1);
		expect(await broken(view)).toEqual([]);
	});

	test("in the QA view at rest, hovered, asked anew, at fault", async () => {
		const { view, kernel, model, settled } = await opened(
			mountQa({ windows: ["1 of 2", "2 of 2"], notes: ["a note"] }, { state: { theme } }),
		);
		expect(await broken(view)).toEqual([]);
		model.set("selected", [2, 8]);
		await settled();
		expect(await broken(view)).toEqual([]);
		kernel.reading = [0.25];
		kernel.answering = ({ kind }) => kind !== "ask";
		await click(view.one("[name=again]"));
		await click(view.one(".ask summary"));
		await click(view.one(".ask [type=submit]"));
		expect(view.all(".asking progress")).toHaveLength(1);
		expect(await broken(view)).toEqual([]);
		kernel.failing = "the question is too long";
		kernel.resume();
		await expect.poll(() => view.text(".qa .fault")).toContain(kernel.failing);
		expect(await broken(view)).toEqual([]);
	});

	test("without a kernel", async () => {
		const view = mount(WEIGHTS, WORDS, { state: { theme }, connected: false }).render();
		await expect.poll(() => view.text(".status")).toBe("no kernel");
		expect(await broken(view)).toEqual([]);
	});
});
