import { describe, expect, test } from "vitest";
import { click, frame, hover, leave } from "./events";
import { mount, numbered, softmaxWeights } from "./host";
import { rowOf, weightsOf } from "./weights";

const WEIGHTS = softmaxWeights(3, 4, 7, 7);
const WORDS = numbered(7);
/** More than is sent at once, so that hovering asks. */
const LARGE = weightsOf([2, 8, 600, 600], (l, h, q, k) => ((l + h + q + k) % 97) / 97);

describe("two views of one model", () => {
	test("a hover in one lights the other, in every pane", async () => {
		const { open } = mount(WEIGHTS, WORDS);
		const [first, second] = [await open(), await open(800)];
		await hover(first.token(4));
		expect(second.token(4).classList.contains("looked")).toBe(true);
		expect(second.text(".heads .query .focused .label")).toBe("w4");
		expect(second.text(".readout")).toContain("“w4” (4) reads");
		await leave(first.one(".tokens"));
		expect(second.token(4).classList.contains("looked")).toBe(false);
	});

	test("a click in one chooses in both", async () => {
		const { open } = mount(WEIGHTS, WORDS);
		const [first, second] = [await open(), await open()];
		await click(first.one('.chips [aria-label="head 2"]'));
		await click(first.token(5));
		expect(second.one('.chips [aria-label="head 2"]').ariaPressed).toBe("true");
		expect(second.token(5).classList.contains("pinned")).toBe(true);
	});

	test("they share one channel: tokens and everything are asked for once", async () => {
		const { kernel, open } = mount(WEIGHTS, WORDS);
		await open();
		await open();
		expect(kernel.requests.map((request) => request.kind)).toEqual(["tokens", "everything"]);
	});

	test("removing one takes its listeners and its DOM, and leaves the other alive", async () => {
		const { model, kernel, open } = mount(WEIGHTS, WORDS);
		const [before, asking] = [model.listenerCount(), kernel.model.listenerCount()];
		const first = await open();
		const withOne = model.listenerCount();
		const second = await open();
		expect(model.listenerCount()).toBeGreaterThan(withOne);
		second.remove();
		expect(model.listenerCount()).toBe(withOne);
		expect(second.el.children).toHaveLength(0);
		await hover(first.token(2));
		expect(first.text(".readout")).toContain("“w2” (2) reads");
		first.remove();
		expect(model.listenerCount()).toBe(before);
		expect(kernel.model.listenerCount()).toBeLessThanOrEqual(asking + 2);
	});

	test("a view that was removed draws nothing more", async () => {
		const { model, open } = mount(WEIGHTS, WORDS);
		const view = await open();
		const { root } = view;
		const html = root.innerHTML;
		view.remove();
		model.set("layer", 2);
		model.set("hovered", [1, 1]);
		await frame();
		expect(root.querySelectorAll(".readout *")).toHaveLength(0);
		expect(root.innerHTML.length).toBeLessThan(html.length);
	});
});

test("closing ends the channel: no request, no listener on the data model", async () => {
	const { model, kernel, open, close } = mount(LARGE, numbered(600));
	await open();
	close();
	expect(kernel.model.listenerCount(), "the kernel's own").toBe(1);
	const asked = kernel.requests.length;
	model.set("layer", 1);
	await frame();
	expect(kernel.requests).toHaveLength(asked);
});

describe("what is asked for", () => {
	test("small data: hovering, other layers and heads ask for nothing more", async () => {
		const { model, kernel, open, settled } = mount(WEIGHTS, WORDS);
		const view = await open();
		const asked = kernel.requests.length;
		for (const token of [3, 6]) await hover(view.token(token));
		model.set("layer", 2);
		model.set("heads", [0, 1, 2, 3]);
		model.set("top_mass", 1);
		await settled();
		expect(kernel.requests).toHaveLength(asked);
		expect(view.text(".readout")).not.toContain("≈");
	});

	test("large data: a hover asks for its row and its column, once", async () => {
		const { model, kernel, open, settled } = mount(LARGE, numbered(600));
		const view = await open();
		const asked = kernel.requests.length;
		model.set("hovered", [599, 599]);
		await settled();
		const added = kernel.requests.slice(asked);
		expect(added).toHaveLength(1);
		expect(added[0]).toMatchObject({ tiles: [], rows: [[0, 0, 599]], columns: [[0, 0, 599]] });
		model.set("hovered", [599, 3]);
		await settled();
		const strongest = [...rowOf(LARGE, 0, 0, 599)].sort((a, b) => b - a)[0] as number;
		expect(view.text(".readout")).toContain(strongest.toFixed(4));
		expect(view.text(".readout")).not.toContain("≈");
		model.set("hovered", [599, 599]);
		await settled();
		expect(kernel.requests.length - asked, "what is here isn't asked for again").toBe(2);
	});

	test("a view is busy until what it asked for is drawn, also when it is drawn in between", async () => {
		const { model, kernel, open, settled } = mount(LARGE, numbered(600), {
			state: { view: ["matrix"] },
		});
		const view = await open();
		kernel.answering = false;
		model.set("layer", 1);
		for (const mass of [0.5, 0.8, 0.9]) {
			model.set("top_mass", mass);
			await frame();
			expect(view.one(".explorer").ariaBusy).toBe("true");
		}
		kernel.resume();
		await settled();
		expect(view.one(".explorer").ariaBusy).toBe("false");
	});

	test("a view that is off asks for nothing", async () => {
		const { kernel, open } = mount(LARGE, numbered(600), { state: { view: ["text"] } });
		await open();
		for (const request of kernel.requests)
			if (request.kind === "weights") expect(request.rows).toEqual([]);
	});

	test("a hovering hand is told to Python now and then, not at every token", async () => {
		const { model, open } = mount(WEIGHTS, WORDS);
		const view = await open();
		model.saves = 0;
		for (let i = 0; i < 21; i++)
			view.token(i % 7).dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
		expect(model.saves).toBe(0);
		expect(model.get("hovered")).toEqual([6, 6]);
		await expect.poll(() => model.saves).toBe(1);
	});
});
