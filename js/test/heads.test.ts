import { describe, expect, test } from "vitest";
import type { Pointer } from "../src/protocol.gen";
import { clickAt, frame, hoverAt, press } from "./events";
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
			const cells = [...strip.matchAll(/rgba?\(([^)]*)\) [\d.]+% [\d.]+%/g)]
				.map((cell) => (cell[1] as string).match(/[\d.]+/g) ?? [])
				.filter((colour) => colour.slice(0, 3).join() !== "0,0,0");
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
