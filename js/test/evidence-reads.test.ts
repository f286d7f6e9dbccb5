import { afterEach, describe, expect, test } from "vitest";
import { chanceText, rankedIn } from "../src/views/evidence-ranks";
import { slotsOfPins } from "../src/views/evidence-slots";
import { carried, holderOf, several, tokensOf, tokensText } from "../src/views/evidence-tokens";
import { click } from "./events";
import { drawn, openEvidence, studiesOf, WEIGHTS } from "./evidence";
import { numbered, type Shown, softmaxWeights } from "./host";
import { tokenTable } from "./weights";

afterEach(() => (document.activeElement as HTMLElement | null)?.blur());

const PINNED = { selected: [5, 5], also: [[2, 2]] } as const;
const chips = (view: Shown) =>
	["queries", "keys", "against"].map((name) =>
		view.all(`.${name} .chip`).map((el) => el.textContent),
	);
const shown = (view: Shown) => view.all(".ranks .rank");
const nameIn = (el: Element | undefined) => el?.querySelector(".name")?.textContent;

/** Every head's weight on one edge, the largest first. */
function heavy(query: number, key: number): { name: string; weight: number }[] {
	return Array.from({ length: 12 }, (_, i) => {
		const [layer, head] = [Math.floor(i / 4), i % 4];
		return { name: `${layer}.${head}`, weight: WEIGHTS.at(layer, head, query, key) };
	}).sort((a, b) => b.weight - a.weight);
}

describe("the slots", () => {
	test("are filled from what is pinned, in its order, and follow it", async () => {
		const { model, view, asked, settled } = await openEvidence({ state: PINNED });
		expect(chips(view)).toEqual([["“w5”×"], ["“w2”×"], []]);
		model.set("also", [
			[2, 2],
			[7, 7],
		]);
		await settled();
		expect(chips(view)).toEqual([["“w5”×"], ["“w2”×"], ["“w7”×"]]);
		expect(asked("reads")).toEqual([
			{ of: "reads", queries: [5], keys: [2], against: [] },
			{ of: "reads", queries: [5], keys: [2], against: [7] },
		]);
	});

	test("that aren't full ask nothing, and say what is missing", async () => {
		const { view, asked } = await openEvidence({ state: { selected: [5, 5] } });
		expect(asked("reads")).toEqual([]);
		expect(view.text(".studies")).toContain("Pin a token for X and one for Y");
		expect(view.text(".slots .empty")).toBe("Y Z");
	});

	test("stay once a chip was taken out, are added to, and follow again when told", async () => {
		const { model, view, asked, settled } = await openEvidence({
			state: { ...PINNED, also: [...PINNED.also, [7, 7]] },
		});
		await click(view.one(".against .chip button"));
		expect(chips(view)).toEqual([["“w5”×"], ["“w2”×"], []]);
		expect(view.root.activeElement, "what was pressed is gone").toBe(view.one("[name=follow]"));
		model.set("also", [[3, 3]]);
		await settled();
		expect(chips(view)).toEqual([["“w5”×"], ["“w2”×"], []]);
		await click(view.one('[name="add keys"]'));
		await settled();
		expect(chips(view)).toEqual([["“w5”×"], ["“w2”×", "“w3”×"], []]);
		expect(asked("reads").at(-1)).toMatchObject({ keys: [2, 3], against: [] });
		expect(view.all('[name="add keys"], [name="add against"]'), "nothing else is pinned").toEqual(
			[],
		);
		await click(view.one("[name=follow]"));
		expect(chips(view)).toEqual([["“w5”×"], ["“w3”×"], []]);
	});

	test.each([
		[
			"a token, a token, another",
			[
				[5, 5],
				[2, 2],
				[7, 7],
			],
			[5],
			[2],
			[7],
		],
		[
			"a cell is who reads and what is read",
			[
				[5, 2],
				[null, 7],
			],
			[5],
			[2],
			[7],
		],
		[
			"a fourth isn't asked about",
			[
				[5, 5],
				[2, 2],
				[7, 7],
				[8, 8],
			],
			[5],
			[2],
			[7],
		],
		[
			"one that is read before there is a reader",
			[
				[null, 2],
				[5, null],
			],
			[5],
			[2],
			[],
		],
	] as const)("of pins: %s", (_, [selected, ...also], queries, keys, against) => {
		expect(slotsOfPins({ selected, also }, { same_tokens: true })).toEqual({
			queries,
			keys,
			against,
		});
	});

	test("where keys are other tokens, the fifth of each is no one token", () => {
		const pins = { selected: [5, 5], also: [] } as const;
		expect(slotsOfPins(pins, { same_tokens: false })).toEqual({
			queries: [5],
			keys: [5],
			against: [],
		});
	});

	test("hold on another page what is there too, by its text", async () => {
		const { mounted, model, kernel, view } = await openEvidence({ state: PINNED }).then((it) => ({
			...it,
			mounted: it,
		}));
		model.set("also", [
			[2, 2],
			[7, 7],
		]);
		await mounted.settled();
		await click(view.one(".against .chip button"));
		const words = numbered(9).map((word, i) => (i === 5 ? "other" : word));
		kernel.show(WEIGHTS, words, null);
		model.set("selected", null);
		model.set("also", []);
		model.set("_description", { ...model.get("_description"), shown: "another" });
		await drawn(mounted, view);
		expect(chips(view)).toEqual([[], ["“w2”×"], []]);
	});
});

describe("tokens on another page", () => {
	const tokens = tokenTable(["run", "ning", "shoes"]);
	const words = { ...tokenTable(["running", "shoes"]), count: [2, 1] };
	const side = (table: typeof tokens, unit: "token" | "word") => ({ table, unit });

	test("are found in the words that hold them, and a word in its tokens", () => {
		expect(carried([1, 2], side(tokens, "token"), side(words, "word"))).toEqual([0, 1]);
		expect(carried([0], side(words, "word"), side(tokens, "token"))).toEqual([0, 1]);
	});

	test("of another text are gone, in either unit", () => {
		const others = tokenTable(["run", "away", "now"]);
		expect(carried([0, 1, 2], side(tokens, "token"), side(others, "token"))).toEqual([0]);
		expect(carried([1], side(words, "word"), side(others, "token"))).toEqual([]);
		expect(carried([9], side(tokens, "token"), side(others, "token"))).toEqual([]);
	});

	test("are counted by what each word stands for", () => {
		expect(tokensOf(words, [0, 1])).toEqual([0, 1, 2]);
		expect([0, 1, 2, 3].map((token) => holderOf(words, token))).toEqual([0, 0, 1, undefined]);
		expect(tokensText(words, [0, 1, 2])).toBe("“running”, “shoes”");
		expect(tokensText(words, [17]), "which isn't in this text").toBe("token 17");
	});

	test("of many a few are named", () => {
		expect(several(["a", "b", "c"])).toBe("a, b, c");
		expect(several(["a", "b", "c", "d"])).toBe("a, b and 2 more");
	});
});

describe("the ranks", () => {
	test("are of all heads by mass, eight of them, and the chosen one whatever its rank", async () => {
		const sorted = heavy(5, 2);
		const last = sorted.at(-1)?.name as string;
		const [layer, head] = last.split(".").map(Number) as [number, number];
		const { view } = await openEvidence({ state: { ...PINNED, layer, heads: [head] } });
		expect(shown(view).map(nameIn)).toEqual([
			...sorted.slice(0, 8).map(({ name }) => name),
			`${last} (12.)`,
		]);
		const [best] = sorted;
		expect(shown(view)[0]?.textContent).toContain(best?.weight.toFixed(3));
		expect(view.text(".studies")).toContain(
			`${best?.name} reads “w5” → “w2” most (${best?.weight.toFixed(2)}; at other places ${((best?.weight ?? 0) / 2).toFixed(2)}).`,
		);
	});

	test("what isn't more than chance is said in muted words, and stays", async () => {
		const { view } = await openEvidence({ state: PINNED });
		const said = shown(view).map((el) => el.querySelector(".chance")?.textContent);
		const expected = heavy(5, 2)
			.slice(0, 8)
			.map(({ weight }) => (weight > 0.1 ? "p 0.031" : "not more than chance"));
		expect(new Set(expected).size, "there are both").toBe(2);
		expect(said.slice(0, 8)).toEqual(expected);
	});

	test("show all of them when told, and go to the one that is pressed, also with others", async () => {
		const { model, view } = await openEvidence({ state: PINNED });
		await click(view.one("[name=all]"));
		expect(shown(view)).toHaveLength(12);
		expect(shown(view).map(nameIn)).toEqual(heavy(5, 2).map(({ name }) => name));
		const third = heavy(5, 2)[2]?.name as string;
		await click(shown(view)[2]?.querySelector("button") as HTMLElement);
		expect(`${model.get("layer")}.${model.get("heads")}`).toBe(third);
		expect(shown(view)[2]?.classList).toContain("on");
	});

	test("with Z they are by the difference, and both masses stand in them", async () => {
		const { view } = await openEvidence({ state: { ...PINNED, also: [...PINNED.also, [7, 7]] } });
		const by = Array.from({ length: 12 }, (_, i) => {
			const [layer, head] = [Math.floor(i / 4), i % 4];
			const of = [2, 7].map((key) => WEIGHTS.at(layer, head, 5, key)) as [number, number];
			return { name: `${layer}.${head}`, of, difference: of[0] - of[1] };
		}).sort((a, b) => b.difference - a.difference);
		const [best] = by;
		expect(nameIn(shown(view)[0])).toBe(best?.name);
		expect(shown(view)[0]?.textContent).toContain(best?.of.map((it) => it.toFixed(3)).join(""));
		const other = heavy(5, 7)[0];
		expect(view.text(".studies")).toContain(
			`; “w7” most in ${other?.name} (${other?.weight.toFixed(2)}).`,
		);
	});

	test("the difference is per token where the keys aren't as many", () => {
		const found = {
			of: "reads",
			mass: [0.6, 0.5],
			against: [0.25, 0.1],
			elsewhere: [null, null],
			percentile: [null, null],
			p: [null, null],
			p_difference: [0.2, null],
			difference_elsewhere: [null, null],
			uniform: null,
			notes: [],
		} as const;
		// 0.3 - 0.25 and 0.25 - 0.1, where the sums would put the first before.
		const slots = { queries: [0], keys: [1, 2], against: [3] };
		const ranked = rankedIn(found, slots, { heads: 2 });
		expect(ranked.map(({ head }) => head)).toEqual([1, 0]);
		expect(ranked.map(({ p }) => p)).toEqual([null, 0.2]);
	});

	test("the mark is at what uniform attention has", async () => {
		const { view } = await openEvidence({ state: PINNED });
		const most = heavy(5, 2)[0]?.weight as number;
		const [tick] = view.all(".ranks .tick");
		expect(tick?.style.insetInlineStart).toBe(`${(100 / 12 / most).toFixed(2)}%`);
		expect(view.text(".remarks")).toContain("Uniform attention would have 0.083 (the marks).");
		expect(view.text(".remarks")).toContain("p is of 24 places");
	});

	test("an error stands in their place", async () => {
		const { model, kernel, view, settled } = await openEvidence();
		const all = studiesOf(WEIGHTS);
		kernel.studied = (study) => (study.of === "reads" ? "“w2” is hidden." : all(study));
		model.set("selected", [5, 2]);
		await settled();
		expect(view.text(".part [role=alert]")).toContain("“w2” is hidden.");
	});

	test.each([
		[null, "p not known"],
		[0.0004, "p < 0.001"],
		[0.001, "p 0.001"],
		[0.049, "p 0.049"],
		[0.05, "not more than chance"],
	])("of p = %s say %s", (p, text) => expect(chanceText(p)).toBe(text));
});

test("of a model with over a thousand heads all of them are listed in their order", async () => {
	const large = softmaxWeights(30, 40, 4, 4);
	const { view } = await openEvidence(
		{ state: { selected: [3, 3], also: [[1, 1]] } },
		700,
		large,
		numbered(4),
	);
	await click(view.one("[name=all]"));
	const masses = shown(view).map((el) => Number(el.querySelector(".mass")?.textContent));
	expect(masses).toHaveLength(1200);
	expect(masses).toEqual([...masses].sort((a, b) => b - a));
});
