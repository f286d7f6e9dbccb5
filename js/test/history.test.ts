import { describe, expect, test } from "vitest";
import { fits, History, wayOf } from "../src/history";
import { choose, click, clickAt, frame, press } from "./events";
import { descriptionOf, mount, numbered, type Shown, softmaxWeights } from "./host";

const key = (name: string, more: KeyboardEventInit = {}) =>
	new KeyboardEvent("keydown", { key: name, ...more });
const ended = () => Promise.resolve();

describe("the history", () => {
	test("goes back and forth step by step, and what is done anew ends what was undone", async () => {
		const history = new History();
		for (const layer of [1, 2, 3]) {
			history.note("layer", layer - 1, layer, false);
			await ended();
		}
		expect(history.undo()).toEqual({ layer: 2 });
		expect(history.undo()).toEqual({ layer: 1 });
		expect(history.redo()).toEqual({ layer: 2 });
		history.note("sort", "layer", "peak", false);
		expect(history.redo()).toBeUndefined();
		expect([history.undo(), history.undo()]).toEqual([{ sort: "layer" }, { layer: 1 }]);
		expect(history.undo()).toEqual({ layer: 0 });
		expect(history.undo()).toBeUndefined();
	});

	test("what one act changes is one step", async () => {
		const history = new History();
		history.note("layer", 0, 2, false);
		history.note("heads", [0], [3], false);
		await ended();
		history.note("heads", [3], [4], false);
		expect(history.undo()).toEqual({ heads: [3] });
		expect(history.undo()).toEqual({ layer: 0, heads: [0] });
		expect(history.redo()).toEqual({ layer: 2, heads: [3] });
	});

	test("a slider's moves are one step while they follow each other within half a second", async () => {
		const history = new History();
		for (const [at, now] of [
			[1000, 0.1],
			[1400, 0.2],
			[1899, 0.3],
			[2400, 0.4],
		] as const) {
			history.note("threshold", now - 0.1, now, true, at);
			await ended();
		}
		expect(history.undo()).toEqual({ threshold: 0.4 - 0.1 });
		expect(history.undo()).toEqual({ threshold: 0 });
		history.note("threshold", 0, 0.5, true, 2410);
		expect(history.undo(), "not with a move that was undone").toEqual({ threshold: 0 });
		expect(history.undo()).toBeUndefined();
	});

	test("clicks that follow each other fast stay steps of their own", async () => {
		const history = new History();
		history.note("heads", [0], [0, 1], false, 10);
		await ended();
		history.note("heads", [0, 1], [0, 1, 2], false, 20);
		expect(history.undo()).toEqual({ heads: [0, 1] });
	});

	test("keeps the last hundred steps", async () => {
		const history = new History();
		for (let i = 0; i < 130; i++) {
			history.note("layer", i, i + 1, false);
			await ended();
		}
		let last: unknown;
		let count = 0;
		for (let was = history.undo(); was; was = history.undo()) {
			last = was;
			count++;
		}
		expect([count, last]).toEqual([100, { layer: 30 }]);
	});

	test("the keys are Ctrl or Cmd with Z and Y, by their place where letters aren't Latin", () => {
		expect(wayOf(key("z", { ctrlKey: true }))).toBe("undo");
		expect(wayOf(key("z", { metaKey: true }))).toBe("undo");
		expect(wayOf(key("Z", { ctrlKey: true, shiftKey: true }))).toBe("redo");
		expect(wayOf(key("y", { ctrlKey: true }))).toBe("redo");
		expect(wayOf(key("я", { ctrlKey: true, code: "KeyZ" }))).toBe("undo");
		expect(wayOf(key("w", { ctrlKey: true, code: "KeyZ" })), "a French keyboard").toBeUndefined();
		for (const none of [{}, { ctrlKey: true, altKey: true }, { ctrlKey: true, metaKey: true }])
			expect(wayOf(key("z", none))).toBeUndefined();
	});

	test("what is not of what is shown now isn't given back", () => {
		const shown = descriptionOf({ layers: 2, heads: 3, queries: 5, keys: 4 }, false);
		expect(fits("layer", 1, shown)).toBe(true);
		expect(fits("layer", 2, shown)).toBe(false);
		expect(fits("heads", [0, 3], shown)).toBe(false);
		expect(fits("selected", [4, 3], shown)).toBe(true);
		expect(fits("selected", [4, 4], shown)).toBe(false);
		expect(fits("selected", null, shown)).toBe(true);
		expect(fits("also", [[5, null]], shown)).toBe(false);
		expect(fits("hide_tokens", [4], shown)).toBe(false);
		expect(fits("kind", "cross", shown)).toBe(false);
		expect(fits("theme", "dark", shown)).toBe(true);
	});
});

describe("in a view", () => {
	const open = async (state: object = {}) => {
		const mounted = mount(softmaxWeights(3, 4, 7, 7), numbered(7), { state });
		return { ...mounted, view: await mounted.open() };
	};
	const layer = (view: Shown) => view.one<HTMLSelectElement>(`select[aria-label="layer"]`);
	const undo = (el: Element) => press(el, "z", { ctrlKey: true });
	const redo = (el: Element) => press(el, "Z", { ctrlKey: true, shiftKey: true });

	test("Ctrl+Z undoes what was done there, and the notebook never sees it", async () => {
		const { model, view } = await open();
		await choose(layer(view), "2");
		await click(view.one(`.chips [aria-label="head 3"]`));
		await click(view.token(4));
		expect(await undo(view.token(4))).toBe(false);
		expect(model.get("selected")).toBeNull();
		await undo(view.one(".stage"));
		expect(model.get("heads")).toEqual([0]);
		await undo(view.one(".explorer"));
		expect([model.get("layer"), layer(view).value]).toEqual([0, "0"]);
		expect(await undo(view.one(".explorer")), "nor when nothing is left").toBe(false);
		expect(await redo(view.one(".explorer"))).toBe(false);
		expect(await press(view.one(".explorer"), "y", { metaKey: true })).toBe(false);
		expect([model.get("layer"), model.get("heads")]).toEqual([2, [0, 3]]);
	});

	test("a head from the map and all pins are undone at once, and saved", async () => {
		const { model, view } = await open({ view: ["text", "model"] });
		await click(view.token(2));
		await clickAt(view.token(5), 1, 1, { shiftKey: true });
		expect([model.get("selected"), model.get("also")]).toEqual([[2, 2], [[5, 5]]]);
		await press(view.one(".explorer"), "Escape");
		const { saves } = model;
		await undo(view.one(".explorer"));
		expect([model.get("selected"), model.get("also")]).toEqual([[2, 2], [[5, 5]]]);
		expect(model.saves).toBeGreaterThan(saves);
	});

	test("what Python sets in between is not undone, hovering is no step", async () => {
		const { model, view } = await open();
		await choose(layer(view), "1");
		model.set("heads", [2]);
		model.set("layer", 2);
		await press(view.one(".scroll"), "ArrowDown");
		await undo(view.one(".explorer"));
		expect([model.get("layer"), model.get("heads")]).toEqual([0, [2]]);
	});

	test("another view of the same model has a history of its own", async () => {
		const { model, view, render, settled } = await open();
		const other = render();
		await settled();
		await choose(layer(view), "1");
		await undo(other.one(".explorer"));
		expect(model.get("layer")).toBe(1);
		await undo(view.one(".explorer"));
		expect(model.get("layer")).toBe(0);
	});

	test("it outlives a change of what is shown", async () => {
		const { model, view, settled } = await open();
		await choose(layer(view), "2");
		model.set("_description", { ...model.get("_description"), shown: "other" });
		await settled();
		await frame();
		const root = (view.el.firstElementChild as HTMLElement).shadowRoot;
		await undo(root?.querySelector(".explorer") as Element);
		expect(model.get("layer")).toBe(0);
	});

	test("a text field undoes by itself", async () => {
		const { model, view } = await open();
		await choose(layer(view), "2");
		expect(await undo(view.one(".find input"))).toBe(false);
		expect(model.get("layer")).toBe(2);
	});
});
