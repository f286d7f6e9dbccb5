import { describe, expect, test } from "vitest";
import { choose, click, doubleClick, frame, press } from "./events";
import { mount, numbered, type Shown, softmaxWeights } from "./host";

const WEIGHTS = softmaxWeights(3, 4, 7, 5);
const WORDS = numbered(7);

async function open(state: object = {}, description: object = {}) {
	const mounted = mount(WEIGHTS, WORDS, { keyWords: numbered(5, "k"), state, description });
	const view = await mounted.open();
	mounted.model.saves = 0;
	return { ...mounted, view };
}

const select = (view: Shown, name: string) =>
	view.one<HTMLSelectElement>(`select[aria-label^="${name}"]`);
const chip = (view: Shown, head: number) => view.one(`.chips [aria-label="head ${head}"]`);
const pressed = (view: Shown, group: string) =>
	view.all(`[aria-label="${group}"] [aria-pressed="true"]`).map((button) => button.textContent);

describe("the layer", () => {
	test("is chosen from the model's own numbers, and saved as an index", async () => {
		const { model, view } = await open({}, { layers: [3, 7, 11] });
		const layer = select(view, "layer");
		expect([...layer.options].map((option) => option.text)).toEqual(["3", "7", "11"]);
		await choose(layer, "2");
		expect(model.get("layer")).toBe(2);
		expect(model.saves).toBe(1);
		expect(view.text(".pane .title")).toContain("layer 11");
	});

	test("[ and ] step, and stop at the ends", async () => {
		const { model, view } = await open();
		for (const [key, layer] of [
			["]", 1],
			["]", 2],
			["]", 2],
			["[", 1],
			["[", 0],
			["[", 0],
		] as const) {
			expect(await press(view.one(".explorer"), key)).toBe(false);
			expect(model.get("layer")).toBe(layer);
		}
		expect(model.saves, "a step that changes nothing isn't saved").toBe(4);
	});

	test("set from Python shows in the control", async () => {
		const { model, view } = await open();
		model.set("layer", 2);
		await frame();
		expect(select(view, "layer").value).toBe("2");
		expect(model.saves).toBe(0);
	});
});

describe("the heads", () => {
	test("the dropdown shows one head, all of them, or several by name", async () => {
		const { model, view } = await open();
		const head = select(view, "head");
		expect(head.value).toBe("0");
		await choose(head, "3");
		expect(model.get("heads")).toEqual([3]);
		await choose(head, "all");
		expect(model.get("heads")).toEqual([0, 1, 2, 3]);
		expect(model.saves).toBe(2);
		model.set("heads", [1, 3]);
		await frame();
		expect(head.selectedOptions[0]?.text).toBe("1, 3");
		await choose(head, "2");
		expect(model.get("heads")).toEqual([2]);
	});

	test("a chip a head, each in a colour of its own; a click toggles it", async () => {
		const { model, view } = await open();
		const colours = view.all(".chips button").map((el) => el.style.getPropertyValue("--head"));
		expect(new Set(colours).size).toBe(4);
		await click(chip(view, 2));
		expect(model.get("heads")).toEqual([0, 2]);
		expect(pressed(view, "heads")).toEqual(["0", "2"]);
		await click(chip(view, 0));
		expect(model.get("heads")).toEqual([2]);
		expect(model.saves).toBe(2);
	});

	test("a double click shows one alone, whether it was on or off", async () => {
		const { model, view } = await open({ heads: [0, 1, 2] });
		await doubleClick(chip(view, 1));
		expect(model.get("heads")).toEqual([1]);
		await doubleClick(chip(view, 3));
		expect(model.get("heads")).toEqual([3]);
		await doubleClick(chip(view, 3));
		expect(model.get("heads")).toEqual([3]);
	});

	test("the last one can't be switched off", async () => {
		const { model, view } = await open({ heads: [3] });
		await click(chip(view, 3));
		expect(model.get("heads")).toEqual([3]);
		expect(model.saves).toBe(0);
	});

	test("set from Python show in the chips", async () => {
		const { model, view } = await open();
		model.set("heads", [1, 3]);
		await frame();
		expect(pressed(view, "heads")).toEqual(["1", "3"]);
	});

	test("with one head there is nothing to choose by chips", async () => {
		const view = await mount(softmaxWeights(2, 1, 3, 3), numbered(3)).open();
		expect(view.all(".chips")).toEqual([]);
		expect([...select(view, "head").options].map((option) => option.text)).toEqual(["0"]);
	});
});

describe("the views", () => {
	const shown = (view: Shown) =>
		view.all("section").flatMap((el) => (el.hidden ? [] : [el.ariaLabel?.replace(" view", "")]));
	const button = (view: Shown, text: string) =>
		view.all(`[aria-label="views"] button`).find((el) => el.textContent === text) as HTMLElement;

	test("a click switches one off and on again, in its place", async () => {
		const { model, view } = await open();
		expect(shown(view)).toEqual(["text", "head", "matrix"]);
		await click(button(view, "Text"));
		expect(model.get("view")).toEqual(["heads", "matrix"]);
		expect(shown(view)).toEqual(["head", "matrix"]);
		await click(button(view, "Text"));
		expect(model.get("view")).toEqual(["text", "heads", "matrix"]);
		expect(model.saves).toBe(2);
	});

	test("a double click shows one alone", async () => {
		const { model, view } = await open();
		await doubleClick(button(view, "Matrix"));
		expect(model.get("view")).toEqual(["matrix"]);
		expect(shown(view)).toEqual(["matrix"]);
	});

	test("the last one can't be switched off", async () => {
		const { model, view } = await open({ view: ["heads"] });
		await click(button(view, "Heads"));
		expect(model.get("view")).toEqual(["heads"]);
		expect(shown(view)).toEqual(["head"]);
	});

	test("set from Python show, and are pressed", async () => {
		const { model, view } = await open();
		model.set("view", ["matrix", "text"]);
		await frame();
		expect(shown(view)).toEqual(["text", "matrix"]);
		expect(pressed(view, "views")).toEqual(["Text", "Matrix"]);
	});
});

describe("the share that is drawn", () => {
	test("is chosen and saved", async () => {
		const { model, view } = await open();
		await choose(select(view, "share"), "0.95");
		expect(model.get("top_mass")).toBe(0.95);
		await choose(select(view, "share"), "1");
		expect(model.get("top_mass")).toBe(1);
		expect(model.saves).toBe(2);
	});

	test("one that only Python offers is shown as it is, in its place", async () => {
		const { model, view } = await open();
		model.set("top_mass", 0.625);
		await frame();
		const share = select(view, "share");
		expect(share.selectedOptions[0]?.text).toBe("top 62.5 %");
		const values = [...share.options].map((option) => Number(option.value));
		expect(values).toEqual([...values].sort((a, b) => a - b));
	});
});

describe("the legend", () => {
	test("has true values where they lie on a square root scale", async () => {
		const { view } = await open();
		const width = view.one(".legend .gradient").clientWidth;
		const ticks = view.all(".legend span").map((el) => [el.textContent, el.offsetLeft / width]);
		expect(ticks.map(([text]) => text)).toEqual(["0", ".01", ".1", ".5", "1"]);
		for (const [text, at] of ticks) expect(at).toBeCloseTo(Math.sqrt(Number(text)), 1);
	});

	test("follows the scale of the weights", async () => {
		const { view } = await open({}, { scale: 4 });
		expect(view.all(".legend span").at(-1)?.textContent).toBe("4");
	});
});

describe("the keyboard", () => {
	test("every control has a name and can be reached by Tab", async () => {
		const { view } = await open();
		const controls = view.all("button, select, [role=application], [role=listbox], summary");
		expect(controls.length).toBeGreaterThan(10);
		for (const control of view.all("button, select, fieldset, section, [role]"))
			expect(control.ariaLabel || control.textContent?.trim(), control.outerHTML).toBeTruthy();
		for (const control of view.all<HTMLButtonElement>("button, select, [role=application]"))
			expect(control.tabIndex).toBe(0);
		for (const list of view.all("[role=listbox]"))
			expect(list.querySelectorAll('[role=option][tabindex="0"]')).toHaveLength(1);
	});

	test("keys that are handled aren't seen by the notebook, others are", async () => {
		const { view } = await open();
		const places = [".explorer", ".scroll", ".stage", ".token"];
		for (const place of places)
			for (const key of ["[", "]", "Escape"])
				expect(await press(view.one(place), key), `${key} on ${place}`).toBe(false);
		for (const place of [".scroll", ".stage", ".token"])
			for (const key of ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Enter", " "])
				expect(await press(view.one(place), key), `${key} on ${place}`).toBe(false);
		for (const place of [...places, "select", "button"])
			for (const key of ["Tab", "F5"])
				expect(await press(view.one(place), key), `${key} on ${place}`).toBe(true);
		for (const place of [".scroll", ".stage", ".token", "button"])
			expect(await press(view.one(place), "d"), "d d would delete the cell").toBe(false);
	});

	test("with a modifier they are the host's, but for Shift+Enter, which pins", async () => {
		const { model, view } = await open();
		for (const place of [".scroll", ".stage", ".token"]) {
			for (const modifier of ["ctrlKey", "shiftKey", "metaKey", "altKey"])
				for (const key of ["Enter", "ArrowDown"])
					if (modifier !== "shiftKey" || key !== "Enter")
						expect(
							await press(view.one(place), key, { [modifier]: true }),
							`${modifier} ${key}`,
						).toBe(true);
			expect(await press(view.one(place), "]", { ctrlKey: true })).toBe(true);
		}
		expect(model.get("selected")).toBeNull();
		expect(model.get("layer")).toBe(0);
	});

	test("what a button or a dropdown does with a key isn't taken from it by the notebook", async () => {
		const { view } = await open();
		for (const key of ["Enter", " "])
			expect(await press(chip(view, 1), key), `${key} on a chip`).toBe(false);
		for (const key of ["ArrowDown", "ArrowUp", "Enter", " ", "3"])
			expect(await press(select(view, "layer"), key), `${key} on a dropdown`).toBe(false);
		let prevented = true;
		view.root.addEventListener(
			"keydown",
			(event) => {
				prevented = event.defaultPrevented;
			},
			{ capture: true, once: true },
		);
		chip(view, 1).dispatchEvent(
			new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }),
		);
		expect(prevented).toBe(false);
	});
});

test("what is shown says what it is: the model, its size, the notes on its numbers", async () => {
	const { view } = await open({}, { notes: ["rows sum to less than 1"] });
	expect(view.text(".about")).toContain("a test model · 3 × 4 heads · 7 × 5 tokens");
	expect(view.text(".notes")).toContain("rows sum to less than 1");
});
