import { describe, expect, test } from "vitest";
import type { Pointer, SegmentPair } from "../src/protocol.gen";
import { choose, click, clickAt, frame, hoverAt, press } from "./events";
import { mount, numbered, type Shown, softmaxWeights } from "./host";
import { alphasInColumn, hasInk, stretches } from "./pixels";
import { columnOf, rowOf, weightsOf } from "./weights";

const ONLY_HEADS = { view: ["heads"] } as const;

/** Query q reads key (2 q + 1) mod 5, and nothing else: each line's place is known. */
const ONE_HOT = weightsOf([2, 4, 7, 5], (layer, head, query, key) =>
	key === (2 * query + 1 + layer + head) % 5 ? 1 : 0,
);
const oneHot = () =>
	mount(ONE_HOT, numbered(7, "q"), { keyWords: numbered(5, "k"), state: { ...ONLY_HEADS } });

const ROW = 28;

function rowsOf(view: Shown, side: "query" | "key"): HTMLElement[] {
	return view
		.all(`.${side} .row`)
		.sort((a, b) => Number.parseFloat(a.style.top) - Number.parseFloat(b.style.top));
}

/** Hover a token by its label's place: it is the place that decides, not the element. */
async function hoverRow(view: Shown, side: "query" | "key", index: number): Promise<void> {
	const row = rowsOf(view, side)[index] as HTMLElement;
	const box = view.one(".content").getBoundingClientRect();
	const at = row.getBoundingClientRect();
	await hoverAt(view.one(".content"), at.left + at.width / 2 - box.left, at.top + 9 - box.top);
}

function front(view: Shown): HTMLCanvasElement {
	return view.one<HTMLCanvasElement>(".lines:not(.rest)");
}

/** The rows at which lines begin or end at one side of a canvas. */
function endsAt(canvas: HTMLCanvasElement, side: "left" | "right"): number[] {
	const x = side === "left" ? 0 : canvas.width - 1;
	return stretches(alphasInColumn(canvas, x)).map(([from, to]) =>
		Math.floor((from + to + 1) / 2 / devicePixelRatio / ROW),
	);
}

describe("what is hovered", () => {
	test("a left label is a query, a right one is a key, between them is nothing", async () => {
		const { model, open } = oneHot();
		const view = await open();
		await hoverRow(view, "query", 6);
		expect(model.get("hovered")).toEqual([6, null]);
		await hoverRow(view, "key", 4);
		expect(model.get("hovered")).toEqual([null, 4]);
		const content = view.one(".content");
		await hoverAt(content, content.clientWidth / 2, 3 * ROW);
		expect(model.get("hovered")).toBeNull();
		await hoverAt(content, content.clientWidth - 20, 6 * ROW + 9);
		expect(model.get("hovered"), "below the last key").toBeNull();
	});

	test("a click pins it, a second one releases it", async () => {
		const { model, open } = oneHot();
		const view = await open();
		const content = view.one(".content");
		await clickAt(content, 20, 2 * ROW + 9);
		expect(model.get("selected")).toEqual([2, null]);
		await clickAt(content, 20, 2 * ROW + 9);
		expect(model.get("selected")).toBeNull();
	});
});

describe("the lines", () => {
	test("at rest each query has one from its place to its key's", async () => {
		const { open } = oneHot();
		const view = await open();
		const rest = view.one<HTMLCanvasElement>(".lines.rest");
		expect(endsAt(rest, "left")).toEqual([0, 1, 2, 3, 4, 5, 6]);
		expect(endsAt(rest, "right")).toEqual([0, 1, 2, 3, 4]);
		expect(hasInk(front(view))).toBe(false);
	});

	test("a hovered query has its own and no other", async () => {
		const { open } = oneHot();
		const view = await open();
		for (const query of [0, 3, 6]) {
			await hoverRow(view, "query", query);
			expect(endsAt(front(view), "left")).toEqual([query]);
			expect(endsAt(front(view), "right")).toEqual([(2 * query + 1) % 5]);
		}
	});

	test("a hovered key has those of the queries that read it", async () => {
		const { open } = oneHot();
		const view = await open();
		await hoverRow(view, "key", 1);
		expect(endsAt(front(view), "left")).toEqual([0, 5]);
		expect(endsAt(front(view), "right")).toEqual([1]);
	});

	test("the layer that is chosen in Python is drawn", async () => {
		const { model, open } = oneHot();
		const view = await open();
		model.set("layer", 1);
		model.set("hovered", [3, null]);
		await frame();
		expect(endsAt(front(view), "right")).toEqual([(2 * 3 + 1 + 1) % 5]);
	});

	test("several heads have a line each, in the colours of their chips", async () => {
		const { model, open } = oneHot();
		const view = await open();
		model.set("heads", [1, 3]);
		model.set("hovered", [2, null]);
		await frame();
		const canvas = front(view);
		expect(endsAt(canvas, "right").sort()).toEqual([1, 3]);
		for (const head of [1, 3]) {
			const y = (((2 * 2 + 1 + head) % 5) + 0.5) * ROW * devicePixelRatio;
			const data = canvas.getContext("2d")?.getImageData(canvas.width - 1, y, 1, 1).data ?? [];
			const chip = view
				.one(`.chips button:nth-child(${head + 1})`)
				.style.getPropertyValue("--head");
			expect([...data].slice(0, 3)).toEqual((chip.match(/\d+/g) ?? []).slice(0, 3).map(Number));
		}
	});

	test("only the largest weights that hold the chosen share have one", async () => {
		const weights = weightsOf(
			[1, 1, 4, 4],
			(_, __, ___, key) => [0.5, 0.25, 0.125, 0.125][key] as number,
		);
		const { model, open } = mount(weights, numbered(4), {
			state: { ...ONLY_HEADS, top_mass: 0.75 },
		});
		const view = await open();
		model.set("hovered", [2, null]);
		await frame();
		expect(endsAt(front(view), "right")).toEqual([0, 1]);
		model.set("top_mass", 1);
		await frame();
		expect(endsAt(front(view), "right")).toEqual([0, 1, 2, 3]);
		model.set("top_mass", 0.5);
		await frame();
		expect(endsAt(front(view), "right")).toEqual([0]);
	});

	test("resting lines are redrawn when heads, layer, share or theme change", async () => {
		const { model, open } = mount(softmaxWeights(2, 3, 7, 7), numbered(7), {
			state: { ...ONLY_HEADS },
		});
		const view = await open();
		const rest = view.one<HTMLCanvasElement>(".lines.rest");
		const pictures = [rest.toDataURL()];
		for (const [name, value] of [
			["layer", 1],
			["heads", [1]],
			["heads", [1, 2]],
			["top_mass", 1],
			["theme", "dark"],
		] as const) {
			model.set(name, value as never);
			await frame();
			pictures.push(rest.toDataURL());
		}
		expect(new Set(pictures).size).toBe(6);
	});
});

describe("labels, bars and numbers", () => {
	const weights = softmaxWeights(2, 6, 7, 5);
	const open = async (state: object) => {
		const mounted = mount(weights, numbered(7, "q"), {
			keyWords: numbered(5, "k"),
			state: { ...ONLY_HEADS, ...state },
		});
		return { ...mounted, view: await mounted.open() };
	};
	const numbersOf = (rows: HTMLElement[]) =>
		rows.map((row) => Number(row.querySelector(".number")?.textContent || 0));
	const barsOf = (row: HTMLElement) =>
		[...row.querySelectorAll<HTMLElement>(".bars i")].map((bar) =>
			Number.parseFloat(bar.style.inlineSize),
		);

	test("labels stand on their side, in order", async () => {
		const { view } = await open({});
		const labels = (side: "query" | "key") =>
			rowsOf(view, side).map((row) => row.querySelector(".label")?.textContent);
		expect(labels("query")).toEqual(numbered(7, "q"));
		expect(labels("key")).toEqual(numbered(5, "k"));
		expect(view.text(".query-side")).toBe("query reads …");
		expect(view.text(".key-side")).toContain("… key");
	});

	test("a hovered query's weights stand at the keys, as numbers and as widths", async () => {
		const { view } = await open({ layer: 1, heads: [4] });
		await hoverRow(view, "query", 5);
		const expected = rowOf(weights, 1, 4, 5);
		for (const [key, row] of rowsOf(view, "key").entries()) {
			expect(barsOf(row)).toEqual([Number(((expected[key] as number) * 100).toFixed(2))]);
			const share = barsOf(row)[0] as number;
			const [bar, track] = [row.querySelector(".bars i"), row.querySelector(".bars")];
			expect(bar?.getBoundingClientRect().width).toBeCloseTo(
				((track as HTMLElement).getBoundingClientRect().width * share) / 100,
				0,
			);
		}
		for (const [key, number] of numbersOf(rowsOf(view, "key")).entries())
			expect(number).toBeCloseTo(
				(expected[key] as number) < 0.01 ? 0 : (expected[key] as number),
				2,
			);
		expect(numbersOf(rowsOf(view, "query"))).toEqual([0, 0, 0, 0, 0, 0, 0]);
	});

	test("a hovered key's weights stand at the queries", async () => {
		const { view } = await open({ heads: [2] });
		await hoverRow(view, "key", 3);
		const expected = columnOf(weights, 0, 2, 3);
		for (const [query, row] of rowsOf(view, "query").entries())
			expect(barsOf(row)[0]).toBeCloseTo((expected[query] as number) * 100, 1);
		for (const row of rowsOf(view, "key")) expect(barsOf(row)).toEqual([]);
	});

	test("several heads have a bar each and their mean as the number", async () => {
		const { view } = await open({ heads: [1, 5] });
		await hoverRow(view, "query", 0);
		const [a, b] = [rowOf(weights, 0, 1, 0), rowOf(weights, 0, 5, 0)];
		for (const [key, row] of rowsOf(view, "key").entries()) {
			const [first, second] = barsOf(row) as [number, number];
			expect(first).toBeCloseTo((a[key] as number) * 100, 1);
			expect(second).toBeCloseTo((b[key] as number) * 100, 1);
			const mean = ((a[key] as number) + (b[key] as number)) / 2;
			expect(numbersOf([row])[0]).toBeCloseTo(mean < 0.01 ? 0 : mean, 2);
		}
	});

	test("more heads than bars can tell apart have a cell each, in its colour, opaque by its weight", async () => {
		const heads = [0, 1, 2, 3, 4, 5];
		const { view } = await open({ heads });
		await hoverRow(view, "query", 2);
		const rows = heads.map((head) => rowOf(weights, 0, head, 2));
		const colours = view
			.all(".chips button")
			.map((chip) => (chip.style.getPropertyValue("--head").match(/\d+/g) ?? []).slice(0, 3));
		for (const [key, row] of rowsOf(view, "key").entries()) {
			expect(barsOf(row)).toEqual([]);
			const strip = row.querySelector<HTMLElement>(".bars")?.style.backgroundImage ?? "";
			// Of a cell and the gap after it both ends are stops.
			const cells = [...strip.matchAll(/rgba?\(([^)]*)\)/g)]
				.map((stop) => (stop[1] as string).split(", "))
				.filter((_, i) => i % 4 === 0);
			expect(cells.map((colour) => colour.slice(0, 3))).toEqual(colours);
			for (const [head, [, , , alpha = "1"]] of cells.entries())
				expect(Number(alpha)).toBeCloseTo(Math.sqrt(rows[head]?.[key] as number), 1);
			const mean = rows.reduce((sum, weightsOfHead) => sum + (weightsOfHead[key] as number), 0) / 6;
			expect(numbersOf([row])[0]).toBeCloseTo(mean < 0.01 ? 0 : mean, 2);
		}
	});

	test("at rest the keys show the mean weight that they receive, and say so", async () => {
		const thirds = weightsOf([1, 2, 3, 3], () => 1 / 3);
		const view = await mount(thirds, numbered(3), { state: { ...ONLY_HEADS } }).open();
		expect(view.text(".key-side")).toContain("mean weight");
		expect(rowsOf(view, "key").map((row) => row.querySelector(".number")?.textContent)).toEqual([
			"0.33",
			"0.33",
			"0.33",
		]);
	});
});

describe("a long text", () => {
	const count = 502;
	const weights = weightsOf([1, 2, count, count], (_, head, query, key) =>
		key === (query * 7 + head) % count ? 1 : 0,
	);

	test("only the rows in view are in the document, wherever it is scrolled to", async () => {
		const view = await mount(weights, numbered(count), { state: { ...ONLY_HEADS } }).open();
		const scroll = view.one(".scroll");
		expect(view.all(".row").length).toBeGreaterThan(40);
		expect(view.all(".row").length).toBeLessThan(80);
		scroll.scrollTop = 4000;
		await expect
			.poll(() => view.all(".query .row .label").map((el) => el.textContent))
			.toContain("w210");
		expect(view.all(".row").length).toBeLessThan(80);
		expect(view.text(".query .label").split(" ")).not.toContain("w0");
	});

	test("the token under the pointer is the one that is drawn there, after scrolling too", async () => {
		const { model, open } = mount(weights, numbered(count), { state: { ...ONLY_HEADS } });
		const view = await open();
		view.one(".scroll").scrollTop = 4010;
		await expect
			.poll(() => view.all(".query .row .label").map((el) => el.textContent))
			.toContain("w210");
		const row = view.all(".query .row").find((el) => el.textContent === "w210") as HTMLElement;
		const at = row.getBoundingClientRect();
		const box = view.one(".scroll").getBoundingClientRect();
		await hoverAt(view.one(".scroll"), 30, at.top + at.height / 2 - box.top);
		expect(model.get("hovered")).toEqual([210, null]);
	});

	test("a token that is pinned elsewhere is scrolled into view", async () => {
		const { model, open } = mount(weights, numbered(count), { state: { ...ONLY_HEADS } });
		const view = await open();
		model.set("selected", [400, 400] satisfies Pointer);
		await expect.poll(() => view.text(".query .focused .label")).toBe("w400");
	});

	test("a token that is moved to by keys is scrolled into view", async () => {
		const { model, open } = mount(weights, numbered(count), { state: { ...ONLY_HEADS } });
		const view = await open();
		for (let i = 0; i < 40; i++)
			view
				.one(".scroll")
				.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true })) &&
				(await frame());
		const [query] = model.get("hovered") ?? [];
		expect(query).toBe(39);
		await expect.poll(() => view.text(".query .focused .label")).toBe("w39");
		const row = view.one(".query .focused").getBoundingClientRect();
		const box = view.one(".scroll").getBoundingClientRect();
		expect(row.bottom).toBeLessThanOrEqual(box.bottom + 1);
	});
});

describe("the keyboard", () => {
	test("down and up move the token, left and right change the side", async () => {
		const { model, open } = oneHot();
		const view = await open();
		const scroll = view.one(".scroll");
		const steps: [string, Pointer][] = [
			["ArrowDown", [0, null]],
			["ArrowDown", [1, null]],
			["ArrowRight", [null, 1]],
			["ArrowDown", [null, 2]],
			["ArrowUp", [null, 1]],
			["ArrowUp", [null, 0]],
			["ArrowUp", [null, 0]],
			["ArrowLeft", [0, null]],
		];
		for (const [key, pointer] of steps) {
			expect(await press(scroll, key), key).toBe(false);
			expect(model.get("hovered")).toEqual(pointer);
		}
	});

	test("from query 6 the right arrow goes to the last of five keys", async () => {
		const { model, open } = oneHot();
		const view = await open();
		model.set("hovered", [6, null]);
		await frame();
		await press(view.one(".scroll"), "ArrowRight");
		expect(model.get("hovered")).toEqual([null, 4]);
	});

	test("with a pin the arrows still go on, token by token", async () => {
		const { model, open } = oneHot();
		const view = await open();
		const scroll = view.one(".scroll");
		await press(scroll, "ArrowDown");
		await press(scroll, "Enter");
		expect(model.get("selected")).toEqual([0, null]);
		for (const query of [1, 2, 3]) {
			await press(scroll, "ArrowDown");
			expect(model.get("hovered")).toEqual([query, null]);
		}
		await press(scroll, "Enter");
		expect(model.get("selected")).toEqual([3, null]);
	});
});

describe("which lines are drawn", () => {
	const weights = weightsOf(
		[1, 2, 6, 6],
		(_, head, query, key) => [0.4, 0.25, 0.15, 0.1, 0.06, 0.04][(key + query + head) % 6] ?? 0,
	);
	const open = async (state: object) => {
		const mounted = mount(weights, numbered(6), {
			state: { ...ONLY_HEADS, top_mass: 1, hovered: [0, null], ...state },
		});
		return { ...mounted, view: await mounted.open() };
	};

	test.each([
		["all", {}, [0, 1, 2, 3, 4, 5]],
		["the largest", { top_k: 2 }, [0, 1]],
		["those above a weight, and at it", { threshold: Math.fround(0.1) }, [0, 1, 2, 3]],
		["of a share only those above a weight", { top_mass: 0.9, threshold: 0.2 }, [0, 1]],
		["of a share only the largest", { top_mass: 0.9, top_k: 3 }, [0, 1, 2]],
		["of the largest only a share", { top_mass: 0.5, top_k: 3 }, [0, 1]],
	] as [string, object, number[]][])("%s", async (_, state, keys) => {
		const { view } = await open(state);
		expect(endsAt(front(view), "right")).toEqual(keys);
	});

	test("limits hold for resting lines too, and a change redraws them", async () => {
		const { view, model } = await open({ hovered: null });
		const rest = view.one<HTMLCanvasElement>(".lines.rest");
		const pictures = [rest.toDataURL()];
		for (const [name, value] of [
			["top_k", 1],
			["threshold", 0.3],
			["threshold", 0.5],
		] as const) {
			model.set(name, value as never);
			await frame();
			pictures.push(rest.toDataURL());
		}
		// One line a row is above 0.3: nothing changes by that.
		expect(new Set(pictures).size).toBe(3);
		expect(hasInk(rest)).toBe(false);
	});

	test("the controls set them, and show what is set", async () => {
		const { view, model } = await open({});
		const labelled = <E extends HTMLElement>(name: string) =>
			view.one<E>(`[aria-label^="${name}"]`);
		await choose(labelled("share of each row's attention"), "0.5");
		expect(model.get("top_mass")).toBe(0.5);
		const more = view.one(".heads [aria-expanded]");
		expect(view.all(".limits")).toEqual([]);
		await click(more);
		expect(more.ariaExpanded).toBe("true");
		await choose(labelled("largest weights of each row"), "3");
		expect(model.get("top_k")).toBe(3);
		const slider = labelled<HTMLInputElement>("smallest weight");
		slider.value = "0.3";
		slider.dispatchEvent(new Event("input", { bubbles: true }));
		await frame();
		expect(model.get("threshold"), "the square of the slider's place").toBe(0.09);
		expect(view.text(".limits output")).toBe("0.09");
		expect(more.textContent).toBe("more (2)");
		await choose(labelled("largest weights of each row"), "0");
		expect(model.get("top_k")).toBeNull();
		await click(more);
		expect(view.all(".limits")).toEqual([]);
	});

	test("what Python set to another value is offered too", async () => {
		const { view } = await open({ top_k: 7, top_mass: 0.333 });
		await click(view.one(".heads [aria-expanded]"));
		const chosen = view
			.all<HTMLSelectElement>(".heads select")
			.map((el) => el.selectedOptions[0]?.text);
		expect(chosen).toEqual(["top 33.3 %", "7"]);
	});
});

describe("segments", () => {
	/** [CLS] a0 a1 [SEP] b0 b1 b2: all read all alike. */
	const words = ["[CLS]", "a0", "a1", "[SEP]", "b0", "b1", "b2"];
	const segment = [-1, 0, 0, -1, 1, 1, 1];
	const even = weightsOf([1, 1, 7, 7], () => 1 / 7);
	const open = async (state: object) => {
		const mounted = mount(even, words, {
			state: { ...ONLY_HEADS, top_mass: 1, ...state },
		});
		Object.assign(mounted.kernel.tokensReply().queries, { segment });
		return { ...mounted, view: await mounted.open() };
	};

	test.each([
		[[[0, 1]], [1, 2], [4, 5, 6]],
		[[[1, 0]], [4, 5, 6], [1, 2]],
		[
			[
				[0, 0],
				[0, 1],
			],
			[1, 2],
			[1, 2, 4, 5, 6],
		],
		[[], [0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6]],
	] as [
		SegmentPair[],
		number[],
		number[],
	][])("%j: who reads and what is read", async (between, reading, read) => {
		const { view } = await open({ between });
		const rest = view.one<HTMLCanvasElement>(".lines.rest");
		expect(endsAt(rest, "left")).toEqual(reading);
		expect(endsAt(rest, "right")).toEqual(read);
	});

	test("a looked-at key has lines from the segments that may read it", async () => {
		const { view } = await open({ between: [[0, 1]], hovered: [null, 5] });
		expect(endsAt(front(view), "left")).toEqual([1, 2]);
	});

	test("a share is that of what may be drawn: a row that looks away keeps its largest of the rest", async () => {
		const { view } = await open({ between: [[0, 1]], top_mass: 0.5, hovered: [1, null] });
		expect(endsAt(front(view), "right")).toEqual([4, 5]);
	});

	test("buttons choose them, several at once, and none is all", async () => {
		const { view, model } = await open({});
		await click(view.one(".heads [aria-expanded]"));
		const buttons = view.all(".limits .segments button");
		expect(buttons.map((el) => el.textContent)).toEqual(["A→A", "A→B", "B→A", "B→B"]);
		await click(buttons[1] as HTMLElement);
		await click(buttons[2] as HTMLElement);
		expect(model.get("between")).toEqual([
			[0, 1],
			[1, 0],
		]);
		expect(buttons.map((el) => el.ariaPressed)).toEqual(["false", "true", "true", "false"]);
		await click(buttons[1] as HTMLElement);
		await click(buttons[2] as HTMLElement);
		expect(model.get("between")).toEqual([]);
	});

	test("one text has none to choose from", async () => {
		const view = await oneHot().open();
		await click(view.one(".heads [aria-expanded]"));
		expect(view.all(".limits .segments")).toEqual([]);
	});
});

describe("several pinned tokens", () => {
	const weights = softmaxWeights(1, 3, 7, 5);
	const mounted = (state: object) =>
		mount(weights, numbered(7, "q"), {
			keyWords: numbered(5, "k"),
			state: { ...ONLY_HEADS, top_mass: 1, ...state },
		});

	test("Shift+click adds and takes away, a click keeps one, Escape releases all", async () => {
		const { model, open } = mounted({});
		const view = await open();
		const content = view.one(".content");
		const pins = () => [model.get("selected"), ...model.get("also")];
		await clickAt(content, 20, 2 * ROW + 9);
		await clickAt(content, 20, 4 * ROW + 9, { shiftKey: true });
		await clickAt(content, 20, 6 * ROW + 9, { shiftKey: true });
		expect(pins()).toEqual([
			[2, null],
			[4, null],
			[6, null],
		]);
		await clickAt(content, 20, 2 * ROW + 9, { shiftKey: true });
		expect(pins()).toEqual([
			[4, null],
			[6, null],
		]);
		await press(view.one(".scroll"), "Escape");
		expect(pins()).toEqual([null]);
		await clickAt(content, 20, 2 * ROW + 9);
		await clickAt(content, 20, 4 * ROW + 9, { shiftKey: true });
		await clickAt(content, 20, 4 * ROW + 9);
		expect(pins()).toEqual([[4, null]]);
	});

	test("each has its lines, and is marked", async () => {
		const { open } = mounted({ selected: [1, null], also: [[5, null]] });
		const view = await open();
		expect(endsAt(front(view), "left")).toEqual([1, 5]);
		expect(view.all(".query .focused .label").map((el) => el.textContent)).toEqual(["q1", "q5"]);
	});

	test.each([
		"mean",
		"sum",
	] as const)("beside the keys stands their %s, and that it is", async (combine) => {
		const { open } = mounted({ heads: [1, 2], selected: [1, null], also: [[5, null]], combine });
		const view = await open();
		const numbers = rowsOf(view, "key").map((row) =>
			Number(row.querySelector(".number")?.textContent),
		);
		for (const [key, number] of numbers.entries()) {
			const sum = [1, 2].flatMap((head) => [1, 5].map((query) => weights.at(0, head, query, key)));
			const over = combine === "mean" ? 4 : 2;
			expect(number).toBeCloseTo(sum.reduce((a, b) => a + b) / over, 1);
		}
		expect(view.text(".key-side")).toBe(`… key · ${combine} over 2`);
	});

	test("the arrows and Shift+Enter do the same", async () => {
		const { model, open } = mounted({});
		const view = await open();
		const scroll = view.one(".scroll");
		await press(scroll, "ArrowDown");
		await press(scroll, "Enter");
		await press(scroll, "ArrowDown");
		expect(await press(scroll, "Enter", { shiftKey: true }), "the host runs no cell").toBe(false);
		expect([model.get("selected"), model.get("also")]).toEqual([[0, null], [[1, null]]]);
	});

	test("in the text and the matrix too", async () => {
		const { model, open } = mount(softmaxWeights(1, 1, 7, 7), numbered(7));
		const view = await open();
		view.token(2).click();
		view.token(4).dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
		await press(view.token(5), "Enter", { shiftKey: true });
		expect([model.get("selected"), model.get("also")]).toEqual([
			[2, 2],
			[
				[4, 4],
				[5, 5],
			],
		]);
		model.set("hovered", [3, 6]);
		await frame();
		await press(view.one(".stage"), "Enter", { shiftKey: true });
		expect(model.get("also")).toHaveLength(3);
	});
});

describe("side by side", () => {
	const side = { ...ONLY_HEADS, orientation: "horizontal" } as const;

	/** The columns at which lines begin above or end below. */
	function placesAt(canvas: HTMLCanvasElement, edge: "top" | "bottom", step: number): number[] {
		const y = edge === "top" ? 0 : canvas.height - 1;
		const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(
			0,
			y,
			canvas.width,
			1,
		);
		const alphas = Array.from({ length: canvas.width }, (_, x) => data[4 * x + 3] as number);
		return stretches(alphas).map(([from, to]) =>
			Math.floor((from + to + 1) / 2 / devicePixelRatio / step),
		);
	}

	test("lines go down from a query above to its key below", async () => {
		const { model, open } = mount(ONE_HOT, numbered(7, "q"), {
			keyWords: numbered(5, "k"),
			state: side,
		});
		const view = await open();
		const step = Number.parseFloat(view.one(".query .row").style.width);
		for (const query of [0, 3, 6]) {
			model.set("hovered", [query, null]);
			await frame();
			expect(placesAt(front(view), "top", step)).toEqual([query]);
			expect(placesAt(front(view), "bottom", step)).toEqual([(2 * query + 1) % 5]);
		}
	});

	test("labels stand over and under their lines' ends, and hover and pin there", async () => {
		const { model, open } = mount(ONE_HOT, numbered(7, "q"), {
			keyWords: numbered(5, "k"),
			state: side,
		});
		const view = await open();
		const content = view.one(".content");
		const box = content.getBoundingClientRect();
		for (const [label, pointer] of [
			["q4", [4, null]],
			["k3", [null, 3]],
		] as const) {
			const el = view.all(".row .label").find((row) => row.textContent === label) as HTMLElement;
			const at = el.getBoundingClientRect();
			await hoverAt(content, at.left + at.width / 2 - box.left, at.top + at.height / 2 - box.top);
			expect(model.get("hovered"), label).toEqual(pointer);
		}
		const [query, key] = [view.one(".column.query"), view.one(".column.key")].map((el) =>
			el.getBoundingClientRect(),
		) as [DOMRect, DOMRect];
		expect(query.bottom).toBeLessThan(key.top);
	});

	test("a CJK token stands upright, one sign below the other", async () => {
		const view = await mount(softmaxWeights(1, 1, 3, 3), ["注意力", "机制", "学习"], {
			state: side,
		}).open();
		const label = view.one(".query .label");
		const range = document.createRange();
		const boxes = [0, 1, 2].map((i) => {
			range.setStart(label.firstChild as Node, i);
			range.setEnd(label.firstChild as Node, i + 1);
			return range.getBoundingClientRect();
		}) as [DOMRect, DOMRect, DOMRect];
		expect(boxes[1].top).toBeGreaterThanOrEqual(boxes[0].bottom - 1);
		expect(boxes[2].top).toBeGreaterThanOrEqual(boxes[1].bottom - 1);
		expect(boxes[1].left).toBeCloseTo(boxes[0].left, 0);
	});

	test("the arrows turn with it", async () => {
		const { model, open } = mount(ONE_HOT, numbered(7, "q"), {
			keyWords: numbered(5, "k"),
			state: side,
		});
		const view = await open();
		const steps: [string, Pointer][] = [
			["ArrowRight", [0, null]],
			["ArrowRight", [1, null]],
			["ArrowDown", [null, 1]],
			["ArrowLeft", [null, 0]],
			["ArrowUp", [0, null]],
		];
		for (const [key, pointer] of steps) {
			await press(view.one(".scroll"), key);
			expect(model.get("hovered"), key).toEqual(pointer);
		}
	});

	test("a long text scrolls sideways, and only what is in view is in the document", async () => {
		const count = 502;
		const weights = weightsOf([1, 1, count, count], (_, __, query, key) => (key === query ? 1 : 0));
		const { model, open } = mount(weights, numbered(count), { state: side });
		const view = await open();
		const scroll = view.one(".scroll");
		expect(view.all(".row").length).toBeLessThan(100);
		expect(scroll.scrollWidth).toBeGreaterThan(502 * 27);
		scroll.scrollLeft = 300 * 28;
		await expect
			.poll(() => view.all(".query .label").map((el) => el.textContent))
			.toContain("w310");
		expect(view.all(".row").length).toBeLessThan(100);
		expect(view.one(".drawing").getBoundingClientRect().left).toBeCloseTo(
			scroll.getBoundingClientRect().left,
			0,
		);
		model.set("selected", [20, 20]);
		await expect.poll(() => view.text(".query .focused .label")).toBe("w20");
	});

	test("a button toggles it, to and fro, with the lines", async () => {
		const { model, open } = oneHot();
		const view = await open();
		const rest = view.one<HTMLCanvasElement>(".lines.rest");
		const before = rest.toDataURL();
		const button = view.one('[aria-label="tokens side by side"]');
		await click(button);
		expect(model.get("orientation")).toBe("horizontal");
		expect(button.ariaPressed).toBe("true");
		expect(rest.toDataURL()).not.toBe(before);
		await click(button);
		expect(model.get("orientation")).toBe("vertical");
		await expect.poll(() => rest.toDataURL()).toBe(before);
	});
});
