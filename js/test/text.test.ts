import { describe, expect, test } from "vitest";
import { onScale } from "../src/draw/colour";
import { click, frame, hover, leave, press } from "./events";
import { mount, numbered, type Shown, softmaxWeights } from "./host";
import { columnOf, rowOf, type Weights, weightsOf } from "./weights";

const WORDS = ["[CLS]", "The", "cat", "sat", "because", "it", "[SEP]"];
const WEIGHTS = softmaxWeights(3, 4, 7, 7);

function order(values: readonly number[]): number[] {
	return [...values.keys()].sort((a, b) => (values[b] as number) - (values[a] as number));
}

/** How strongly a token is filled: how far its ground is from the page's. */
function fillOf(token: HTMLElement): number {
	const [r = 0, g = 0, b = 0, a = 1] = (
		getComputedStyle(token).backgroundColor.match(/[\d.]+/g) ?? []
	).map(Number);
	return a * (3 * 255 - r - g - b);
}

/** How thick the rule under a token is, in pixels. */
function ruleOf(token: HTMLElement): number {
	const shadow = getComputedStyle(token).boxShadow;
	return shadow === "none" ? 0 : Math.abs(Number(shadow.match(/0px (-[\d.]+)px/)?.[1] ?? 0));
}

describe("hovering a token", () => {
	test("sets `hovered` in both roles, and null when the pointer leaves", async () => {
		const { model, open } = mount(WEIGHTS, WORDS);
		const view = await open();
		await hover(view.token(4));
		expect(model.get("hovered")).toEqual([4, 4]);
		await leave(view.one(".tokens"));
		expect(model.get("hovered")).toBeNull();
	});

	test("shades what it reads by weight, and underlines what reads it: not the other way", async () => {
		const { open } = mount(WEIGHTS, WORDS, { state: { layer: 1, heads: [2] } });
		const view = await open();
		await hover(view.token(5));
		const tokens = view.all(".token");
		const reads = rowOf(WEIGHTS, 1, 2, 5);
		const readers = columnOf(WEIGHTS, 1, 2, 5);
		expect(order(tokens.map(fillOf)).slice(0, 3)).toEqual(order(reads).slice(0, 3));
		expect(order(tokens.map(ruleOf)).slice(0, 3)).toEqual(order(readers).slice(0, 3));
		for (const [i, token] of tokens.entries()) {
			const strength = onScale(readers[i] as number, 1);
			expect(ruleOf(token)).toBeCloseTo(strength < 0.05 ? 0 : 1 + 4 * strength, 1);
		}
	});

	test("puts the weights under the tokens that are read most, to two digits", async () => {
		const { open } = mount(WEIGHTS, WORDS, { state: { layer: 2, heads: [3] } });
		const view = await open();
		await hover(view.token(1));
		const reads = rowOf(WEIGHTS, 2, 3, 1);
		let held = 0;
		const expected = new Map<number, string>();
		for (const key of order(reads)) {
			if (held >= 0.8) break;
			held += reads[key] as number;
			if ((reads[key] as number) >= 0.02) expected.set(key, (reads[key] as number).toFixed(2));
		}
		expect(view.all(".token").map((token) => token.dataset.weight)).toEqual(
			WORDS.map((_, key) => expected.get(key)),
		);
	});

	test("takes the mean over several heads, of the layer that is shown", async () => {
		const { open } = mount(WEIGHTS, WORDS, {
			state: { layer: 2, heads: [0, 3], top_mass: 1 },
		});
		const view = await open();
		await hover(view.token(2));
		const [a, b] = [rowOf(WEIGHTS, 2, 0, 2), rowOf(WEIGHTS, 2, 3, 2)];
		for (const [key, token] of view.all(".token").entries()) {
			const mean = ((a[key] as number) + (b[key] as number)) / 2;
			expect(Number(token.dataset.weight ?? 0)).toBeCloseTo(mean < 0.02 ? 0 : mean, 2);
		}
	});

	test("leaving takes every shade, rule and number away", async () => {
		const { open } = mount(WEIGHTS, WORDS);
		const view = await open();
		await hover(view.token(3));
		await leave(view.one(".tokens"));
		for (const token of view.all(".token")) {
			expect(fillOf(token)).toBe(0);
			expect(ruleOf(token)).toBe(0);
			expect(token.dataset.weight).toBeUndefined();
			expect(token.className).not.toContain("looked");
		}
	});
});

describe("pinning", () => {
	test("a click pins, and the pin stays when the pointer goes elsewhere", async () => {
		const { model, open } = mount(WEIGHTS, WORDS);
		const view = await open();
		await click(view.token(3));
		expect(model.get("selected")).toEqual([3, 3]);
		expect(model.saves).toBeGreaterThan(0);
		const fills = view.all(".token").map(fillOf);
		await hover(view.token(5));
		expect(view.all(".token").map(fillOf)).toEqual(fills);
		expect(view.token(3).ariaSelected).toBe("true");
		expect(view.token(5).classList.contains("partner")).toBe(true);
		await leave(view.one(".tokens"));
		expect(view.all(".token").map(fillOf)).toEqual(fills);
	});

	test("a second click releases it", async () => {
		const { model, open } = mount(WEIGHTS, WORDS);
		const view = await open();
		await click(view.token(3));
		await click(view.token(3));
		expect(model.get("selected")).toBeNull();
		expect(view.token(3).ariaSelected).toBe("false");
	});

	test("a click on another token pins that one", async () => {
		const { model, open } = mount(WEIGHTS, WORDS);
		const view = await open();
		await click(view.token(3));
		await click(view.token(1));
		expect(model.get("selected")).toEqual([1, 1]);
	});

	test("Escape releases both the pin and what is hovered", async () => {
		const { model, open } = mount(WEIGHTS, WORDS);
		const view = await open();
		await click(view.token(3));
		await hover(view.token(4));
		await press(view.token(3), "Escape");
		expect(model.get("selected")).toBeNull();
		expect(model.get("hovered")).toBeNull();
	});
});

describe("keys that are other tokens than the queries", () => {
	const weights = softmaxWeights(2, 3, 7, 5);
	const keyWords = numbered(5, "key");

	test("two lines that say which is which, with half pointers", async () => {
		const { model, open } = mount(weights, WORDS, { keyWords });
		const view = await open();
		const [queries, keys] = view.all(".tokens");
		expect(view.all(".caption").map((el) => el.firstChild?.textContent)).toEqual([
			"query reads …",
			"… key",
		]);
		expect(queries?.querySelectorAll(".token")).toHaveLength(7);
		expect(keys?.querySelectorAll(".token")).toHaveLength(5);
		const [query, key] = [queries, keys].map(
			(line, i) => line?.querySelectorAll(".token")[4 - i],
		) as HTMLElement[];
		await hover(query as HTMLElement);
		expect(model.get("hovered")).toEqual([4, null]);
		await hover(key as HTMLElement);
		expect(model.get("hovered")).toEqual([null, 3]);
		await click(key as HTMLElement);
		expect(model.get("selected")).toEqual([null, 3]);
	});

	test("a hovered query shades keys only, a hovered key underlines queries only", async () => {
		const { open } = mount(weights, WORDS, { keyWords });
		const view = await open();
		const lines = view
			.all(".tokens")
			.map((line) => [...line.querySelectorAll<HTMLElement>(".token")]);
		const [queries, keys] = lines as [HTMLElement[], HTMLElement[]];
		await hover(queries[6] as HTMLElement);
		expect(order(keys.map(fillOf))[0]).toBe(order(rowOf(weights, 0, 0, 6))[0]);
		expect(Math.max(...queries.map(fillOf), ...keys.map(ruleOf))).toBe(0);
		await hover(keys[4] as HTMLElement);
		expect(order(queries.map(ruleOf))[0]).toBe(order(columnOf(weights, 0, 0, 4))[0]);
		expect(Math.max(...keys.map(fillOf), ...keys.map(ruleOf))).toBe(0);
	});
});

describe("the keyboard", () => {
	const focused = (view: Shown) => view.root.activeElement as HTMLElement;

	test("arrows move the token that is focused; Enter pins it", async () => {
		const { model, open } = mount(WEIGHTS, WORDS);
		const view = await open();
		view.token(0).focus();
		for (const key of ["ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft"])
			expect(await press(focused(view), key), key).toBe(false);
		expect(focused(view)).toBe(view.token(2));
		expect(model.get("hovered")).toEqual([2, 2]);
		expect(await press(focused(view), "Enter")).toBe(false);
		expect(model.get("selected")).toEqual([2, 2]);
		expect(await press(focused(view), " ")).toBe(false);
		expect(model.get("selected")).toBeNull();
	});

	test("one token is in the tab order, the one that was focused last", async () => {
		const { open } = mount(WEIGHTS, WORDS);
		const view = await open();
		const inOrder = () => view.all(".token").filter((token) => token.tabIndex === 0);
		expect(inOrder()).toEqual([view.token(0)]);
		view.token(0).focus();
		await press(focused(view), "ArrowRight");
		expect(inOrder()).toEqual([view.token(1)]);
	});

	test("at the ends an arrow stays, and isn't given to the notebook to move its cell", async () => {
		const { open } = mount(WEIGHTS, WORDS);
		const view = await open();
		view.token(0).focus();
		expect(await press(focused(view), "ArrowUp")).toBe(false);
		expect(focused(view)).toBe(view.token(0));
		view.token(6).focus();
		expect(await press(focused(view), "ArrowDown")).toBe(false);
		expect(focused(view)).toBe(view.token(6));
	});

	test("in a right-to-left text the left arrow goes on", async () => {
		const words = ["שלום", "עולם", "טוב"];
		const { open } = mount(softmaxWeights(1, 1, 3, 3), words);
		const view = await open();
		view.token(0).focus();
		await press(focused(view), "ArrowLeft");
		expect(focused(view)).toBe(view.token(1));
	});
});

describe("a long text", () => {
	const count = 900;
	const weights = weightsOf([1, 1, count, count], (_, __, q, k) => (k === (q * 7) % count ? 1 : 0));
	const start = () => mount(weights, numbered(count, "word"), { state: { view: ["text"] } });
	const inDocument = (view: Shown) =>
		view.all(".token").map((token) => Number(token.dataset.token));

	test("only the lines in view are in the document, wherever it is scrolled to", async () => {
		const view = await start().open(700);
		expect(inDocument(view).length).toBeGreaterThan(80);
		expect(inDocument(view).length).toBeLessThan(350);
		expect(inDocument(view)[0]).toBe(0);
		const line = view.one(".tokens");
		line.scrollTop = line.scrollHeight;
		await expect.poll(() => inDocument(view).at(-1)).toBe(count - 1);
		expect(inDocument(view).length).toBeLessThan(350);
		const tokens = inDocument(view);
		expect(tokens, "in the order of the text").toEqual([...tokens].sort((a, b) => a - b));
	});

	test("what is scrolled into view is shaded as what was there before", async () => {
		const { model, open } = start();
		const view = await open(700);
		model.set("hovered", [128, 128]);
		await frame();
		const line = view.one(".tokens");
		line.scrollTop = line.scrollHeight;
		await expect.poll(() => inDocument(view)).toContain(896);
		expect(fillOf(view.token(896))).toBeGreaterThan(200);
		expect(fillOf(view.token(895))).toBe(0);
	});

	test("a token that is pinned elsewhere is scrolled into view", async () => {
		const { model, open } = start();
		const view = await open(700);
		model.set("selected", [700, null]);
		await expect.poll(() => inDocument(view)).toContain(700);
		const box = view.one(".tokens").getBoundingClientRect();
		await expect
			.poll(() => view.token(700).getBoundingClientRect().bottom)
			.toBeLessThanOrEqual(box.bottom + 1);
	});

	test("arrows go on beyond the edge of what is in view", async () => {
		const { model, open } = start();
		const view = await open(700);
		view.token(0).focus();
		for (let i = 0; i < 250; i++)
			view.root.activeElement?.dispatchEvent(
				new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, composed: true }),
			);
		await frame();
		expect((view.root.activeElement as HTMLElement).dataset.token).toBe("250");
		expect(model.get("hovered")).toEqual([250, 250]);
		const [token, box] = [view.token(250), view.one(".tokens")].map((el) =>
			el.getBoundingClientRect(),
		);
		expect(token?.bottom).toBeLessThanOrEqual((box?.bottom as number) + 1);
	});

	test("scrolled away from the focused token, the keyboard still belongs to the text", async () => {
		const view = await start().open(700);
		view.token(3).focus();
		await press(view.token(3), "ArrowRight");
		const line = view.one(".tokens");
		line.scrollTop = line.scrollHeight;
		await expect.poll(() => inDocument(view)).toContain(count - 1);
		expect(view.root.activeElement?.closest(".tokens")).toBe(line);
		expect(await press(view.root.activeElement as Element, "ArrowRight")).toBe(false);
		expect((view.root.activeElement as HTMLElement).dataset.token).toBe("5");
	});

	test("scrolled anywhere, one token can be reached by Tab", async () => {
		const view = await start().open(700);
		const line = view.one(".tokens");
		line.scrollTop = line.scrollHeight;
		await expect.poll(() => inDocument(view)).toContain(count - 1);
		expect(view.all(".token").filter((token) => token.tabIndex === 0)).toHaveLength(1);
	});
});

test("a weight that is negative is shaded cold, with its sign under the token", async () => {
	const weights: Weights = weightsOf([1, 1, 3, 3], (_, __, q, k) => (q === k ? -0.5 : 0.25));
	const { open } = mount(weights, numbered(3), {
		description: { encoding: "signed8" },
		state: { top_mass: 1 },
	});
	const view = await open();
	await hover(view.token(1));
	expect(view.all(".token").map((token) => token.dataset.weight)).toEqual([
		"0.25",
		"-0.50",
		"0.25",
	]);
	const [r, , b] = (getComputedStyle(view.token(1)).backgroundColor.match(/\d+/g) ?? []).map(
		Number,
	);
	expect(b).toBeGreaterThan(r as number);
});

describe("the direction", () => {
	const ways = (view: Shown) =>
		view.all('[aria-label="direction"] button').map((el) => [el.textContent, el.ariaPressed]);

	test("turned round, what reads the token fills and is numbered, and what it reads rules", async () => {
		const { open } = mount(WEIGHTS, WORDS, {
			state: { layer: 1, heads: [2], direction: "is read by", top_mass: 1 },
		});
		const view = await open();
		await hover(view.token(5));
		const tokens = view.all(".token");
		const [reads, readers] = [rowOf(WEIGHTS, 1, 2, 5), columnOf(WEIGHTS, 1, 2, 5)];
		expect(order(tokens.map(fillOf)).slice(0, 3)).toEqual(order(readers).slice(0, 3));
		expect(order(tokens.map(ruleOf)).slice(0, 3)).toEqual(order(reads).slice(0, 3));
		expect(tokens.map((token) => Number(token.dataset.weight ?? 0))).toEqual(
			readers.map((weight) => (weight < 0.02 ? 0 : Number(weight.toFixed(2)))),
		);
		const [r, , b] = (getComputedStyle(
			tokens[order(readers)[0] as number] as Element,
		).backgroundColor.match(/[\d.]+/g) ?? []) as unknown as number[];
		expect(Number(b), "in the colour of who reads").toBeGreaterThan(Number(r));
	});

	test("r turns it anywhere in the widget, the control says and changes it", async () => {
		const { model, open } = mount(WEIGHTS, WORDS);
		const view = await open();
		expect(ways(view)).toEqual([
			["reads", "true"],
			["is read by", "false"],
		]);
		for (const [i, place] of [".explorer", ".scroll", ".token"].entries()) {
			expect(await press(view.one(place), "r"), place).toBe(false);
			expect(model.get("direction")).toBe(i % 2 ? "reads" : "is read by");
		}
		expect(ways(view)[1]).toEqual(["is read by", "true"]);
		await click(view.one('[aria-label="direction"] button'));
		expect(model.get("direction")).toBe("reads");
		expect(await press(view.one("select"), "r"), "typed ahead in a list").toBe(false);
		expect(model.get("direction")).toBe("reads");
	});

	test("the caption says what is shaded, and its line never moves the text", async () => {
		const { model, open } = mount(WEIGHTS, WORDS);
		const view = await open();
		const said = () => view.text(".caption span");
		const { top } = view.one(".tokens").getBoundingClientRect();
		expect(said()).toBe("");
		await hover(view.token(5));
		expect(said()).toBe("what “it” reads");
		model.set("direction", "is read by");
		await frame();
		expect(said()).toBe("what reads “it”");
		model.set("direction", "reads");
		model.set("selected", [5, 5]);
		model.set("also", [[2, 2]]);
		await frame();
		expect(said()).toBe("what “it” and 1 more read");
		expect(view.one(".tokens").getBoundingClientRect().top).toBe(top);
		const long = "w".repeat(90);
		const narrow = await mount(WEIGHTS, [long, ...WORDS.slice(1)]).open(300);
		const before = narrow.one(".tokens").getBoundingClientRect().top;
		await hover(narrow.token(0));
		expect(narrow.text(".caption span")).toContain("www");
		expect(narrow.one(".tokens").getBoundingClientRect().top).toBe(before);
	});

	test("of two sides the looked-at key fills the queries then, and no key", async () => {
		const weights = softmaxWeights(2, 3, 7, 5);
		const { model, open } = mount(weights, WORDS, {
			keyWords: numbered(5, "key"),
			state: { direction: "is read by" },
		});
		const view = await open();
		model.set("hovered", [null, 4]);
		await frame();
		const [queries, keys] = view
			.all(".tokens")
			.map((line) => [...line.querySelectorAll<HTMLElement>(".token")].map(fillOf));
		expect(order(queries as number[])[0]).toBe(order(columnOf(weights, 0, 0, 4))[0]);
		expect(Math.max(...(keys as number[]))).toBe(0);
	});
});
