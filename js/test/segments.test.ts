import { describe, expect, test } from "vitest";
import type { Scene } from "../src/scene";
import { BLOCK_CELL, drawBlocks } from "../src/views/blocks";
import { frameOf } from "../src/views/viewport";
import { click, hoverAt, press } from "./events";
import { descriptionOf, mount, numbered, type Options, type Shown, softmaxWeights } from "./host";
import { weightsOf } from "./weights";

/** [CLS] | question, 3 tokens | [SEP] | doc, 55 tokens: 60 tokens in four runs. */
const RUNS = ["[CLS]", "question", "[SEP]", "doc 1"];
const TABLE = {
	segment: [-1, 0, -1, 1],
	count: [1, 3, 1, 55],
	segments: ["question", "doc 1"],
	special: [true, false, true, false],
};
const MASSES = [
	[0.1, 0.2, 0.3, 0.4],
	[0.05, 0.5, 0.1, 0.35],
	[0.25, 0.25, 0.25, 0.25],
	[0.4, 0.3, 0.2, 0.1],
];
const WEIGHTS = weightsOf([1, 2, 4, 4], (_, head, query, key) => {
	const mass = MASSES[query]?.[key] as number;
	return head ? mass / 2 : mass;
});
const TOKENS = softmaxWeights(1, 2, 12, 12);
const WORDS = ["[CLS]", "q0", "q1", "q2", "[SEP]", "d0", "d1", "d2", "d3", "d4", "d5", "d6"];

const MATRIX = { unit: "segment", view: ["matrix"] } as const;
/** The matrix view's cells begin here, and are this large. */
const [MARGIN, CELL] = [84, BLOCK_CELL];

async function open(state: Options["state"] = {}, connected = true) {
	const options = { state: { ...MATRIX, ...state }, table: TABLE, connected };
	const mounted = mount(WEIGHTS, RUNS, options);
	return { ...mounted, view: await mounted.open() };
}

const unit = (view: Shown) => view.all<HTMLButtonElement>('[aria-label="unit"] button');
const at = (query: number, key: number) =>
	[MARGIN + (key + 0.5) * CELL, MARGIN + (query + 0.5) * CELL] as const;

async function doubleClickAt(el: HTMLElement, [x, y]: readonly [number, number]): Promise<void> {
	const { left, top } = el.getBoundingClientRect();
	const event = { bubbles: true, composed: true, clientX: left + x, clientY: top + y };
	el.dispatchEvent(new MouseEvent("click", event));
	el.dispatchEvent(new MouseEvent("click", event));
	el.dispatchEvent(new MouseEvent("dblclick", event));
}

describe("the unit", () => {
	test("is a segment where there are two, by a choice of its own", async () => {
		const one = await mount(TOKENS, WORDS).open();
		expect(unit(one).map((el) => el.textContent)).toEqual(["Tokens", "Words"]);
		const segment = WORDS.map((word) => (word[0] === "q" ? 0 : word[0] === "d" ? 1 : -1));
		const { model, open } = mount(TOKENS, WORDS, { table: { segment } });
		const two = await open();
		expect(unit(two).map((el) => `${el.textContent} ${el.disabled}`)).toEqual([
			"Tokens false",
			"Words true",
			"Segments false",
		]);
		await click(unit(two)[2] as HTMLElement);
		expect(model.get("unit")).toBe("segment");
	});

	test("can be left again, and what is shown is counted in it", async () => {
		const { view, model } = await open();
		expect(unit(view).map((el) => el.ariaPressed)).toEqual(["false", "false", "true"]);
		expect(view.text(".about")).toContain("4 segments");
		await click(unit(view)[0] as HTMLElement);
		expect(model.get("unit")).toBe("token");
	});
});

describe("a block", () => {
	test("is read out with its lift: mass over the share of the tokens", async () => {
		const { view } = await open();
		await hoverAt(view.one(".stage"), ...at(1, 3));
		const [label, text] = view.all(".readout .item > *").map((el) => el.textContent);
		expect(label).toBe("“question” (1) reads “doc 1” (3)");
		expect(text?.replace(/\s+/g, " ").trim()).toBe(`0.3500 lift ${(0.35 / (55 / 60)).toFixed(2)}`);
	});

	test("bears its mass and its lift, of the tokens that a segment has", async () => {
		const drawn: [string, number, number][] = [];
		const context = { fillText: (...text: [string, number, number]) => drawn.push(text) };
		const table = { count: [1, 3, 1, 55] };
		const line = (query: number) => Float32Array.from(MASSES[query] as number[]);
		const scene = {
			description: { queries: 4, keys: 4, shares: true },
			state: { unit: "segment", layer: 0, heads: [0] },
			tokens: { keys: table },
			ink: { on: () => "" },
			colours: { dark: false },
			reader: {
				line: (_: string, [, , query]: number[]) => ({ values: line(query ?? 0), exact: true }),
			},
		} as unknown as Scene;
		const frame = frameOf({ queries: 4, keys: 4 }, 600, null, BLOCK_CELL);
		expect(drawBlocks(context as never, scene, frame)).toBe(true);
		expect(drawn).toHaveLength(2 * 16);
		const near = ([, x, y]: [string, number, number]) =>
			Math.hypot(x - at(1, 3)[0], y - at(1, 3)[1]) < BLOCK_CELL / 2;
		expect(drawn.filter(near).map(([text]) => text)).toEqual(["0.35", "×0.4"]);
	});

	test("of several heads has the lift of their mean, and of tokens there is none", async () => {
		const { view, model } = await open({ heads: [0, 1] });
		await hoverAt(view.one(".stage"), ...at(3, 1));
		expect(view.text(".readout")).toContain(`lift ${((0.75 * 0.3) / (3 / 60)).toFixed(2)}`);
		model.set("unit", "word");
		await expect.poll(() => view.text(".readout")).not.toContain("lift");
	});

	test("opens at a double click: its tokens, lines between its segments, the matrix at it", async () => {
		const { view, model, kernel, settled } = await open();
		expect(view.text(".matrix .remark")).toContain("double click or Enter opens a block's cells");
		await doubleClickAt(view.one(".stage"), at(1, 3));
		expect([model.get("unit"), model.get("between")]).toEqual(["token", [[0, 1]]]);
		expect(model.get("selected"), "two clicks pin and release").toBeNull();
		const long = softmaxWeights(1, 2, 60, 60);
		kernel.show(long, numbered(60), null);
		model.set("_description", { ...descriptionOf(long, true), shown: "tokens" });
		await settled();
		await expect.poll(() => view.text(".matrix .remark")).toBe("queries 1–55, keys 5–59");
	});

	test("opens by Enter, where Space and Shift+Enter pin; specials are no pair of segments", async () => {
		const { view, model } = await open({ hovered: [3, 1] });
		const stage = view.one(".stage");
		await press(stage, " ");
		expect([model.get("unit"), model.get("selected")]).toEqual(["segment", [3, 1]]);
		await press(stage, "Enter", { shiftKey: true });
		expect([model.get("unit"), model.get("selected")]).toEqual(["segment", null]);
		await hoverAt(stage, ...at(2, 1));
		await press(stage, "Enter");
		expect([model.get("unit"), model.get("between")]).toEqual(["token", []]);
	});

	test("has cells to go to only where a kernel gives them", async () => {
		const { kernel } = mount(WEIGHTS, RUNS, { table: TABLE });
		const { view, model } = await open({ _snapshot: await kernel.snapshot() }, false);
		expect(view.text(".status")).toBe("no kernel");
		expect(view.text(".matrix .remark")).toBe("");
		await hoverAt(view.one(".stage"), ...at(1, 3));
		await press(view.one(".stage"), "Enter");
		expect([model.get("unit"), model.get("selected")]).toEqual(["segment", [1, 3]]);
	});
});

describe("the head view's filter", () => {
	const segment = WORDS.map((word) => (word[0] === "q" ? 0 : word[0] === "d" ? 1 : -1));
	const filters = async (segments: readonly string[]) => {
		const view = await mount(TOKENS, WORDS, { table: { segment, segments } }).open();
		await click(view.one(".heads [aria-expanded]"));
		return view.all(".limits .segments button");
	};

	test("calls segments by their names, and by letters where they have none", async () => {
		const named = await filters(["question", "doc 1"]);
		expect(named.map((el) => el.textContent)).toEqual([
			"question→question",
			"question→doc 1",
			"doc 1→question",
			"doc 1→doc 1",
		]);
		expect(named[1]?.ariaLabel).toBe("question reads doc 1");
		expect((await filters([]))[1]?.textContent).toBe("A→B");
	});
});
