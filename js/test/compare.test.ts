import { describe, expect, test } from "vitest";
import { css, inkOf, palette } from "../src/draw/colour";
import { columnsOf, joins, linesOf } from "../src/views/compare-columns";
import { broken } from "./broken";
import {
	CHANGED,
	differenceOf,
	FIRST,
	meanRow,
	openCompare,
	PAIRS,
	roleOf,
	SECOND,
	SHOWN,
	TWO,
	type Two,
} from "./compare";
import { click, frame, hover, leave, press } from "./events";
import { numbered, type Shown } from "./host";
import { softmaxWeights } from "./weights";

const INK = inkOf(palette(false), "sqrt", 1);

/** The columns of the first gloss, in order: the tokens that stand in them, and what they are named. */
function columns(view: Shown) {
	return view.all(".gloss [data-column]").map((el) => {
		const [first, second] = [...el.querySelectorAll<HTMLElement>(".of")];
		return { el, texts: [first?.textContent, second?.textContent], name: nameOf(el) };
	});
}

/** The name of an option is what is in it that isn't hidden from who doesn't see it. */
function nameOf(el: Element | null): string {
	const parts = [...(el?.children ?? [])].filter((part) => !part.matches("[aria-hidden=true]"));
	return parts.map((part) => part.textContent).join("");
}

function shared(view: Shown, index: number): HTMLElement {
	const found = columns(view).filter(({ name }) => name?.includes("position"))[index];
	if (!found) throw new Error(`nothing stands at ${index}`);
	return found.el;
}

function tokensOf(view: Shown, index: number): [HTMLElement, HTMLElement] {
	return [...shared(view, index).querySelectorAll<HTMLElement>(".token")] as [
		HTMLElement,
		HTMLElement,
	];
}

/** A colour as the browser writes it. */
function written(colour: string): string {
	const el = document.createElement("i");
	el.style.backgroundColor = colour;
	return el.style.backgroundColor;
}

describe("both texts", () => {
	test("stand above each other: what is opposite in one column, what is alone with a gap", async () => {
		const { view } = await openCompare();
		expect(columns(view).map(({ texts }) => texts)).toEqual([
			["[CLS]", "[CLS]"],
			["now", "·"],
			["the", "the"],
			["cat", "dog"],
			["sat", "sat"],
			["here", "·"],
			["·", "right"],
			["·", "there"],
			[".", "."],
			["[SEP]", "[SEP]"],
		]);
		for (const { el } of columns(view)) {
			const lefts = [...el.querySelectorAll(".token")].map((it) => it.getBoundingClientRect().left);
			expect(new Set(lefts).size).toBe(1);
		}
		expect(view.text(".gutter")).toBe("first second difference".replaceAll(" ", ""));
	});

	test("say by their names what changed and what only one has, not by colour alone", async () => {
		const { view } = await openCompare();
		const names = columns(view).map(({ name }) => name);
		expect(names[3]).toBe("cat, changed to dog, position 2");
		expect(names[1]).toBe("now, only in first");
		expect(names[6]).toBe("right, only in second");
		expect(names[4]).toBe("sat, position 3");
		const marked = (el: HTMLElement) => getComputedStyle(el).textDecorationLine === "underline";
		for (const [index, changed] of CHANGED.entries())
			expect(tokensOf(view, index).map(marked)).toEqual([changed, changed]);
		expect(columns(view)[1]?.el.ariaDisabled).toBe("true");
		expect(view.one(".gloss").ariaLabel).toContain("tokens of first above those of second");
	});

	test("at rest are as written, and nothing is asked of rows", async () => {
		const { view, asked } = await openCompare();
		for (const index of PAIRS.keys())
			for (const token of tokensOf(view, index)) expect(token.style.backgroundColor).toBe("");
		expect(view.text(".differs")).toBe("Hover or pin a token to see what it reads in both.");
		expect(asked("compare")).toEqual([]);
		expect(asked("sides")).toHaveLength(1);
	});
});

describe("a token that is looked at", () => {
	test("shades each text by what is read there, and the difference stands below with its sign", async () => {
		const { model, view, settled } = await openCompare({ state: { layer: 1, heads: [2] } });
		await hover(shared(view, 3));
		await settled();
		await frame();
		expect(model.get("hovered")).toEqual([3, 3]);
		const [query, other] = PAIRS[3];
		const rows = [meanRow(TWO.first, 1, [2], [query]), meanRow(TWO.second, 1, [2], [other])];
		for (const [index, ends] of PAIRS.entries()) {
			const [first, second] = ends.map((end, side) => rows[side]?.[end] ?? Number.NaN) as [
				number,
				number,
			];
			const [above, below] = tokensOf(view, index);
			expect(above.style.backgroundColor).toBe(written(INK.of(Math.fround(first))));
			expect(below.style.backgroundColor).toBe(written(INK.of(Math.fround(second))));
			const by = second - first;
			const bar = shared(view, index).querySelector("i") as HTMLElement;
			expect(bar.className).toBe(by < 0 ? "less" : "more");
			const number = shared(view, index).querySelector(".by")?.textContent;
			if (Math.abs(by) >= 0.02)
				expect(number).toBe(`${by < 0 ? "−" : "+"}${Math.abs(by).toFixed(2)}`);
			if (Math.max(first, second) >= 0.05)
				expect([above, below].map((it) => it.dataset.weight)).toEqual([
					first.toFixed(2),
					second.toFixed(2),
				]);
		}
		const alone = columns(view)[1]?.el.querySelector(".token") as HTMLElement;
		expect(alone.style.backgroundColor).toBe(written(INK.of(Math.fround(rows[0]?.[1] ?? 0))));
		for (const token of tokensOf(view, 3)) expect(token.className).toContain("looked");
		expect(shared(view, 0).ariaDescription).toBe(
			`${rows[0]?.[0]?.toFixed(2)} in first, ${rows[1]?.[0]?.toFixed(2)} in second`,
		);
	});

	test("bars are as long as the differences are large, by one scale", async () => {
		const { view, model, settled } = await openCompare({ state: { layer: 2, heads: [1] } });
		model.set("selected", [2, 2]);
		await settled();
		await frame();
		const by = PAIRS.map((_, key) => Math.abs(differenceOf(TWO).at(2, 1, 2, key)));
		const heights = PAIRS.map((_, key) =>
			Number.parseFloat((shared(view, key).querySelector("i") as HTMLElement).style.height),
		);
		const most = Math.max(0.1, ...by);
		for (const [key, height] of heights.entries())
			expect(height).toBeCloseTo((50 * (by[key] as number)) / most, 0);
	});

	test("is told in words: where it reads most differently, and what only one has", async () => {
		const { view, model, settled } = await openCompare({ state: { layer: 1, heads: [0] } });
		for (const query of PAIRS.keys()) {
			model.set("selected", [query, query]);
			await settled();
			await frame();
			const rows = [
				meanRow(TWO.first, 1, [0], [PAIRS[query]?.[0] ?? 0]),
				meanRow(TWO.second, 1, [0], [PAIRS[query]?.[1] ?? 0]),
			] as const;
			const ends = PAIRS.map(([i, j]) => [rows[0][i] as number, rows[1][j] as number] as const);
			const by = ends.map(([first, second]) => Math.abs(second - first));
			const key = by.indexOf(Math.max(...by));
			const [first, second] = ends[key] as readonly [number, number];
			const then = CHANGED[key] ? `“${SECOND[PAIRS[key]?.[1] ?? 0]}” ` : "";
			const before = FIRST[PAIRS[key]?.[0] ?? 0];
			const said = view.text(".differs");
			expect(said).toContain(
				`“${SHOWN[query]}” reads most differently “${before}” ${first.toFixed(2)} → ${then}${second.toFixed(2)}`,
			);
			const alone = (rows[0][1] as number) + (rows[0][5] as number);
			if (alone >= 0.01) expect(said).toContain(`what only first has ${alone.toFixed(2)}`);
		}
	});

	test("of several tokens and heads the mean is asked for, and their sum is shown if one wishes", async () => {
		const { view, model, asked, settled } = await openCompare({
			state: { layer: 0, heads: [1, 3], selected: [2, 2], also: [[4, 4]] },
		});
		expect(asked("compare").at(-1)).toEqual({
			of: "compare",
			layer: 0,
			heads: [1, 3],
			queries: [2, 4],
		});
		const mean = meanRow(TWO.second, 0, [1, 3], [2, 6]);
		expect(tokensOf(view, 0)[1].dataset.weight).toBe(mean[0]?.toFixed(2));
		expect(view.text(".differs")).toContain("“cat → dog” and 1 more (mean) read");
		model.set("combine", "sum");
		await settled();
		await frame();
		expect(tokensOf(view, 0)[1].dataset.weight).toBe((2 * (mean[0] ?? 0)).toFixed(2));
	});

	test("is pinned by a click and released by another; the pointer leaves it", async () => {
		const { model, view, settled } = await openCompare();
		await click(shared(view, 2));
		await settled();
		await frame();
		expect(model.get("selected")).toEqual([2, 2]);
		expect(shared(view, 2).ariaSelected).toBe("true");
		await hover(shared(view, 4));
		await leave(view.one(".gloss"));
		expect(model.get("hovered")).toBeNull();
		await click(shared(view, 2));
		expect(model.get("selected")).toBeNull();
		await click(columns(view)[1]?.el as HTMLElement);
		expect(model.get("selected"), "what stands alone can't be looked at").toBeNull();
	});

	test("goes by keys from what both have to what both have", async () => {
		const { model, view } = await openCompare();
		const stops = () => columns(view).filter(({ el }) => el.tabIndex === 0);
		expect(stops().map(({ name }) => name)).toEqual(["[CLS], position 0"]);
		shared(view, 0).focus();
		for (const [key, expected] of [
			["ArrowRight", "the, position 1"],
			["ArrowDown", "cat, changed to dog, position 2"],
			["ArrowLeft", "the, position 1"],
		] as const) {
			const at = view.root.activeElement as HTMLElement;
			expect(await press(at, key), "seen by the host").toBe(false);
			expect(nameOf(view.root.activeElement)).toBe(expected);
			expect(stops()).toHaveLength(1);
		}
		expect(model.get("hovered")).toEqual([1, 1]);
		const at = view.root.activeElement as HTMLElement;
		expect(await press(at, "Enter"), "seen by the host").toBe(false);
		expect(model.get("selected")).toEqual([1, 1]);
		expect(await press(at, "Enter", { ctrlKey: true }), "seen by the host").toBe(true);
	});
});

describe("heads that differ", () => {
	test("are ranked with the weight that differs most, in words; a click goes to one", async () => {
		const { model, view } = await openCompare({ state: { layer: 0, heads: [0] } });
		const rows = view.all(".compared .rank");
		expect(rows.map((row) => row.querySelector(".name")?.textContent)).toEqual([
			"2.3",
			"2.2",
			"2.1",
			"2.0",
			"1.3",
			"1.2",
			"1.1",
			"1.0",
		]);
		expect(rows[0]?.querySelector(".mass")?.textContent).toBe("0.1100");
		expect(rows[0]?.querySelector(".edge")?.textContent).toMatch(
			/^“.+” reads “.+” \d\.\d\d → (“.+” )?\d\.\d\d$/,
		);
		const button = rows[2]?.querySelector("button") as HTMLElement;
		expect(button.ariaLabel).toContain("layer 2 head 1: 0.0900 nats; “");
		await click(button);
		expect([model.get("layer"), model.get("heads")]).toEqual([2, [1]]);
		await frame();
		expect(view.all(".compared .rank.on .name").map((el) => el.textContent)).toEqual(["2.1"]);
		expect(view.text(".compared .note")).toContain("mean over all 6 rows");
	});

	test("are none where both are the same", async () => {
		const { view } = await openCompare({}, 1100, TWO, (study) =>
			study.of === "differ"
				? { of: "differ", js: Array(12).fill(0), edges: [], read: 6 }
				: undefined,
		);
		expect(view.text(".ranking")).toContain("No head reads anything else");
	});

	test("by the largest difference, where numbers are below 0 and have no divergence", async () => {
		const edge = { layer: 1, head: 2, query: 0, key: 1, first: -0.5, second: 0.75 };
		const { view } = await openCompare({}, 1100, TWO, (study) =>
			study.of === "differ"
				? { of: "differ", js: Array(12).fill(null), edges: [edge], read: 6 }
				: undefined,
		);
		expect(view.all(".compared .mass").map((el) => el.textContent)).toEqual(["1.2500"]);
		expect(view.text(".ranking .title")).toContain("largest difference");
		expect(view.text(".compared .edge")).toBe("“[CLS]” reads “the” -0.50 → 0.75");
		expect(view.text(".compared .note")).toContain("have no divergence");
	});

	test("while they are compared, it is said how far that is, and the texts are there", async () => {
		const opened = await openCompare({}, 1100, TWO, (study) =>
			study.of === "differ" ? "the kernel can't" : undefined,
		);
		const { view, kernel, settled } = opened;
		expect(view.text(".ranking [role=alert]")).toContain("the kernel can't");
		kernel.studied = () => ({ of: "differ", js: Array(12).fill(0), edges: [], read: 3 });
		kernel.studying = [0.25];
		await click(view.one(".ranking [role=alert] button"));
		await settled();
		await frame();
		expect(view.text(".ranking")).not.toContain("can't");
		expect(columns(view)).toHaveLength(10);
	});
});

test.each([
	["kind", "first", { against: "", kind: "first", shown: "first" }],
	["unit", "word", { shown: "words" }],
] as const)("of another %s it says what it compares, and goes there", async (name, value, description) => {
	const { view, model, asked } = await openCompare({ state: { [name]: value }, description });
	expect(view.text(".compared")).toContain("compared token by token");
	expect(view.one(".both").hidden).toBe(true);
	expect(asked("sides")).toEqual([]);
	await click(view.one(".compared button"));
	expect([model.get("kind"), model.get("unit")]).toEqual(["difference", "token"]);
});

test("what can't be compared is said, and tried again", async () => {
	let fails = true;
	const { view, settled } = await openCompare({}, 1100, TWO, (study) =>
		study.of === "sides" && fails ? "these are no texts" : undefined,
	);
	expect(view.text(".compared [role=alert]")).toContain("these are no texts");
	fails = false;
	await click(view.one(".compared [role=alert] button"));
	await settled();
	await frame();
	expect(columns(view)).toHaveLength(10);
});

test("what a classifier says of each stands above the texts", async () => {
	const { view } = await openCompare({}, 1100, TWO, (study) =>
		study.of === "sides"
			? {
					of: "sides",
					queries: roleOf(TWO),
					keys: null,
					labels: [[["good", 0.75]], [["<b>bad</b>", 0.5]]],
					labels_by: ["softmax", "softmax"],
				}
			: undefined,
	);
	expect(view.all(".labels").map((el) => el.textContent)).toEqual([
		"first good 0.75",
		"second <b>bad</b> 0.50",
	]);
});

test("of cross-attention there are two: those that read, and those that are read", async () => {
	const keys = "the blue house".split(" ");
	const source: Two = {
		...TWO,
		words: [keys, ["a", ...keys.slice(1)]],
		pairs: [
			[0, 0],
			[1, 1],
			[2, 2],
		],
	};
	const { view, model, settled } = await openCompare(
		{ keyWords: ["the → a", "blue", "house"], description: { keys: 3, same_tokens: false } },
		1100,
		TWO,
		(study) => {
			if (study.of === "compare")
				return { of: "compare", first: [0.5, 0.25, 0.25], second: [0, 0.5, 0.5] };
			return study.of === "sides"
				? {
						of: "sides",
						queries: roleOf(TWO),
						keys: roleOf(source),
						labels: [[], []],
						labels_by: ["", ""],
					}
				: undefined;
		},
	);
	const [reads, read] = view.all(".gloss") as [HTMLElement, HTMLElement];
	await hover(reads.querySelectorAll("[data-column]")[3] as HTMLElement);
	await settled();
	await frame();
	expect(model.get("hovered")).toEqual([2, null]);
	const weights = [...read.querySelectorAll<HTMLElement>(".token")].map((el) => el.dataset.weight);
	expect(weights).toEqual(["0.50", "0.00", "0.25", "0.50", "0.25", "0.50"]);
	expect(reads.querySelectorAll("[data-weight]")).toHaveLength(0);
	await hover(read.querySelectorAll("[data-column]")[1] as HTMLElement);
	expect(model.get("hovered")).toEqual([null, 1]);
});

describe("long texts", () => {
	const count = 500;
	const words = numbered(count);
	const changed = words.map((word, i) => (i % 9 === 4 ? `${word}x` : word));
	const weights = softmaxWeights(1, 1, count, count);
	const two: Two = {
		first: weights,
		second: weights,
		words: [words, changed],
		pairs: words.map((_, i) => [i, i] as const),
	};

	test.each([600, 700, 1200])("at %i px wrap in a box and go nowhere beyond it", async (width) => {
		const { view } = await openCompare({}, width, two);
		const box = view.one(".gloss");
		expect(box.scrollWidth).toBe(box.clientWidth);
		expect(box.scrollHeight).toBeGreaterThan(1000);
		expect(box.clientHeight).toBeLessThan(450);
		const edge = box.getBoundingClientRect().right;
		for (const { el } of columns(view))
			expect(el.getBoundingClientRect().right).toBeLessThanOrEqual(edge + 1);
		expect(view.one(".explorer").scrollWidth).toBeLessThanOrEqual(width);
	});

	test("only lines in view are in the document; a pin elsewhere is scrolled to, and Tab finds a token", async () => {
		const { view, model, settled } = await openCompare({}, 1000, two);
		expect(columns(view).length).toBeLessThan(200);
		model.set("selected", [400, 400]);
		await settled();
		await frame();
		await frame();
		const inView = columns(view).map(({ el }) => Number(el.dataset.column));
		expect(inView).toContain(400);
		expect(inView.length).toBeLessThan(250);
		expect(inView).toEqual([...inView].sort((a, b) => a - b));
		expect(columns(view).filter(({ el }) => el.tabIndex === 0)).toHaveLength(1);
		expect(view.all(".gloss [data-weight]")).toEqual([]);
	});
});

describe("the other views of a difference", () => {
	const by = (query: number, key: number) => differenceOf(TWO).at(1, 2, query, key);

	test("tell how much more or less is read, and give each number its sign", async () => {
		const { view, model, settled } = await openCompare({
			state: { view: ["compare", "heads"], layer: 1, heads: [2] },
		});
		const signs = new Set<string>();
		for (const [query] of PAIRS.entries())
			for (const [key] of PAIRS.entries()) {
				if (query === key || Math.abs(by(query, key)) < 1e-3) continue;
				model.set("selected", [query, key]);
				await settled();
				await frame();
				const than = by(query, key) < 0 ? "less" : "more";
				signs.add(than);
				expect(view.text(".readout")).toContain(
					`“${SHOWN[query]}” (${query}) reads “${SHOWN[key]}” (${key})${Math.abs(by(query, key)).toFixed(4)} ${than} than in first`,
				);
			}
		expect(signs.size).toBe(2);
		model.set("selected", [2, 2]);
		await settled();
		await frame();
		const read = [...PAIRS.keys()].sort((a, b) => Math.abs(by(2, b)) - Math.abs(by(2, a)));
		const listed = read.slice(0, 3).map((key) => {
			const weight = by(2, key);
			return `${SHOWN[key]} ${weight < 0 ? "−" : "+"}${Math.abs(weight).toFixed(4)}`;
		});
		expect(view.text(".readout")).toContain(listed.join(""));
	});

	test("draw what is read less in blue, and its scale has both signs", async () => {
		const { view, model, settled } = await openCompare({
			state: { view: ["compare", "heads"], layer: 1, heads: [2] },
		});
		model.set("selected", [3, null]);
		await settled();
		await frame();
		const { read, less } = palette(false);
		const bars = view.all(".column.key .bars i").map((el) => el.style.backgroundColor);
		expect(bars).toEqual(
			[...PAIRS.keys()].map((key) => written(css(by(3, key) < 0 ? less : read, 0.3))),
		);
		expect(view.one(".legend").ariaLabel).toBe("colour of difference, from −1 to 1");
		const places = view
			.all(".legend span")
			.map((el) => [el.textContent, Number.parseFloat(el.style.left)] as const);
		expect(places.sort(([, a], [, b]) => a - b).map(([text]) => text)).toEqual([
			"−1",
			"−.1",
			"0",
			".1",
			"1",
		]);
		expect(places.map(([, left]) => Math.round(left))).toEqual([0, 34, 50, 66, 100]);
	});
});

test.each(["light", "dark"] as const)("no serious violation, %s", async (theme) => {
	const { view, model, settled } = await openCompare({ state: { theme } });
	expect(await broken(view)).toEqual([]);
	model.set("selected", [2, 2]);
	await settled();
	await frame();
	expect(await broken(view)).toEqual([]);
	await hover(shared(view, 4));
	await settled();
	await frame();
	expect(await broken(view)).toEqual([]);
});

describe("lines", () => {
	const role = roleOf({
		...TWO,
		words: [
			["a", "b", "c"],
			["a", "x", "c"],
		],
		pairs: [
			[0, 0],
			[2, 2],
		],
		table: { gap: ["", "", " "] },
	});

	test("columns hold every token of both once, in order", () => {
		const found = columnsOf(role);
		expect(found.map(({ ends }) => ends)).toEqual([
			[0, 0],
			[1, null],
			[null, 1],
			[2, 2],
		]);
		expect(found.map(({ shared }) => shared)).toEqual([0, null, null, 1]);
	});

	test("a word's pieces join where they touch in every text that has both", () => {
		const found = columnsOf(role);
		expect(found.map((column, at) => joins(role, found[at - 1], column))).toEqual([
			false,
			true,
			false,
			false,
		]);
	});

	test("break before words, and within one that is wider than a line", () => {
		const lines = (widths: number[], joined: boolean[], width: number) =>
			linesOf(widths, joined, width).map(({ first, stop }) => [first, stop]);
		expect(lines([40, 40, 40], [false, false, false], 100)).toEqual([
			[0, 2],
			[2, 3],
		]);
		expect(lines([40, 40, 40], [false, false, true], 100)).toEqual([
			[0, 1],
			[1, 3],
		]);
		expect(lines([60, 60, 60, 10], [false, true, true, true], 100)).toEqual([
			[0, 1],
			[1, 2],
			[2, 4],
		]);
		expect(lines([300], [false], 100)).toEqual([[0, 1]]);
		expect(lines([], [], 100)).toEqual([]);
	});
});
