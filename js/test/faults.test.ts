import { afterEach, describe, expect, test, vi } from "vitest";
import { choose, click, frame, hover } from "./events";
import { mount, numbered, type Shown, softmaxWeights } from "./host";
import { weightsOf } from "./weights";

const WEIGHTS = softmaxWeights(3, 4, 7, 7);
const WORDS = numbered(7);
const LARGE = weightsOf([2, 8, 600, 600], (l, h, q, k) => ((l + h + q + k) % 97) / 97);

const status = (view: Shown) => view.text("[role=status]");
const alert = (view: Shown) => view.text("[role=alert] b");

describe("an error that Python answers with", () => {
	test("is told where the person looks, with its detail, and can be dismissed", async () => {
		const { model, kernel, open, settled } = mount(LARGE, numbered(600));
		const view = await open();
		kernel.failing = "layer 1 has no attention";
		model.set("layer", 1);
		await expect.poll(() => alert(view)).toBe("layer 1 has no attention");
		expect(view.text("[role=alert] pre")).toContain("Traceback");
		await settled();
		const asked = kernel.requests.length;
		model.set("hovered", null);
		await settled();
		await settled();
		expect(kernel.requests, "not asked for over and over").toHaveLength(asked);
		kernel.failing = null;
		await click(view.one("[role=alert] button"));
		expect(view.all("[role=alert]")).toEqual([]);
		model.set("layer", 0);
		model.set("hovered", [3, 3]);
		await settled();
		expect(view.text(".readout")).toContain("(3) reads");
	});

	test("on the first question is told too", async () => {
		const { kernel, render } = mount(WEIGHTS, WORDS);
		kernel.failing = "the explorer was closed in Python";
		const view = render();
		await expect.poll(() => alert(view)).toBe("the explorer was closed in Python");
	});
});

describe("a view that fails while it draws", () => {
	afterEach(() => void vi.restoreAllMocks());

	test("the fault is shown, and the other views and controls stay alive", async () => {
		vi.spyOn(console, "error").mockImplementation(() => {});
		const { model, kernel, render } = mount(WEIGHTS, WORDS);
		kernel.answering = false;
		const view = render();
		await expect.poll(() => kernel.requests.length).toBe(1);
		// As an older package would answer: a table that lacks a column.
		const { gap: _, ...queries } = kernel.tokensReply().queries;
		kernel.answering = true;
		const [request] = kernel.requests;
		kernel.reply({
			id: request?.id ?? "",
			kind: "tokens",
			queries: queries as never,
			keys: null,
			steps: [],
		});
		await expect.poll(() => alert(view)).toBe("A view could not be drawn.");
		expect(view.text("[role=alert] pre")).toMatch(/TypeError/);
		await choose(view.one<HTMLSelectElement>('select[aria-label="layer"]'), "2");
		expect(model.get("layer")).toBe(2);
		await expect.poll(() => view.text(".heads .title")).toContain("layer 2");
		model.set("hovered", [4, 4]);
		await frame();
		expect(view.text(".readout")).toContain("“w4” (4) reads");
		expect(view.one<HTMLCanvasElement>(".stage canvas").width).toBeGreaterThan(100);
		await click(view.one('[aria-label="views"] button'));
		expect(model.get("view")).toEqual(["heads", "matrix"]);
		await click(view.one("[role=alert] button"));
		await frame();
		expect(view.all("[role=alert]")).toEqual([]);
	});
});

describe("the state of the kernel", () => {
	afterEach(() => void vi.useRealTimers());

	test("is said: connecting, live", async () => {
		const { kernel, render } = mount(WEIGHTS, WORDS);
		kernel.answering = false;
		const view = render();
		await frame();
		expect(status(view)).toBe("connecting");
		kernel.resume();
		await expect.poll(() => status(view)).toContain("live");
	});

	test("busy after a second, with a count, and no error; live with the answer", async () => {
		const { model, kernel, open } = mount(LARGE, numbered(600));
		const view = await open();
		vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
		kernel.answering = false;
		model.set("hovered", [9, 9]);
		await frame();
		vi.advanceTimersByTime(900);
		await frame();
		expect(status(view)).toContain("live");
		vi.advanceTimersByTime(1100);
		await frame();
		expect(status(view)).toBe("kernel busy, 2 s");
		expect(view.all("[role=alert]")).toEqual([]);
		vi.advanceTimersByTime(30_000);
		await frame();
		expect(status(view)).toMatch(/no answer for \d+ s/);
		kernel.resume();
		await expect.poll(() => status(view)).toContain("live");
		await expect.poll(() => view.text(".readout")).toContain("(9) reads");
	});

	test("gone: said so, and what is here is still hovered, marked where only bytes are here", async () => {
		const { model, kernel, open } = mount(LARGE, numbered(600));
		const view = await open();
		model.set("hovered", [5, 6]);
		await expect.poll(() => view.text(".weight")).toBe(LARGE.at(0, 0, 5, 6).toFixed(4));
		kernel.model.failing = new Error("Cannot send");
		model.set("hovered", [400, 500]);
		await expect.poll(() => status(view)).toBe("no kernel");
		expect(view.text(".notes")).toContain("The kernel is gone");
		expect(view.text(".weight")).toBe(`≈ ${LARGE.at(0, 0, 400, 500).toFixed(2)}`);
		model.set("hovered", [5, 6]);
		await frame();
		expect(view.text(".weight")).toBe(LARGE.at(0, 0, 5, 6).toFixed(4));
	});
});

describe("reopened without a kernel", () => {
	test("with everything saved: text, lines, matrix and exact numbers are there", async () => {
		const saved = await mount(WEIGHTS, WORDS).kernel.snapshot();
		const { kernel, model, render } = mount(WEIGHTS, WORDS, {
			connected: false,
			state: { _snapshot: saved },
		});
		const view = render();
		await expect.poll(() => view.one(".explorer").ariaBusy).toBe("false");
		expect(status(view)).toBe("no kernel");
		expect(view.all(".token").map((token) => token.textContent)).toEqual(WORDS);
		await hover(view.token(5));
		expect(view.token(5).classList.contains("looked")).toBe(true);
		model.set("hovered", [5, 2]);
		model.set("layer", 2);
		model.set("heads", [3]);
		await frame();
		expect(view.text(".weight")).toBe(WEIGHTS.at(2, 3, 5, 2).toFixed(4));
		expect(kernel.requests).toEqual([]);
		expect(view.all("[role=alert]")).toEqual([]);
	});

	test("with nothing saved it says so, and doesn't promise to be loading", async () => {
		const view = mount(WEIGHTS, WORDS, { connected: false }).render();
		await expect.poll(() => status(view)).toBe("no kernel");
		await frame();
		expect(getComputedStyle(view.one(".explorer"), "::after").content).not.toContain("loading");
		expect(view.text(".notes")).not.toContain("this shows what was saved");
	});

	test("saved data that can't be read is told", async () => {
		const broken = new DataView(new ArrayBuffer(9));
		const view = mount(WEIGHTS, WORDS, {
			connected: false,
			state: { _snapshot: { header: broken, buffer: broken } },
		}).render();
		await expect.poll(() => alert(view)).toContain("saved with the notebook could not be read");
	});
});
