import { describe, expect, test } from "vitest";
import type { TokenTable } from "../src/protocol.gen";
import { Finder, FOUND, FOUND_HERE } from "../src/views/find";
import { frame, press } from "./events";
import { type Mounted, mount, numbered, type Shown, softmaxWeights } from "./host";
import { tokenTable, weightsOf } from "./weights";

/** What a search finds in tokens, as their texts. */
function found(words: readonly string[], gaps: readonly string[], text: string): string[] {
	const table: TokenTable = { ...tokenTable(words), gap: gaps };
	const finder = new Finder("", () => {});
	finder.over({ queries: table, keys: table, steps: [] });
	finder.search(text);
	return finder.hits.map(({ first, last }) => words.slice(first, last + 1).join("|"));
}

describe("a search", () => {
	const words = ["The", "un", "believ", "able", "café", "İs", "there"];
	const gaps = ["", " ", "", "", "\n\n", " ", " "];

	test.each([
		["the", ["The", "there"]],
		["THE ", ["The"]],
		["nbelieva", ["un|believ|able"]],
		["able cafe", ["able|café"]],
		["cafe\u0301", ["café"]],
		["is th", ["İs|there"]],
		["  the un", ["The|un"]],
		["unbelievable  café", ["un|believ|able|café"]],
		["thecat", []],
		["   ", []],
		["", []],
	])("for %j finds %j: over tokens, whatever the case and the accents", (text, hits) => {
		expect(found(words, gaps, text)).toEqual(hits);
	});

	test("doesn't run from a special token into the text", () => {
		expect(found(["[CLS]", "a", "[SEP]"], ["", "", ""], "]a")).toEqual([]);
		expect(found(["[CLS]", "a", "[SEP]"], ["", "", ""], "[sep]")).toEqual(["[SEP]"]);
	});

	test("counts what overlaps once, as editors do", () => {
		expect(found(["a", "a", "a"], ["", "", ""], "aa")).toEqual(["a|a"]);
	});

	test("keeps signs that are letters elsewhere apart", () => {
		expect(found(["कि", "का"], ["", " "], "कि")).toEqual(["कि"]);
	});
});

test("of both sides each hit points to its own, and only it", () => {
	const [queries, keys] = [tokenTable(["a", "b", "a"]), tokenTable(["b", "a"])];
	const gone: unknown[] = [];
	const finder = new Finder("", (pointer) => gone.push(pointer));
	finder.over({ queries, keys, steps: [] });
	finder.search("a");
	finder.step(1);
	finder.step(1);
	finder.step(1);
	finder.step(-1);
	finder.search("");
	expect(gone).toEqual([[0, null], [2, null], [null, 1], [0, null], [null, 1], null]);
	finder.search("b");
	expect([...(finder.marks(queries) ?? [])]).toEqual([0, FOUND_HERE, 0]);
	expect([...(finder.marks(keys) ?? [])]).toEqual([FOUND, 0]);
});

describe("in the toolbar", () => {
	const WORDS = ["[CLS]", "The", "cat", "sat", "on", "the", "mat", "[SEP]"];

	async function open(): Promise<Mounted & { view: Shown; box: HTMLInputElement }> {
		const mounted = mount(softmaxWeights(1, 2, 8, 8), WORDS);
		const view = await mounted.open();
		return { ...mounted, view, box: view.one<HTMLInputElement>(".find input") };
	}

	async function type(box: HTMLInputElement, text: string): Promise<void> {
		box.value = text;
		box.dispatchEvent(new InputEvent("input", { bubbles: true }));
		await frame();
	}

	const underlined = (view: Shown) => view.all(".token.found").map((token) => token.textContent);
	const count = (view: Shown) => view.text(".find span");

	test("/ goes there from anywhere in the widget, and isn't typed", async () => {
		const { view, box } = await open();
		for (const place of [".token", ".scroll", ".stage", ".explorer"]) {
			box.blur();
			expect(await press(view.one(place), "/"), place).toBe(false);
			expect(view.root.activeElement, place).toBe(box);
		}
	});

	test("what is found is underlined and counted; the first is hovered, not pinned", async () => {
		const { view, box, model } = await open();
		await type(box, "at");
		expect(underlined(view)).toEqual(["cat", "sat", "mat"]);
		expect(count(view)).toBe("1 of 3");
		expect(model.get("hovered")).toEqual([2, 2]);
		expect(model.get("selected")).toBeNull();
	});

	test("Enter goes on and Shift+Enter back, round the ends; the host sees neither", async () => {
		const { view, box, model } = await open();
		await type(box, "at");
		const places: unknown[] = [];
		for (const shiftKey of [false, false, false, true, true]) {
			expect(await press(box, "Enter", { shiftKey })).toBe(false);
			places.push([model.get("hovered")?.[0], count(view)]);
		}
		const [one, two, three] = [
			[2, "1 of 3"],
			[3, "2 of 3"],
			[6, "3 of 3"],
		];
		expect(places).toEqual([two, three, one, three, two]);
		expect(view.all(".token.here").map((token) => token.textContent)).toEqual(["sat"]);
	});

	test("Escape clears the search and keeps the pin; with nothing to clear it releases that", async () => {
		const { view, box, model } = await open();
		model.set("selected", [4, 4]);
		await type(box, "at");
		await press(box, "Escape");
		expect([box.value, count(view), underlined(view)]).toEqual(["", "", []]);
		expect(model.get("selected")).toEqual([4, 4]);
		expect(model.get("hovered")).toBeNull();
		await press(box, "Escape");
		expect(model.get("selected")).toBeNull();
	});

	test("letters that are shortcuts elsewhere are typed here, and saving is the host's", async () => {
		const { box, model } = await open();
		for (const key of ["r", "]", "d", "/"]) expect(await press(box, key), key).toBe(false);
		expect(await press(box, "a", { ctrlKey: true }), "selects the search, not all cells").toBe(
			false,
		);
		expect(await press(box, "s", { ctrlKey: true })).toBe(true);
		expect([model.get("direction"), model.get("layer")]).toEqual(["reads", 0]);
	});

	test("nothing found is said so", async () => {
		const { view, box, model } = await open();
		await type(box, "dog");
		expect(count(view)).toBe("none");
		expect(model.get("hovered")).toBeNull();
	});
});

test("in 32,000 tokens it goes to a hit far away, and marks what is in view only", async () => {
	const n = 32_000;
	const weights = weightsOf([1, 1, n, n], (_, __, q, k) => (q === k ? 1 : 0));
	const { open, model } = mount(weights, numbered(n), { state: { view: ["text"] } });
	const view = await open();
	const box = view.one<HTMLInputElement>(".find input");
	box.value = "w31999";
	box.dispatchEvent(new InputEvent("input", { bubbles: true }));
	await expect.poll(() => view.all(".token.here").map((el) => el.dataset.token)).toEqual(["31999"]);
	expect(model.get("hovered")).toEqual([31_999, 31_999]);
	const [token, page] = [view.token(31_999), view.one(".tokens")].map((el) =>
		el.getBoundingClientRect(),
	);
	expect(token?.bottom).toBeLessThanOrEqual((page?.bottom as number) + 1);
	box.value = "w";
	box.dispatchEvent(new InputEvent("input", { bubbles: true }));
	await expect.poll(() => view.text(".find span")).toBe("1 of 32000");
	expect(view.all(".token").length).toBeLessThan(600);
});
