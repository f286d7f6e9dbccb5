import { describe, expect, test } from "vitest";
import { inkOf, palette } from "../src/draw/colour";
import { choose, click, clickAt, frame, hover, hoverAt, leave, press } from "./events";
import { numbered, type Shown, softmaxWeights } from "./host";
import { CONTEXT, floats, mountQa, QUESTION, qaInfo, WEIGHTS, WORDS } from "./qa";
import { rowOf, type Weights } from "./weights";

const INK = inkOf(palette(false), "sqrt", 1);
const range = ([first, stop]: readonly [number, number]) =>
	Array.from({ length: stop - first }, (_, i) => first + i);
const panel = (view: Shown, which: 0 | 1) => view.all(".qa .tokens")[which] as HTMLElement;
const token = (view: Shown, index: number) => view.one(`.qa [data-token="${index}"]`);
const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** A colour as the browser writes it. */
function written(colour: string): string {
	const el = document.createElement("i");
	el.style.backgroundColor = colour;
	return el.style.backgroundColor;
}

/** What the question's tokens read of each key on average. */
function meanRow(weights: Weights, layer: number, heads: readonly number[]): number[] {
	const rows = range(QUESTION).flatMap((q) => heads.map((head) => rowOf(weights, layer, head, q)));
	return rows[0]?.map((_, key) => total(rows.map((row) => row[key] as number)) / rows.length) ?? [];
}

describe("the panels", () => {
	test("hold the question's and the context's tokens by their own places, and no specials", async () => {
		const view = await mountQa().open();
		for (const [which, tokens] of [QUESTION, CONTEXT].entries()) {
			const shown = [...panel(view, which as 0 | 1).querySelectorAll<HTMLElement>(".token")];
			expect(shown.map((el) => Number(el.dataset.token))).toEqual(range(tokens));
			expect(shown.map((el) => el.textContent)).toEqual(WORDS.slice(...tokens));
		}
		expect(view.text(".qa .tokens")).not.toContain("[");
	});

	test("at rest the context is shaded by what the question reads on average, not by one row", async () => {
		const { open } = mountQa({}, { state: { layer: 2, heads: [1, 3] } });
		const view = await open();
		const mean = meanRow(WEIGHTS, 2, [1, 3]);
		for (const key of range(CONTEXT))
			expect(token(view, key).style.backgroundColor).toBe(written(INK.of(mean[key] as number)));
		expect(view.all(".qa .token[data-weight]")).toEqual([]);
	});

	test("a hovered question token shades the context by its row: of the chosen head, by absolute place", async () => {
		const { model, open } = mountQa({}, { state: { layer: 1, heads: [2] } });
		const view = await open();
		await hover(token(view, 3));
		expect(model.get("hovered")).toEqual([3, null]);
		const row = rowOf(WEIGHTS, 1, 2, 3);
		for (const key of range(CONTEXT))
			expect(token(view, key).style.backgroundColor).toBe(written(INK.of(row[key] as number)));
		const best = range(CONTEXT).reduce((a, b) => ((row[b] as number) > (row[a] as number) ? b : a));
		expect(token(view, best).dataset.weight).toBe((row[best] as number).toFixed(2));
	});

	test("a hovered context token shades the question by its column, and the context stays as it is", async () => {
		const { model, open } = mountQa({}, { state: { layer: 1, heads: [0] } });
		const view = await open();
		const resting = range(CONTEXT).map((key) => token(view, key).style.backgroundColor);
		await hover(token(view, 8));
		expect(model.get("hovered")).toEqual([null, 8]);
		expect(range(CONTEXT).map((key) => token(view, key).style.backgroundColor)).toEqual(resting);
		const [r, g, b] = palette(false).reader;
		for (const query of range(QUESTION)) {
			const alpha = 0.55 * INK.at(WEIGHTS.at(1, 0, query, 8));
			expect(token(view, query).style.backgroundColor).toBe(
				written(`rgb(${r} ${g} ${b} / ${alpha})`),
			);
		}
		await leave(panel(view, 1));
		for (const query of range(QUESTION)) expect(token(view, query).style.backgroundColor).toBe("");
	});

	test("a pin stays while another token is hovered; arrow keys stay within their panel", async () => {
		const { model, open } = mountQa();
		const view = await open();
		await click(token(view, 2));
		expect(model.get("selected")).toEqual([2, null]);
		const shades = range(CONTEXT).map((key) => token(view, key).style.backgroundColor);
		await hover(token(view, 4));
		expect(range(CONTEXT).map((key) => token(view, key).style.backgroundColor)).toEqual(shades);
		token(view, 4).focus();
		await press(token(view, 4), "ArrowRight");
		expect((view.root.activeElement as HTMLElement).dataset.token).toBe("4");
		token(view, 6).focus();
		await press(token(view, 6), "ArrowLeft");
		expect((view.root.activeElement as HTMLElement).dataset.token).toBe("6");
	});

	test("mark the answer's tokens, for a screen reader too, and those of another one when it is chosen", async () => {
		const { model, open } = mountQa();
		const view = await open();
		const marked = () => view.all(".token.answer").map((el) => Number(el.dataset.token));
		expect(marked()).toEqual([6]);
		expect(token(view, 6).ariaDescription).toBe("answer");
		model.set("answer", 1);
		await frame();
		expect(marked()).toEqual([9, 10]);
		model.set("answer", 2);
		await frame();
		expect(marked()).toEqual([]);
		model.set("answer", 17);
		await frame();
		expect(marked(), "where there aren't as many, the best").toEqual([6]);
	});
});

describe("the line of numbers", () => {
	const numbers = (view: Shown) =>
		[...view.text(".tells").matchAll(/\d\.\d\d/g)].map(([text]) => Number(text));

	test("says where all of a token's attention goes: the parts are its sums, and add to 1", async () => {
		const { open } = mountQa({}, { state: { layer: 2, heads: [0, 2] } });
		const view = await open();
		await hover(token(view, 1));
		const rows = [0, 2].map((head) => rowOf(WEIGHTS, 2, head, 1));
		const row = rows[0]?.map((_, key) => total(rows.map((r) => r[key] as number)) / 2) ?? [];
		const [context, question] = [CONTEXT, QUESTION].map((part) => total(row.slice(...part)));
		const rest = 1 - (context as number) - (question as number);
		const said = [context, question, rest].map((mass) => (mass as number).toFixed(2));
		expect(view.text(".tells")).toBe(
			`“who” reads: context ${said[0]} · question ${said[1]} · [CLS] [SEP] ${said[2]}`,
		);
		expect(total(numbers(view))).toBeCloseTo(1, 1);
	});

	test("at rest says the question's, and of a context token who reads it most", async () => {
		const { open } = mountQa({}, { state: { layer: 1, heads: [3] } });
		const view = await open();
		const mean = meanRow(WEIGHTS, 1, [3]);
		expect(view.text(".tells")).toMatch(/^the question reads, on average: context/);
		expect(numbers(view)[0]).toBeCloseTo(total(mean.slice(...CONTEXT)), 2);
		expect(total(numbers(view))).toBeCloseTo(1, 1);
		await hover(token(view, 9));
		const column = range(QUESTION).map((query) => WEIGHTS.at(1, 3, query, 9));
		const most = Math.max(...column);
		const who = WORDS[1 + column.indexOf(most)];
		expect(view.text(".tells")).toBe(
			`“famous” is read by the question: mean ${(total(column) / 4).toFixed(2)} · most by “${who}” ${most.toFixed(2)}`,
		);
	});

	test("names what is hidden by its mass", async () => {
		const hidden: Weights = {
			...WEIGHTS,
			at: (l, h, q, k) => (WORDS[k]?.startsWith("[") ? 0 : WEIGHTS.at(l, h, q, k)),
		};
		const mounted = mountQa(
			{},
			{ state: { hide: ["special"] }, description: { hides: 3 } },
			hidden,
		);
		mounted.kernel.hidden = (l, h, q) => total([0, 5, 14].map((k) => WEIGHTS.at(l, h, q, k)));
		const view = await mounted.open();
		await hover(token(view, 3));
		expect(view.text(".tells")).toMatch(/ · hidden \d\.\d\d$/);
		expect(view.text(".tells")).not.toContain("[CLS]");
		expect(total(numbers(view))).toBeCloseTo(1, 1);
	});
});

describe("answers", () => {
	const pills = (view: Shown) => view.all<HTMLButtonElement>(".pill button");

	test("are listed the best first, with what they are, and a click chooses one", async () => {
		const { model, open } = mountQa();
		const view = await open();
		expect(view.all(".pill").map((el) => el.textContent)).toEqual([
			"Gaudí0.72",
			"famous man0.20",
			"no answer0.05",
		]);
		expect(pills(view).map((el) => el.ariaPressed)).toEqual(["true", "false", "false"]);
		await click(pills(view)[1] as HTMLElement);
		expect(model.get("answer")).toBe(1);
		expect(pills(view).map((el) => el.ariaPressed)).toEqual(["false", "true", "false"]);
	});

	test("of another window open it, and stay chosen; those of this one ask nothing", async () => {
		const answers = [
			...qaInfo().answers.slice(0, 1),
			{ text: "elsewhere", probability: 0.1, window: 2, tokens: null },
		];
		const { model, kernel, open, settled } = mountQa({
			answers,
			windows: ["1 of 3", "2 of 3", "3 of 3"],
		});
		const view = await open();
		await click(pills(view)[0] as HTMLElement);
		expect(kernel.asked("ask")).toBe(0);
		await click(pills(view)[1] as HTMLElement);
		await settled();
		expect(kernel.requests.filter(({ kind }) => kind === "ask")).toMatchObject([
			{ question: null, context: null, window: 2 },
		]);
		expect(model.get("answer")).toBe(1);
		expect(view.text(".ranking p")).toBe("“elsewhere” is in window 3: open it.");
	});

	test("windows are offered where there are several, the best answer's named", async () => {
		const { kernel, open, settled } = mountQa({ windows: ["1 of 2", "2 of 2"], window: 1 });
		const view = await open();
		const select = view.one<HTMLSelectElement>('select[aria-label="window of the context"]');
		expect(select.value).toBe("1");
		expect([...select.options].map((option) => option.text)).toEqual([
			"window 1 of 2 · best answer",
			"window 2 of 2",
		]);
		await choose(select, "0");
		await settled();
		expect(kernel.requests.at(-1)).toMatchObject({ kind: "ask", window: 0 });
		const alone = await mountQa().open();
		expect(alone.all(".qa .caption select")).toEqual([]);
	});
});

describe("heads by what they read of the answer", () => {
	const masses = (span: readonly [number, number]) =>
		Array.from({ length: 12 }, (_, i) => {
			const rows = range(QUESTION).map((q) => rowOf(WEIGHTS, Math.floor(i / 4), i % 4, q));
			return { i, mass: total(rows.map((row) => total(row.slice(...span)))) / 4 };
		}).sort((a, b) => b.mass - a.mass);
	const shown = (view: Shown) => view.all(".rank:not([hidden])");

	test("come in the order of their mass, with the lift over uniform attention", async () => {
		const { open, model } = mountQa(
			{},
			{ state: { answer: 1 }, description: { layers: [2, 5, 7] } },
		);
		const sorted = masses([9, 11]);
		const [best, ...others] = sorted;
		model.set("layer", Math.floor((best?.i as number) / 4));
		model.set("heads", [(best?.i as number) % 4]);
		const view = await open();
		expect(shown(view).map((el) => el.querySelector(".name")?.textContent)).toEqual(
			[best, ...others.slice(0, 5)].map((one) => {
				const i = one?.i as number;
				return `${[2, 5, 7][Math.floor(i / 4)]}.${i % 4}`;
			}),
		);
		const [first] = shown(view);
		const uniform = 2 / WORDS.length;
		expect(first?.textContent).toContain(
			`${best?.mass.toFixed(3)}×${((best?.mass as number) / uniform).toFixed(1)}`,
		);
		expect(view.text(".ranking p")).toContain(`Uniform attention would put ${uniform.toFixed(3)}`);
		expect(first?.querySelector("button")?.ariaPressed).toBe("true");
	});

	test("a click opens the head that is named, and the current one is there whatever its rank", async () => {
		const sorted = masses([6, 7]);
		const last = sorted.at(-1)?.i as number;
		const { model, open } = mountQa(
			{},
			{ state: { layer: Math.floor(last / 4), heads: [last % 4] } },
		);
		const view = await open();
		expect(shown(view)).toHaveLength(7);
		expect(shown(view)[6]?.querySelector(".name")?.textContent).toBe(
			`${Math.floor(last / 4)}.${last % 4} (12.)`,
		);
		await click(shown(view)[2]?.querySelector("button") as HTMLElement);
		const third = sorted[2]?.i as number;
		expect([model.get("layer"), model.get("heads")]).toEqual([Math.floor(third / 4), [third % 4]]);
	});

	test("count the tokenizer's tokens, of which a word may have several", async () => {
		const count = WORDS.map((_, i) => (i === 6 ? 3 : 1));
		const view = await mountQa({}, { table: { count }, state: { unit: "word" } }).open();
		const uniform = 3 / (WORDS.length + 2);
		expect(view.text(".ranking p")).toContain(`would put ${uniform.toFixed(3)} there`);
		const best = masses([6, 7])[0]?.mass as number;
		expect(shown(view)[0]?.textContent).toContain(`×${(best / uniform).toFixed(1)}`);
	});

	test("have no lift where what is shown is no share", async () => {
		const description = { measure: "norms", number: "|Af|", shares: false } as const;
		const view = await mountQa({}, { description, state: { measure: "norms" } }).open();
		expect(view.text(".ranking .title")).toContain("sum of |Af|");
		expect(view.text(".ranking")).not.toMatch(/lift|uniform|%|×/i);
		expect(shown(view)[0]?.textContent).toContain(masses([6, 7])[0]?.mass.toFixed(3));
	});

	test("of no answer: by what they read of the first token", async () => {
		const { kernel, open } = mountQa({}, { state: { answer: 2 } });
		const view = await open();
		expect(view.text(".ranking .title")).toContain("question → first token");
		expect(shown(view)[0]?.textContent).toContain(masses([0, 1])[0]?.mass.toFixed(3));
		expect(kernel.requests.flatMap((r) => (r.kind === "weights" ? r.spans : []))).toEqual([
			[...QUESTION, 0, 1],
		]);
	});
});

describe("the matrix", () => {
	const stage = (view: Shown) => view.one(".qa .stage");

	test("the row and column under the pointer are the question's and the context's tokens", async () => {
		const { model, open } = mountQa({}, { state: { layer: 1 } });
		const view = await open(700);
		const { offsetWidth, offsetHeight } = stage(view);
		await hoverAt(stage(view), offsetWidth - 4, offsetHeight - 4);
		expect(model.get("hovered")).toEqual([4, 13]);
		await hoverAt(stage(view), offsetWidth - 4, offsetHeight - 4 * 24 + 4);
		expect(model.get("hovered")).toEqual([1, 13]);
		expect(view.text(".qa .at")).toBe(`“who” reads “.”: ${WEIGHTS.at(1, 0, 1, 13).toFixed(4)}`);
		await hoverAt(stage(view), 4, offsetHeight - 4);
		expect(model.get("hovered")).toEqual([4, null]);
		await hoverAt(stage(view), offsetWidth - 4, 4);
		expect(model.get("hovered")).toEqual([null, 13]);
		await hoverAt(stage(view), 4, 4);
		expect(model.get("hovered")).toBeNull();
		await clickAt(stage(view), offsetWidth - 4, offsetHeight - 4);
		expect(model.get("selected")).toEqual([4, 13]);
	});

	test("arrow keys walk over it and stop at its ends, Enter pins", async () => {
		const { model, open } = mountQa();
		const view = await open();
		expect(await press(stage(view), "ArrowDown")).toBe(false);
		expect(model.get("hovered")).toEqual([1, 6]);
		for (const _ of range([0, 9])) await press(stage(view), "ArrowRight");
		for (const _ of range([0, 5])) await press(stage(view), "ArrowDown");
		expect(model.get("hovered")).toEqual([4, 13]);
		await press(stage(view), "Enter");
		expect(model.get("selected")).toEqual([4, 13]);
	});

	test("columns too thin to be seen are pooled, and it is said", async () => {
		const words = ["[CLS]", "who", "?", "[SEP]", ...numbered(400), "[SEP]"];
		const weights = softmaxWeights(1, 1, words.length, words.length);
		const view = await mountQa(
			{
				question_tokens: [1, 3],
				context_tokens: [4, 404],
				answers: [{ text: "w7 w8", probability: 1, window: 0, tokens: [11, 12] }],
				starts: floats(numbered(400).map((_, i) => (i === 7 ? 1 : 0))),
				ends: floats(numbered(400).map((_, i) => (i === 8 ? 1 : 0))),
			},
			{},
			weights,
			words,
		).open(640);
		expect(view.text(".qa .remark")).toBe("max-pooled1 cell = 4 tokens of the context");
	});
});

describe("start and end probabilities", () => {
	test("name the likeliest at rest, and the hovered token's own", async () => {
		const { model, open } = mountQa();
		const view = await open();
		const strip = view.one(".ends canvas");
		expect(view.text(".ends > :last-child")).toBe(
			"the answer most likely starts at “Gaudí” 0.75 and ends at “Gaudí” 0.70",
		);
		await hoverAt(strip, (3.5 / 8) * strip.clientWidth, 10);
		expect(model.get("hovered")).toEqual([null, 9]);
		expect(view.text(".ends > :last-child")).toBe("an answer at “famous” starts 0.20 · ends 0.02");
		expect(strip.ariaLabel).toContain("starts 0.20 · ends 0.02");
	});

	test("are read from bytes at any place of a buffer", async () => {
		const bytes = new Uint8Array(1 + 4 * 8);
		bytes.set(new Uint8Array(floats([0, 0, 0.5, 0, 0, 0, 0, 0]).buffer), 1);
		const view = await mountQa({ starts: new DataView(bytes.buffer, 1) }).open();
		expect(view.text(".ends > :last-child")).toContain("starts at “a” 0.50");
	});
});

test("hostile text is text", async () => {
	const evil = "<img src=x onerror=alert(1)>";
	const words = WORDS.map((word) => (word === "Gaudí" || word === "who" ? evil : word));
	const view = await mountQa(
		{
			question: evil,
			answers: [{ text: evil, probability: 1, window: 0, tokens: [6, 6] }],
			notes: [evil],
		},
		{},
		WEIGHTS,
		words,
	).open();
	await hover(token(view, 1));
	expect(view.all("img")).toEqual([]);
	for (const part of [".pill", ".note", ".tells", ".qa .tokens"])
		expect(view.text(part)).toContain("<img");
});

test.each([420, 600, 700, 1200])("nothing sticks out of a page of %i pixels", async (width) => {
	const view = await mountQa({ notes: ["a note"] }).open(width);
	const right = view.one(".explorer").getBoundingClientRect().right;
	for (const el of view.all(".qa *")) {
		// What is cut by its own box ends in "…".
		if (el.closest(".line, .tells *")) continue;
		expect(el.getBoundingClientRect().right, el.className).toBeLessThanOrEqual(right + 0.5);
	}
});
