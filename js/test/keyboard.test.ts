import { afterEach, describe, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { frame } from "./events";
import { mount, numbered, type Options, softmaxWeights } from "./host";
import { focused, keys, nameOf, tabTo, walk } from "./keys";
import { mountQa } from "./qa";

const WEIGHTS = softmaxWeights(3, 4, 12, 12);
const WORDS = numbered(12);

afterEach(() => (document.activeElement as HTMLElement | null)?.blur());

async function open(options: Options = {}) {
	const mounted = mount(WEIGHTS, WORDS, options);
	return { ...mounted, view: await mounted.open(1100) };
}

test("Tab comes to every control once, and each has a name", async () => {
	const { view } = await open({
		state: { view: ["text", "heads", "matrix", "model", "neuron"], selected: [3, 3] },
		description: { kinds: ["encoder", "cross"], kind: "encoder" },
	});
	const found = await walk(view);
	for (const el of found) expect(nameOf(el), el.outerHTML).not.toBe("");
	expect(new Set(found).size).toBe(found.length);
	const usable = view
		.all<HTMLButtonElement>("button, select, input, summary, [role=application], [role=option]")
		.filter((el) => el.tabIndex >= 0 && el.checkVisibility() && !el.matches(":disabled"));
	expect(new Set(found)).toEqual(new Set(usable));
});

test("so it does in the QA view", async () => {
	const view = await mountQa({ windows: ["1 of 2", "2 of 2"] }).open(1100);
	const found = await walk(view);
	for (const el of found) expect(nameOf(el), el.outerHTML).not.toBe("");
	const inQa = view
		.all<HTMLElement>(".qa :is(button, select, [role=application], [role=option])")
		.filter((el) => el.tabIndex >= 0 && el.checkVisibility());
	expect(new Set(found.filter((el) => el.closest(".qa")))).toEqual(new Set(inQa));
	expect(inQa.length).toBeGreaterThan(12);
});

test("where the focus is, a ring is seen", async () => {
	const { view } = await open({ state: { view: ["text", "heads", "matrix", "model", "neuron"] } });
	for (let i = 0, first: Element | null = null; i < 120; i++) {
		await userEvent.tab();
		const el = focused(view);
		if (!el || el === first) break;
		first ??= el;
		const { outlineStyle, outlineWidth } = getComputedStyle(el);
		expect([outlineStyle, outlineWidth], nameOf(el)).toEqual(["solid", "2px"]);
	}
});

describe("without a pointer", () => {
	test("a layer and a head are chosen, a token is pinned and its weight read", async () => {
		const { model, view, settled } = await open();
		await tabTo(view, /^layer$/);
		await keys("{ArrowDown}", "{ArrowDown}");
		await tabTo(view, /^head$/);
		await keys("{ArrowDown}");
		expect([model.get("layer"), model.get("heads")]).toEqual([2, [1]]);
		await tabTo(view, /, position 0$/);
		await keys("{ArrowRight}", "{ArrowRight}", "{ArrowRight}", "{Enter}");
		await settled();
		expect(model.get("selected")).toEqual([3, 3]);
		await keys("{ArrowRight}", "{ArrowRight}");
		await settled();
		await frame();
		expect(view.text(".readout")).toContain(WEIGHTS.at(2, 1, 3, 5).toFixed(4));
		await keys("{Escape}");
		expect([model.get("selected"), model.get("hovered")]).toEqual([null, null]);
	});

	test("the matrix is zoomed until its cells have their tokens' names, and back", async () => {
		const large = softmaxWeights(1, 1, 300, 300);
		const { model, render, settled } = mount(large, numbered(300), { state: { view: ["matrix"] } });
		const view = render(700);
		await settled();
		await tabTo(view, /^matrix view/);
		await keys("{ArrowDown}", "{ArrowRight}");
		for (let i = 0; i < 12; i++) await keys("+");
		await keys("{ArrowDown}", "{ArrowDown}", "{ArrowRight}");
		await settled();
		await frame();
		const said = /queries (\d+)–(\d+), keys (\d+)–(\d+)/.exec(view.text(".matrix")) ?? [];
		const [q0, q1, k0, k1] = said.slice(1).map(Number) as [number, number, number, number];
		expect(Math.max(q1 - q0, k1 - k0), view.text(".matrix")).toBeLessThan(30);
		const [query, key] = model.get("hovered") ?? [];
		expect([query, key]).toEqual([3, 2]);
		expect(q0 <= 3 && k0 <= 2, "what is moved to is in view").toBe(true);
		await keys("{Enter}");
		await settled();
		await frame();
		expect(model.get("selected")).toEqual([3, 2]);
		expect(view.text(".readout")).toContain(large.at(0, 0, 3, 2).toFixed(4));
		await keys("0", "{Escape}");
		expect(view.text(".matrix")).not.toContain("queries");
		expect(model.get("selected")).toBeNull();
	});

	test("another head is opened from the map", async () => {
		const { model, view, settled } = await open({ state: { view: ["model", "heads"] } });
		await tabTo(view, /^model view/);
		await keys("{ArrowDown}", "{ArrowRight}", "{ArrowRight}", "{Enter}");
		await settled();
		expect([model.get("layer"), model.get("heads")]).toEqual([1, [2]]);
		await keys("{ArrowRight}", "{Shift>}{Enter}{/Shift}");
		expect(model.get("heads")).toEqual([2, 3]);
	});

	test("views, chips, options and the colour scale are changed, and it is all undone", async () => {
		const { model, view } = await open();
		const state = () => JSON.stringify([model.get("view"), model.get("heads")]);
		const before = state();
		await tabTo(view, /^Text$/);
		await keys(" ");
		expect(model.get("view")).toEqual(["heads", "matrix"]);
		await tabTo(view, /^head 2$/);
		await keys("{Enter}");
		expect(model.get("heads")).toEqual([0, 2]);
		await tabTo(view, /^colour scale$/);
		await keys("{ArrowDown}");
		expect(model.get("scale")).toBe("log");
		await tabTo(view, /^share of each row/);
		await keys("{ArrowDown}");
		expect(model.get("top_mass")).toBe(0.9);
		await tabTo(view, /on which lines are drawn|limits|^more/);
		await keys("{Enter}");
		await tabTo(view, /^smallest weight/);
		await keys("{ArrowRight}", "{ArrowRight}");
		expect(model.get("threshold")).toBeGreaterThan(0);
		for (let i = 0; i < 9; i++) await keys("{Control>}z{/Control}");
		expect(state()).toBe(before);
		expect([model.get("scale"), model.get("top_mass"), model.get("threshold")]).toEqual([
			"sqrt",
			0.8,
			0,
		]);
	});

	test("a picture is saved, and the menu gives the focus back", async () => {
		const saved: string[] = [];
		const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
			this: HTMLAnchorElement,
		) {
			saved.push(this.download);
		});
		const { model, view } = await open({ state: { selected: [2, 2] } });
		await tabTo(view, /^take away$/);
		await keys("{Enter}");
		await tabTo(view, /^Heads as SVG$/);
		await keys("{Enter}");
		await expect.poll(() => saved).toEqual(["heads-layer-0-head-0.svg"]);
		expect(nameOf(focused(view))).toBe("take away");
		await keys("{Enter}");
		await userEvent.tab();
		await keys("{Escape}");
		expect(nameOf(focused(view))).toBe("take away");
		expect(model.get("selected")).toEqual([2, 2]);
		await keys("{Escape}");
		expect(model.get("selected"), "a second one releases").toBeNull();
		click.mockRestore();
	});
});

test("Escape releases, wherever the focus is", async () => {
	const { model, view } = await open({
		state: { view: ["text", "heads", "matrix", "model", "neuron"] },
	});
	for (const el of await walk(view)) {
		model.set("selected", [2, 2]);
		model.set("also", [[4, null]]);
		el.focus();
		await keys("{Escape}");
		expect([model.get("selected"), model.get("also")], nameOf(el)).toEqual([null, []]);
	}
});
