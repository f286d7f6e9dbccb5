import { describe, expect, test } from "vitest";
import type { Description } from "../src/protocol.gen";
import { click, frame, hover, press } from "./events";
import { type Mounted, mount, type Shown, softmaxWeights } from "./host";

const WORDS = ["[CLS]", "un", "able", "cats", "sat", ".", "[SEP]"];
const PANEL = '[aria-label="keys that are hidden"]';
const WEIGHTS = softmaxWeights(2, 3, 7, 7);

interface Open extends Mounted {
	readonly view: Shown;
	/** Say what Python says once what is shown has changed. */
	shows(changes: Partial<Description>): Promise<void>;
}

async function open(state: object = {}, description: object = {}): Promise<Open> {
	const mounted = mount(WEIGHTS, WORDS, { state, description });
	const view = await mounted.open();
	mounted.model.saves = 0;
	const shows = async (changes: Partial<Description>) => {
		mounted.model.set("_description", { ...mounted.model.get("_description"), ...changes });
		await mounted.settled();
	};
	return { ...mounted, view, shows };
}

const box = (view: Shown, name: string) =>
	view.one<HTMLInputElement>(`${PANEL} [aria-label="${name}"]`);
const buttons = (view: Shown) => view.all(`${PANEL} button`).map((el) => el.textContent);
const menu = (view: Shown) => view.one(PANEL).parentElement as HTMLDetailsElement;

describe("the menu of hidden keys", () => {
	test("each group is switched on and off by itself, in one order", async () => {
		const { view, model } = await open();
		await click(box(view, "punctuation"));
		await click(box(view, "special"));
		expect(model.get("hide")).toEqual(["special", "punctuation"]);
		expect(box(view, "special").checked).toBe(true);
		await click(box(view, "punctuation"));
		expect(model.get("hide")).toEqual(["special"]);
		await click(box(view, "renormalise"));
		expect(model.get("renormalise")).toBe(true);
		expect(model.saves).toBe(4);
	});

	test("says which specials there are, and offers none where there are none", async () => {
		const { view } = await open();
		expect(view.text(`${PANEL} label`)).toContain("special [CLS] [SEP]");
		const plain = await mount(softmaxWeights(1, 1, 2, 2), ["a", "b"]).open();
		expect(plain.all(`${PANEL} input`).map((el) => el.ariaLabel)).toEqual([
			"first token",
			"punctuation",
			"renormalise",
		]);
	});

	test("the pinned token is hidden with what is hidden, and shown again by its name", async () => {
		const { view, model, shows } = await open({ hide_tokens: [5] }, { hidden_tokens: ["."] });
		await click(view.token(3));
		expect(buttons(view)).toEqual(["“.” (5) ×", "hide “cats”"]);
		await click(view.all(`${PANEL} button`)[1] as HTMLElement);
		expect(model.get("hide_tokens")).toEqual([3, 5]);
		await shows({ shown: "b", hides: 2, hidden_tokens: ["cats", "."] });
		expect(buttons(view)).toEqual(["“cats” (3) ×", "“.” (5) ×"]);
		await click(view.all(`${PANEL} button`)[0] as HTMLElement);
		expect(model.get("hide_tokens")).toEqual([5]);
	});

	test("where words are shown no token is offered: words count otherwise", async () => {
		const { view } = await open({ unit: "word", selected: [2, 2] });
		expect(buttons(view)).toEqual([]);
	});

	test("Escape closes it, and only then releases the pin; so does a click elsewhere", async () => {
		const { view, model } = await open({ selected: [3, 3] });
		menu(view).open = true;
		await frame();
		await press(box(view, "special"), "Escape");
		expect([menu(view).open, model.get("selected")]).toEqual([false, [3, 3]]);
		menu(view).open = true;
		await frame();
		const elsewhere = new PointerEvent("pointerdown", { bubbles: true, composed: true });
		box(view, "special").dispatchEvent(elsewhere);
		expect(menu(view).open).toBe(true);
		view.one(".readout").dispatchEvent(elsewhere);
		expect(menu(view).open).toBe(false);
		menu(view).open = true;
		model.set("layer", 1);
		await frame();
		expect(menu(view).open, "a drawing in between doesn't close it").toBe(true);
	});

	test.each([740, 1000, 360])("open, it stays within the page: %d px", async (width) => {
		const view = await mount(WEIGHTS, WORDS, { state: { selected: [3, 3] } }).open(width);
		menu(view).open = true;
		await expect.poll(() => view.one(PANEL).offsetWidth).toBeGreaterThan(100);
		await frame();
		const [page, panel] = [view.one(".explorer"), view.one(PANEL)].map((el) =>
			el.getBoundingClientRect(),
		) as [DOMRect, DOMRect];
		expect(panel.right).toBeLessThanOrEqual(page.right);
		expect(panel.left).toBeGreaterThanOrEqual(page.left);
	});

	test("weights below zero have no shares to raise", async () => {
		const { view } = await open({}, { encoding: "signed8" });
		expect(box(view, "renormalise").disabled).toBe(true);
		expect(box(view, "special").disabled).toBe(false);
	});

	test("without a kernel nothing else can be shown", async () => {
		const mounted = mount(WEIGHTS, WORDS, { connected: false });
		const view = mounted.render();
		await expect.poll(() => view.text(".status")).toBe("no kernel");
		expect(view.one<HTMLFieldSetElement>(PANEL).disabled).toBe(true);
		expect(view.one<HTMLFieldSetElement>('[aria-label="unit"]').disabled).toBe(true);
	});
});

describe("when what is shown changes", () => {
	test("the menu stays open, the focus where it was, the search as typed", async () => {
		const { view, shows } = await open();
		const find = view.one<HTMLInputElement>(".find input");
		find.value = "at";
		find.dispatchEvent(new InputEvent("input", { bubbles: true }));
		menu(view).open = true;
		await frame();
		box(view, "punctuation").focus();
		const { root } = view;
		await shows({ shown: "b", hides: 1 });
		expect(view.root, "a page of its own").not.toBe(root);
		expect(menu(view).open).toBe(true);
		expect(view.root.activeElement?.ariaLabel).toBe("punctuation");
		expect(view.one<HTMLInputElement>(".find input").value).toBe("at");
		expect(view.all(".token.found").map((el) => el.textContent)).toEqual(["cats", "sat"]);
		expect(view.text("summary")).toContain("hide 1");
	});

	test("the page is as high as before until all is there, so that the notebook stays put", async () => {
		const { view, model, kernel, settled } = await open();
		const height = view.one(".explorer").offsetHeight;
		kernel.answering = false;
		model.set("_description", { ...model.get("_description"), shown: "b" });
		await frame();
		await frame();
		expect(view.all(".token")).toEqual([]);
		expect(view.one(".explorer").offsetHeight).toBeGreaterThanOrEqual(height);
		kernel.resume();
		await settled();
		expect(view.one(".explorer").style.minHeight).toBe("");
	});
});

describe("words", () => {
	const unit = (view: Shown) => view.one<HTMLFieldSetElement>('[aria-label="unit"]');

	test("can be chosen where a word has pieces, and says what that means", async () => {
		const { view, model, kernel } = await open();
		expect(unit(view).disabled, "each token is a word of its own").toBe(true);
		expect(unit(view).title).toBe("each token is a word of its own");
		expect(kernel.asked("tokens")).toBe(1);
		const pieces = mount(WEIGHTS, WORDS, { table: { word: [-1, 0, 0, 1, 2, 3, -1] } });
		const other = await pieces.open();
		expect(unit(other).disabled).toBe(false);
		expect(unit(other).title).toContain("the mean of their tokens");
		await click(unit(other).querySelectorAll("button")[1] as HTMLElement);
		expect(pieces.model.get("unit")).toBe("word");
		expect(model.get("unit")).toBe("token");
	});

	test("are left again, though no two words share one", async () => {
		const { view, model } = await open({ unit: "word" });
		expect(unit(view).disabled).toBe(false);
		await click(unit(view).querySelectorAll("button")[0] as HTMLElement);
		expect(model.get("unit")).toBe("token");
	});
});

describe("the meter", () => {
	const mass = (layer: number, head: number, query: number) => (1 + layer + 2 * head + query) / 16;

	test("isn't there, nor asked for, where nothing is hidden", async () => {
		const { view, kernel } = await open();
		expect(view.all(".meter")).toEqual([]);
		const asked = kernel.requests.flatMap((it) => (it.kind === "weights" ? it.masses : []));
		expect(asked).toEqual([]);
	});

	test("says how much of what is looked at is hidden: of that query, mean over the heads", async () => {
		const mounted = mount(WEIGHTS, WORDS, {
			state: { layer: 1, heads: [0, 2] },
			description: { hides: 2 },
		});
		mounted.kernel.hidden = mass;
		const view = await mounted.open();
		// (1 + 1 + 2 * (0 or 2) + 0 to 6) / 16, mean over both heads and all queries.
		expect(view.text(".meter")).toBe("hidden: 44 % of what a token reads, on average");
		await hover(view.token(3));
		expect(view.text(".meter")).toBe(
			`hidden: ${((2 + 2 + 3) / 0.16).toFixed(0)} % of what “cats” reads`,
		);
		const gauge = view.one(".gauge");
		const share = (gauge.firstElementChild as HTMLElement).offsetWidth / gauge.clientWidth;
		expect(share).toBeCloseTo(7 / 16, 1);
	});

	test("follows layer, heads and pins, from one number a query and head", async () => {
		const mounted = mount(WEIGHTS, WORDS, {
			state: { selected: [4, 4], also: [[6, 6]] },
			description: { hides: 1 },
		});
		mounted.kernel.hidden = mass;
		const view = await mounted.open();
		expect(view.text(".meter")).toBe("hidden: 38 % of what “sat” and 1 more read");
		mounted.model.set("layer", 1);
		mounted.model.set("heads", [1]);
		mounted.model.set("also", []);
		await frame();
		await mounted.settled();
		expect(view.text(".meter")).toBe("hidden: 50 % of what “sat” reads");
	});

	test("of weights that are no shares it says the sum itself", async () => {
		const mounted = mount(WEIGHTS, WORDS, {
			description: { hides: 1, encoding: "signed8", scale: 3, shares: false },
		});
		mounted.kernel.hidden = () => -1.25;
		const view = await mounted.open();
		expect(view.text(".meter")).toBe("hidden: -1.2500 of what a token reads, on average");
		expect(view.all(".gauge")).toEqual([]);
	});
});
