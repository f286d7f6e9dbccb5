import { describe, expect, test, vi } from "vitest";
import { onScale, palette } from "../src/draw/colour";
import type { SavedReplies, TileKey, WeightsRequest } from "../src/protocol.gen";
import { choose, click, clickAt, frame, hover, hoverAt, leave, press } from "./events";
import { descriptionOf, type Mounted, mount, numbered, Shown, softmaxWeights } from "./host";
import { deflate, type Kernel } from "./kernel";
import { pixelAt } from "./pixels";
import { type Weights, weightsOf } from "./weights";

const [LAYERS, HEADS, QUERIES, KEYS] = [3, 4, 7, 5];
/** The model's own numbers of the layers that have attention. */
const NUMBERS = [3, 5, 9];
/** No two weights at the same place of two heads are alike. */
const WEIGHTS = weightsOf([LAYERS, HEADS, QUERIES, KEYS], (layer, head, query, key) => {
	return (((query * KEYS + key) * 17 + layer * 5 + head * 11) % 41) / 40;
});

/** Room for the numbers of heads and layers. */
const [LEFT, TOP] = [28, 18];
const RAMP = palette(false).ramp;

async function open(state: object = {}) {
	const mounted = mount(WEIGHTS, numbered(QUERIES, "q"), {
		keyWords: numbered(KEYS, "k"),
		description: { layers: NUMBERS },
		state: { view: ["matrix", "model"], ...state },
	});
	return { ...mounted, view: await mounted.open() };
}

/** The map, by the places that a person finds on it. */
class ModelMap {
	readonly el: HTMLElement;
	readonly content: HTMLElement;
	readonly #view: Shown;
	readonly #shape: readonly [layers: number, heads: number];

	constructor(view: Shown, { layers, heads }: Pick<Weights, "layers" | "heads"> = WEIGHTS) {
		this.#view = view;
		this.#shape = [layers, heads];
		this.el = view.one(".map");
		this.content = view.one(".map .content");
	}

	/** Where a share of a head's width and height lies, from the content's corner. */
	place(layer: number, head: number, x = 0.5, y = 0.5): readonly [number, number] {
		const { width, height } = this.content.style;
		const across = (Number.parseFloat(width) - LEFT) / this.#shape[1];
		const down = (Number.parseFloat(height) - TOP) / this.#shape[0];
		const gap = Math.min(across, down) < 12 ? 1 : 2;
		return [LEFT + head * across + x * (across - gap), TOP + layer * down + y * (down - gap)];
	}

	/** The step of the ramp that a head has somewhere; -1 for none. */
	step(...place: Parameters<ModelMap["place"]>): number {
		const pixel = this.#pixel(...place);
		for (let step = 0; step < 256; step++)
			if (pixel.every((byte, i) => byte === RAMP[step * 4 + i])) return step;
		return -1;
	}

	#pixel(...place: Parameters<ModelMap["place"]>) {
		const [x, y] = this.place(...place);
		const canvas = this.#view.one<HTMLCanvasElement>(".model canvas:first-child");
		return pixelAt(canvas, x - this.el.scrollLeft, y - this.el.scrollTop);
	}

	/** Whether the map has a place in the page yet. */
	isThere(): boolean {
		return this.content.style.width !== "";
	}

	isDrawn(layer: number, head: number): boolean {
		return this.#pixel(layer, head)[3] > 0;
	}

	async hover(layer: number, head: number): Promise<void> {
		await hoverAt(this.content, ...this.place(layer, head));
	}

	async click(layer: number, head: number, modifiers: MouseEventInit = {}): Promise<void> {
		await clickAt(this.content, ...this.place(layer, head), modifiers);
	}

	/** The head that is pointed at, as the map says. */
	caption(): string {
		return this.#view.text(".model .title .muted");
	}

	title(): string {
		return this.#view.text(".model .title > span:first-child");
	}

	remark(): string {
		return this.#view.text(".model .remark > *");
	}

	pooling(): HTMLButtonElement {
		return this.#view.one<HTMLButtonElement>(".model .remark button");
	}
}

/** Within what one byte of a fourth root may be off. */
function expectStep(step: number, weight: number, where: string): void {
	expect(Math.abs(step - onScale(weight, 1) * 255), where).toBeLessThan(1.6);
}

function eachHead(run: (layer: number, head: number, where: string) => void): void {
	for (let layer = 0; layer < LAYERS; layer++)
		for (let head = 0; head < HEADS; head++) run(layer, head, `layer ${layer}, head ${head}`);
}

/** What was asked of the map's pixels: a name for each tile or strip, in order. */
function tilesAsked({ requests }: Kernel): TileKey[] {
	return requests.flatMap((request) => (request.kind === "weights" ? [...request.tiles] : []));
}

function weightsAsked({ requests }: Kernel): WeightsRequest[] {
	return requests.filter((request) => request.kind === "weights");
}

describe("what is drawn", () => {
	test("at rest each head is at its layer's row and its own column, queries down, keys along", async () => {
		const { view } = await open();
		const map = new ModelMap(view);
		expect(map.title()).toBe("every head");
		eachHead((layer, head, where) => {
			for (let query = 0; query < QUERIES; query++)
				for (let key = 0; key < KEYS; key++) {
					const step = map.step(layer, head, (key + 0.5) / KEYS, (query + 0.5) / QUERIES);
					expectStep(step, WEIGHTS.at(layer, head, query, key), `${where}: ${query}, ${key}`);
				}
		});
	});

	test("with a query looked at each head shows what that one reads, from the first key to the last", async () => {
		const { model, view } = await open();
		const map = new ModelMap(view);
		for (const query of [0, 6]) {
			model.set("hovered", [query, null]);
			await frame();
			expect(map.title()).toBe(`every head: what “q${query}” reads`);
			eachHead((layer, head, where) => {
				for (let key = 0; key < KEYS; key++)
					for (const y of [0.1, 0.9]) {
						const step = map.step(layer, head, (key + 0.5) / KEYS, y);
						expectStep(step, WEIGHTS.at(layer, head, query, key), `${where}: key ${key}`);
					}
			});
		}
	});

	test("with only a key looked at each head shows what reads it", async () => {
		const { model, view } = await open();
		const map = new ModelMap(view);
		for (const key of [0, 4]) {
			model.set("hovered", [null, key]);
			await frame();
			expect(map.title()).toBe(`every head: what reads “k${key}”`);
			eachHead((layer, head, where) => {
				for (let query = 0; query < QUERIES; query++) {
					const step = map.step(layer, head, (query + 0.5) / QUERIES, 0.5);
					expectStep(step, WEIGHTS.at(layer, head, query, key), `${where}: query ${query}`);
				}
			});
		}
	});

	test("a pinned token stays what is shown while another is hovered", async () => {
		const { model, view } = await open();
		model.set("selected", [3, null]);
		model.set("hovered", [5, 1]);
		await frame();
		const map = new ModelMap(view);
		expect(map.title()).toBe("every head: what “q3” reads");
		expectStep(map.step(2, 1, 0.9), WEIGHTS.at(2, 1, 3, 4), "layer 2, head 1");
	});

	test("by itself it is large, with square heads, and the head pointed at beside it", async () => {
		const { view, model } = await open({ view: ["model"] });
		const map = new ModelMap(view);
		const [x0, y0] = map.place(0, 0, 0, 0);
		const [x1, y1] = map.place(1, 1, 0, 0);
		expect(x1 - x0).toBeCloseTo(y1 - y0);
		expect(view.one(".matrix").hidden).toBe(false);
		expect(view.one(".heads").hidden).toBe(true);
		eachHead((layer, head, where) => {
			expectStep(map.step(layer, head, 0.3, 0.5), WEIGHTS.at(layer, head, 3, 1), where);
		});
		await map.hover(2, 3);
		expect(view.text(".matrix .title")).toContain("layer 9 · head 3");
		model.set("view", ["text", "model"]);
		await frame();
		expect(view.one(".matrix").hidden).toBe(true);
	});

	test("in the dark theme its colours are the dark ones", async () => {
		const { view, model } = await open();
		const map = new ModelMap(view);
		const light = map.step(1, 2, 0.5, 0.5);
		model.set("theme", "dark");
		await frame();
		expect(light).toBeGreaterThanOrEqual(0);
		expect(map.step(1, 2, 0.5, 0.5)).toBe(-1);
	});
});

describe("sorted by a score", () => {
	/** Heads by the mean of each row's largest weight, highest first, as [layer, head]. */
	const ORDER = Array.from({ length: LAYERS * HEADS }, (_, i) => [Math.floor(i / HEADS), i % HEADS])
		.map(([layer, head]) => [layer as number, head as number] as const)
		.map(([layer, head]) => {
			const rows = Array.from({ length: QUERIES }, (_, query) =>
				Math.max(...Array.from({ length: KEYS }, (_, key) => WEIGHTS.at(layer, head, query, key))),
			);
			return { layer, head, peak: rows.reduce((a, b) => a + b, 0) / QUERIES };
		})
		.sort((a, b) => b.peak - a.peak);

	test("each place shows the head whose turn it is, and a click there opens that one", async () => {
		const { view, model, settled } = await open();
		await choose(view.one(".model .title select"), "peak");
		expect(model.get("sort")).toBe("peak");
		await settled();
		const map = new ModelMap(view);
		for (const [place, { layer, head }] of ORDER.entries()) {
			const step = map.step(Math.floor(place / HEADS), place % HEADS, 0.9, 0.9);
			expectStep(step, WEIGHTS.at(layer, head, QUERIES - 1, KEYS - 1), `place ${place}`);
		}
		const third = ORDER[2] as (typeof ORDER)[number];
		await hoverAt(map.el, ...map.place(0, 2));
		expect(view.text(".model .title")).toContain(
			`layer ${NUMBERS[third.layer]} · head ${third.head} · ${third.peak.toFixed(3)}`,
		);
		await clickAt(map.el, ...map.place(0, 2));
		expect([model.get("layer"), model.get("heads")]).toEqual([third.layer, [third.head]]);
	});

	test("nothing is scored until it is asked for", async () => {
		const { kernel } = await open();
		expect(kernel.requests.some((r) => r.kind === "weights" && r.scores)).toBe(false);
	});
});

describe("coloured by a score", () => {
	const peakOf = (weights: Weights, layer: number, head: number) => {
		const { queries, keys } = weights;
		const rows = Array.from({ length: queries }, (_, query) =>
			Math.max(...Array.from({ length: keys }, (_, key) => weights.at(layer, head, query, key))),
		);
		return rows.reduce((a, b) => a + b, 0) / queries;
	};
	/** Heads by their mean largest weight, highest first. */
	const ranked = (weights: Weights) =>
		Array.from({ length: weights.layers * weights.heads }, (_, i) => {
			const [layer, head] = [Math.floor(i / weights.heads), i % weights.heads];
			return { layer, head, peak: peakOf(weights, layer, head) };
		}).sort((a, b) => b.peak - a.peak);
	const box = (view: Shown) => view.one<HTMLInputElement>(".model .title input");
	const bar = (view: Shown) => view.one(".model .remark .scores");

	test("a box beside what sorts them turns it on: each place has its score's colour", async () => {
		const { view, model, settled } = await open();
		expect(box(view).checkVisibility(), "by layer there is no score").toBe(false);
		await choose(view.one(".model .title select"), "peak");
		expect(box(view).checkVisibility()).toBe(true);
		expect(box(view).checked).toBe(false);
		expect(box(view).labels?.[0]?.textContent).toBe("colour by it");
		await click(box(view));
		expect(model.get("paint")).toBe("score");
		await settled();
		const map = new ModelMap(view);
		const heads = ranked(WEIGHTS);
		const [least, greatest] = [heads.at(-1)?.peak ?? 0, heads[0]?.peak ?? 0];
		for (const [place, { peak }] of heads.entries()) {
			const step = map.step(Math.floor(place / HEADS), place % HEADS, 0.9, 0.1);
			const share = 0.1 + (0.9 * (peak - least)) / (greatest - least);
			expect(Math.abs(step - 255 * share), `place ${place}`).toBeLessThan(1);
		}
		const ends = `${least.toFixed(3)} to ${greatest.toFixed(3)}`;
		expect(map.remark().trim()).toBe(`peak from ${ends}`);
		expect(bar(view).checkVisibility()).toBe(true);
		await click(box(view));
		expect(model.get("paint")).toBe("weights");
		expect(bar(view).checkVisibility()).toBe(false);
		expectStep(map.step(0, 0, 0.9, 0.9), lastOf(heads[0]), "weights again");
	});

	const lastOf = (at: { layer: number; head: number } | undefined) =>
		WEIGHTS.at(at?.layer ?? 0, at?.head ?? 0, QUERIES - 1, KEYS - 1);

	test("a token that is looked at doesn't change it, and its title doesn't say so", async () => {
		const { view, model, settled } = await open({ sort: "peak", paint: "score" });
		await settled();
		const map = new ModelMap(view);
		const before = map.step(1, 2, 0.9, 0.1);
		model.set("hovered", [3, null]);
		await frame();
		expect(map.title()).toBe("every head");
		expect(before).toBeGreaterThan(0);
		expect(map.step(1, 2, 0.9, 0.1)).toBe(before);
	});

	test("the name of the map says the head's score", async () => {
		const { view } = await open({ sort: "peak", paint: "score", layer: 2, heads: [1] });
		const map = new ModelMap(view);
		const name = `layer 9 · head 1, peak ${peakOf(WEIGHTS, 2, 1).toFixed(3)};`;
		expect(map.el.ariaLabel).toContain(name);
		await press(map.el, "ArrowLeft");
		expect(map.el.ariaLabel).not.toContain(name);
		expect(map.el.ariaLabel).toMatch(/, peak 0\.\d{3};/);
	});

	test("without an order by a score heads keep their weights", async () => {
		const { view, model } = await open({ paint: "score" });
		const map = new ModelMap(view);
		expectStep(map.step(1, 2, 0.9, 0.9), WEIGHTS.at(1, 2, QUERIES - 1, KEYS - 1), "by layer");
		model.set("sort", "no score of ours");
		await frame();
		expectStep(map.step(1, 2, 0.9, 0.9), WEIGHTS.at(1, 2, QUERIES - 1, KEYS - 1), "by what isn't");
	});

	test("weights that aren't drawn aren't asked for", async () => {
		const { kernel, view } = await openLarge({ sort: "peak", paint: "score" });
		const map = new ModelMap(view, LARGE);
		expect(map.step(2, 4, 0.9, 0.1)).toBeGreaterThan(0);
		// The text view reads those of the chosen head.
		for (const [layer, head] of tilesAsked(kernel)) expect([layer, head]).toEqual([0, 0]);
		expect(map.remark()).not.toContain("pooled");
		const strips = weightsAsked(kernel).flatMap((request) => [...request.strips]);
		expect(strips).toEqual([]);
	});

	test("80 x 64 heads have theirs, in the dark too", async () => {
		const many = weightsOf([80, 64, 6, 5], (layer, head, query, key) => {
			return ((layer * 64 + head) % 997) / 997 / (1 + query + key);
		});
		const { model, open: show } = mount(many, numbered(6, "q"), {
			keyWords: numbered(5, "k"),
			state: { view: ["model"], sort: "peak", paint: "score", theme: "dark" },
		});
		const map = new ModelMap(await show(), many);
		expect(map.isDrawn(0, 0) && map.isDrawn(30, 63)).toBe(true);
		expect(map.step(0, 0), "the light ramp's").toBe(-1);
		model.set("theme", "light");
		await frame();
		expect(map.step(0, 0)).toBe(255);
		const heads = ranked(many);
		const [least, greatest] = [heads.at(-1)?.peak ?? 0, heads[0]?.peak ?? 0];
		const share = ((heads[30 * 64 + 63]?.peak ?? 0) - least) / (greatest - least);
		expect(Math.abs(map.step(30, 63) - 255 * (0.1 + 0.9 * share))).toBeLessThan(1);
		map.el.scrollTop = map.el.scrollHeight;
		await frame();
		expect(Math.abs(map.step(79, 63) - 25.5), "the least is seen").toBeLessThan(1);
	});

	test("a picture says what its colours are, and nothing of weights", async () => {
		const { view, settled } = await open({ sort: "peak", paint: "score", view: ["model"] });
		await settled();
		const made = vi.spyOn(URL, "createObjectURL");
		// A real download would ask where to.
		const saved = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
		view.one<HTMLDetailsElement>(".take details").open = true;
		await click(view.one('.take [aria-label="Model as SVG"]'));
		await expect.poll(() => saved.mock.calls.length).toBe(1);
		const text = await (made.mock.calls.at(-1)?.[0] as Blob).text();
		made.mockRestore();
		saved.mockRestore();
		const heads = ranked(WEIGHTS);
		const ends = [heads.at(-1), heads[0]].map((head) => head?.peak.toFixed(3)).join(" to ");
		const [words] = new DOMParser().parseFromString(text, "image/svg+xml").children;
		expect(words?.textContent?.replace(/\s+/g, " ")).toContain(`peak from ${ends}`);
		expect(text).not.toContain("sqrt scale");
	});
});

describe("pointing at a head", () => {
	test("shows it, by the model's own layer number, until the pointer leaves; nothing is chosen", async () => {
		const { model, view } = await open({ layer: 1, heads: [0, 2] });
		const map = new ModelMap(view);
		const matrix = () => view.one<HTMLCanvasElement>(".stage canvas:not(.cross)").toDataURL();
		const before = matrix();
		await map.hover(2, 1);
		expect(map.caption()).toBe("layer 9 · head 1");
		expect(view.text(".matrix .title")).toContain("layer 9 · head 1");
		const peeked = matrix();
		expect(peeked).not.toBe(before);
		expect([model.get("layer"), model.get("heads"), model.saves]).toEqual([1, [0, 2], 0]);
		await leave(map.el);
		expect(map.caption()).toBe("layers ↓ heads →");
		expect(view.text(".matrix .title")).toContain("layer 5 · heads 0, 2");
		expect(matrix()).toBe(before);
		model.set("layer", 2);
		model.set("heads", [1]);
		await frame();
		expect(matrix(), "what was peeked at is that head").toBe(peeked);
	});

	test("another view of the same model isn't moved by it", async () => {
		const { view, open: another } = await open();
		const second = await another();
		await new ModelMap(view).hover(1, 3);
		expect(second.text(".matrix .title")).toContain("layer 3 · head 0");
	});

	test("a click opens it, of its layer", async () => {
		const { model, view } = await open({ layer: 0, heads: [0, 1, 3] });
		const map = new ModelMap(view);
		for (const [layer, head] of [
			[2, 0],
			[1, 3],
			[0, 2],
		] as const) {
			await map.click(layer, head);
			expect([model.get("layer"), model.get("heads")]).toEqual([layer, [head]]);
		}
	});

	test("a click between the numbers opens nothing", async () => {
		const { model, view } = await open({ layer: 1, heads: [2] });
		const map = new ModelMap(view);
		await clickAt(map.content, 10, 100);
		await clickAt(map.content, 100, 5);
		expect([model.get("layer"), model.get("heads"), model.saves]).toEqual([1, [2], 0]);
	});

	test("with Shift it is added or taken away within its layer, and one stays", async () => {
		const { model, view } = await open({ layer: 1, heads: [2] });
		const map = new ModelMap(view);
		const shift = { shiftKey: true };
		const steps: [layer: number, head: number, heads: number[]][] = [
			[1, 0, [0, 2]],
			[1, 3, [0, 2, 3]],
			[1, 2, [0, 3]],
			[1, 0, [3]],
			[1, 3, [3]],
			[2, 1, [1]],
			[2, 0, [0, 1]],
		];
		for (const [layer, head, heads] of steps) {
			await map.click(layer, head, shift);
			expect([model.get("layer"), model.get("heads")]).toEqual([layer, heads]);
		}
	});

	test("chosen heads are marked where they are, and only these", async () => {
		const { view, model } = await open({ layer: 2, heads: [1, 3] });
		const map = new ModelMap(view);
		const marks = view.one<HTMLCanvasElement>(".model canvas:last-child");
		const marked = () => {
			const found: string[] = [];
			eachHead((layer, head, where) => {
				// A neighbour's mark covers one side of a head's place, never two that meet.
				const [x, top] = map.place(layer, head, 0.5, 0);
				const [left, y] = map.place(layer, head, 0, 0.5);
				const sides = [pixelAt(marks, x, top - 1), pixelAt(marks, left - 1, y)];
				if (sides.every(([, , , alpha]) => alpha > 0)) found.push(where);
			});
			return found;
		};
		expect(marked()).toEqual(["layer 2, head 1", "layer 2, head 3"]);
		model.set("layer", 0);
		await frame();
		expect(marked()).toEqual(["layer 0, head 1", "layer 0, head 3"]);
		await map.hover(1, 0);
		expect(marked()).toContain("layer 1, head 0");
	});
});

describe("the keyboard", () => {
	test("arrows move, Enter opens, Shift and Enter adds; the name says where", async () => {
		const { model, view } = await open();
		const map = new ModelMap(view);
		expect(map.el.tabIndex).toBe(0);
		expect(map.el.ariaLabel).toContain("layer 3 · head 0;");
		for (const [key, name] of [
			["ArrowUp", "layer 3 · head 0"],
			["ArrowDown", "layer 5 · head 0"],
			["ArrowDown", "layer 9 · head 0"],
			["ArrowDown", "layer 9 · head 0"],
			["ArrowRight", "layer 9 · head 1"],
			["ArrowRight", "layer 9 · head 2"],
			["ArrowRight", "layer 9 · head 3"],
			["ArrowRight", "layer 9 · head 3"],
			["ArrowLeft", "layer 9 · head 2"],
		] as const) {
			expect(await press(map.el, key), `${key} is kept from the host`).toBe(false);
			expect(map.caption()).toBe(name);
			expect(map.el.ariaLabel).toContain(`${name};`);
		}
		expect(model.saves, "to look is not to choose").toBe(0);
		expect(await press(map.el, "Enter")).toBe(false);
		expect([model.get("layer"), model.get("heads")]).toEqual([2, [2]]);
		await press(map.el, "ArrowLeft");
		expect(await press(map.el, "Enter", { shiftKey: true })).toBe(false);
		expect([model.get("layer"), model.get("heads")]).toEqual([2, [1, 2]]);
		map.el.dispatchEvent(new FocusEvent("blur"));
		await frame();
		expect(map.caption()).toBe("layers ↓ heads →");
	});

	test("keys that come faster than frames are each counted, and Enter opens what they led to", async () => {
		const { model, view } = await open();
		const map = new ModelMap(view);
		for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"])
			void press(map.el, key);
		await press(map.el, "Enter");
		expect([model.get("layer"), model.get("heads")]).toEqual([2, [3]]);
	});

	test("what a host does with keys stays the host's", async () => {
		const { model, view } = await open();
		const map = new ModelMap(view);
		for (const modifiers of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }])
			expect(await press(map.el, "Enter", modifiers)).toBe(true);
		expect(await press(map.el, "ArrowDown", { shiftKey: true })).toBe(true);
		expect([model.saves, map.caption()]).toEqual([0, "layers ↓ heads →"]);
	});

	test("+ and − zoom, 0 shows the whole", async () => {
		const { view } = await open();
		const map = new ModelMap(view);
		const widths = [Number.parseFloat(map.content.style.width) - LEFT];
		for (const key of ["+", "+", "-", "0"]) {
			expect(await press(map.el, key)).toBe(false);
			widths.push(Number.parseFloat(map.content.style.width) - LEFT);
		}
		const [whole = 0] = widths;
		for (const [i, factor] of [1, 1.5, 2.25, 1.5, 1].entries())
			expect(widths[i]).toBeCloseTo(whole * factor, 2);
		await press(map.el, "-");
		expect(Number.parseFloat(map.content.style.width) - LEFT, "never smaller").toBeCloseTo(
			whole,
			2,
		);
	});
});

/** More weights than are sent whole, and texts short enough for no samples. */
const LARGE = weightsOf([3, 5, 600, 500], (layer, head, query, key) => {
	return ((query + 3 * key + 31 * layer + 57 * head) % 211) / 211;
});

const openLarge = async (state: object = {}) => {
	const mounted = mount(LARGE, numbered(600, "q"), {
		keyWords: numbered(500, "k"),
		state: { view: ["text", "model"], ...state },
	});
	return { ...mounted, view: await mounted.open() };
};

describe("what a pooled cell says", () => {
	const SPAN = 16;
	const blockOf = (layer: number, head: number, row: number, column: number) =>
		Array.from({ length: SPAN * SPAN }, (_, i) =>
			LARGE.at(layer, head, row * SPAN + Math.floor(i / SPAN), column * SPAN + (i % SPAN)),
		);
	const meanOf = (block: number[]) => block.reduce((a, b) => a + b, 0) / block.length;
	const ROWS = Math.ceil(600 / SPAN);
	const COLUMNS = Math.ceil(500 / SPAN);

	const expectMeans = (map: ModelMap) => {
		for (let layer = 0; layer < 3; layer++)
			for (let head = 0; head < 5; head++) {
				const step = map.step(layer, head, (20.5 + head) / COLUMNS, 3.5 / ROWS);
				const mean = meanOf(blockOf(layer, head, 3, 20 + head));
				expectStep(step, mean, `layer ${layer}, head ${head}`);
			}
	};

	test("its largest weight first; a click on that asks for means, and shows them", async () => {
		const { kernel, model, view, settled } = await openLarge();
		const map = new ModelMap(view, LARGE);
		expect(map.remark()).toBe(`max-pooled 1 cell = ${SPAN} × ${SPAN} tokens`);
		expectStep(
			map.step(2, 4, 10.5 / COLUMNS, 30.5 / ROWS),
			Math.max(...blockOf(2, 4, 30, 10)),
			"largest",
		);
		const asked = kernel.requests.length;
		await click(map.pooling());
		await settled();
		expect([model.get("pooling"), model.saves]).toEqual(["mean", 1]);
		const tiles = kernel.requests
			.slice(asked)
			.flatMap((request) => (request.kind === "weights" ? [...request.tiles] : []));
		expect(tiles).toHaveLength(15);
		for (const tile of tiles) expect(tile.slice(2)).toEqual([4, 0, 0, "mean"]);
		expect(map.remark()).toBe(`mean-pooled 1 cell = ${SPAN} × ${SPAN} tokens`);
		expectMeans(map);
		await click(map.pooling());
		expect(model.get("pooling")).toBe("max");
		expect(map.remark()).toContain("max-pooled");
	});

	test("Python changes it in every view", async () => {
		const { model, view, open: another, settled } = await openLarge();
		const views = [view, await another()];
		model.set("pooling", "mean");
		await settled();
		for (const each of views) {
			const map = new ModelMap(each, LARGE);
			expect(map.remark()).toContain("mean-pooled");
			expectMeans(map);
		}
	});

	test("of a token's row it is a part of that row: strips are asked for, a cell has fewer tokens", async () => {
		const { kernel, model, view, settled } = await openLarge({ pooling: "mean" });
		const map = new ModelMap(view, LARGE);
		const asked = kernel.requests.length;
		model.set("hovered", [599, null]);
		await settled();
		model.set("hovered", [null, 499]);
		await settled();
		const later = weightsAsked({ requests: kernel.requests.slice(asked) } as Kernel);
		expect(later.flatMap(({ tiles }) => tiles)).toEqual([]);
		const strips = later.flatMap((request) => [...request.strips]);
		expect(strips).toHaveLength(30);
		expect(new Set(strips.map((strip) => `${strip.slice(2)}`))).toEqual(
			new Set(["599,4,mean,row", "499,4,mean,column"]),
		);
		expect(map.remark()).toBe(`mean-pooled 1 cell = ${SPAN} tokens`);
		const column = Array.from({ length: SPAN }, (_, i) => LARGE.at(1, 3, 5 * SPAN + i, 499));
		expectStep(map.step(1, 3, 5.5 / ROWS), meanOf(column), "layer 1, head 3");
	});
});

describe("a text that comes whole", () => {
	const small = softmaxWeights(3, 4, 70, 50);

	test("asks for nothing more: no map, row, zoom, pooling or head", async () => {
		const {
			kernel,
			model,
			open: show,
			settled,
		} = mount(small, numbered(70, "q"), {
			keyWords: numbered(50, "k"),
			state: { view: ["text", "matrix", "model"] },
		});
		const view = await show();
		const map = new ModelMap(view, small);
		const drawn = () => {
			for (let layer = 0; layer < 3; layer++)
				for (let head = 0; head < 4; head++)
					expect(map.step(layer, head, 0.02, 0.6), `${layer}, ${head}`).toBeGreaterThan(0);
		};
		expect(map.remark()).toContain("max-pooled");
		drawn();
		await click(map.pooling());
		drawn();
		for (const pointer of [
			[69, null],
			[null, 0],
			[3, 4],
		] as const) {
			model.set("hovered", pointer);
			await frame();
			drawn();
		}
		model.set("hovered", null);
		await map.hover(2, 3);
		for (const key of ["+", "+", "+", "+", "0"]) await press(map.el, key);
		model.set("view", ["model"]);
		await settled();
		drawn();
		expect(kernel.requests.map((request) => request.kind)).toEqual(["tokens", "everything"]);
	});

	test("and a notebook that was saved with it shows every head without a kernel", async () => {
		const saved = await mount(WEIGHTS, numbered(QUERIES, "q"), {
			keyWords: numbered(KEYS, "k"),
		}).kernel.snapshot();
		const { kernel, model, render } = mount(WEIGHTS, numbered(QUERIES, "q"), {
			keyWords: numbered(KEYS, "k"),
			connected: false,
			state: { _snapshot: saved, view: ["model"] },
		});
		const map = new ModelMap(render());
		await expect.poll(() => map.isThere() && map.isDrawn(2, 3)).toBe(true);
		eachHead((layer, head, where) => {
			expectStep(map.step(layer, head, 0.3, 0.5), WEIGHTS.at(layer, head, 3, 1), where);
		});
		model.set("hovered", [6, null]);
		await frame();
		eachHead((layer, head, where) => {
			expectStep(map.step(layer, head, 0.9), WEIGHTS.at(layer, head, 6, 4), where);
		});
		expect(map.remark()).not.toContain("not all");
		expect(kernel.requests).toEqual([]);
	});
});

test("without a kernel what wasn't saved is said to be missing", async () => {
	const options = { keyWords: numbered(500, "k"), connected: false } as const;
	const { kernel } = mount(LARGE, numbered(600, "q"), options);
	const saved: SavedReplies = { tokens: kernel.tokensReply(), weights: null };
	const header = await deflate(new TextEncoder().encode(JSON.stringify(saved)));
	const { render } = mount(LARGE, numbered(600, "q"), {
		...options,
		state: { view: ["text", "model"], _snapshot: { header, buffer: null } },
	});
	const view = render();
	await expect.poll(() => view.text(".model .remark")).toContain("not all of this was saved here");
});

/** More than 1024 queries; only the last of 32 reads much, so that a sample misses it. */
const LONG = weightsOf([5, 6, 1100, 160], (layer, head, query, key) => {
	return query % 32 === 31 || query === 1099 ? 1 : (1 + ((layer * 6 + head + key) % 3)) / 40;
});

const isSampled = (key: TileKey) => key[5].endsWith("sampled");

/** A long text whose kernel hasn't answered for any exact overview yet. */
async function openLong(): Promise<Mounted & { view: Shown; map: ModelMap }> {
	const mounted = mount(LONG, numbered(1100, "q"), {
		keyWords: numbered(160, "k"),
		state: { view: ["text", "model"] },
	});
	mounted.kernel.answering = (request) =>
		request.kind !== "weights" || request.tiles.every(isSampled);
	const view = mounted.render();
	const map = new ModelMap(view, LONG);
	await expect.poll(() => map.remark()).toContain("previews, from a sample of the queries");
	await expect.poll(() => view.one(".explorer").ariaBusy).toBe("false");
	return { ...mounted, view, map };
}

describe("a long text", () => {
	const each = (run: (layer: number, head: number) => void) => {
		for (let layer = 0; layer < 5; layer++) for (let head = 0; head < 6; head++) run(layer, head);
	};
	const weak = (layer: number, head: number, first: number) =>
		Math.max(...[0, 1, 2].map((i) => LONG.at(layer, head, 0, Math.min(159, first + i))));

	test("is there as previews first, and says so until the exact ones replaced them", async () => {
		const { kernel, map, settled } = await openLong();
		await expect.poll(() => kernel.idle).toBe(false);
		const asked = tilesAsked(kernel);
		const exact = asked.findIndex((key) => !isSampled(key));
		expect(exact, "every head has a preview before any is exact").toBe(30);
		expect(asked.slice(exact).some(isSampled)).toBe(false);
		each((layer, head) => {
			expectStep(map.step(layer, head, 0.5, 0.5), weak(layer, head, 64), `${layer}, ${head}`);
		});
		kernel.resume();
		await settled();
		each((layer, head) => {
			expectStep(map.step(layer, head, 0.5, 0.5), 1, `${layer}, ${head}`);
		});
		expect(map.remark()).toBe("max-pooled 1 cell = 32 × 32 tokens");
		expect(tilesAsked(kernel), "each once").toHaveLength(60);
	});

	test("a pointer over previews, which stand until the exact ones come, paints none of them again", async () => {
		const { map } = await openLong();
		const painted = vi.spyOn(OffscreenCanvasRenderingContext2D.prototype, "putImageData");
		await map.hover(3, 2);
		await expect.poll(() => map.caption()).toBe("layer 3 · head 2");
		expect(painted).not.toHaveBeenCalled();
		painted.mockRestore();
	});

	test("a hover while the exact ones are worked on shows its row in every head", async () => {
		const { kernel, model, view, map } = await openLong();
		kernel.shares = new Array(100_000).fill(0.5);
		kernel.resume();
		await expect.poll(() => view.one(".status").textContent).toContain("computing");
		expect(view.one(".explorer").ariaBusy, "all is there in some form").toBe("false");
		model.set("hovered", [31, null]);
		await expect.poll(() => map.step(4, 5)).toBe(255);
		expect(map.remark()).not.toContain("previews");
		model.set("hovered", null);
		await expect.poll(() => map.remark()).toContain("previews");
		kernel.shares.length = 2;
		await expect.poll(() => map.remark()).not.toContain("previews");
		expectStep(map.step(0, 0, 0.5, 0.5), 1, "exact in the end");
	});

	test("stop leaves the previews, through hovers too; go on makes them exact", async () => {
		const { kernel, model, view, map, settled } = await openLong();
		kernel.shares = new Array(100_000).fill(0.5);
		kernel.resume();
		const button = (name: string) =>
			expect
				.poll(() => view.all(".about button").find((el) => el.textContent === name))
				.toBeDefined()
				.then(() => view.all(".about button").find((el) => el.textContent === name));
		await click((await button("stop")) as HTMLElement);
		await expect.poll(() => kernel.idle).toBe(true);
		const asked = kernel.requests.length;
		model.set("hovered", [null, 8]);
		await settled();
		expect(map.step(1, 2, 0.5)).toBeGreaterThan(0);
		model.set("hovered", null);
		await settled();
		expect(map.remark()).toContain("previews");
		await expect.poll(() => view.one(".status").textContent).toBe("stopped");
		expect(tilesAsked({ requests: kernel.requests.slice(asked) } as Kernel)).toEqual([]);
		kernel.shares = [];
		await click((await button("go on")) as HTMLElement);
		await expect.poll(() => map.remark()).not.toContain("previews");
		await settled();
		expect(view.one(".status").textContent).toBe("live, exact");
	});

	test("what is worked on no more isn't said to be: a hover of what is here ends it", async () => {
		const { kernel, model, view } = await openLong();
		kernel.shares = new Array(100_000).fill(0.5);
		kernel.resume();
		const status = () => view.one(".status").textContent;
		await expect.poll(status).toContain("computing");
		model.set("hovered", [5, null]);
		await expect.poll(status).toBe("live, exact");
		model.set("hovered", null);
		await expect.poll(status).toContain("computing");
		model.set("hovered", [5, null]);
		await expect.poll(status).toBe("live, exact");
	});
});

describe("a model of 80 x 64 heads", () => {
	const shape = [80, 64, 40, 36] as const;
	const deep = weightsOf(shape, (layer, head, query, key) => {
		return (1 + ((layer * 3 + head * 5 + query + key) % 7)) / 8;
	});
	const layersOf = (tiles: TileKey[]) => new Set(tiles.map(([layer]) => layer));

	test("scrolls, and asks only for the heads in view", async () => {
		const {
			kernel,
			model,
			open: show,
			settled,
		} = mount(deep, numbered(40, "q"), {
			keyWords: numbered(36, "k"),
			state: { view: ["text", "model"] },
		});
		const view = await show();
		const map = new ModelMap(view, deep);
		const first = layersOf(tilesAsked(kernel));
		expect(Math.max(...first)).toBeLessThan(50);
		expect(first.size).toBeGreaterThan(40);
		expect(map.isDrawn(20, 63)).toBe(true);
		const asked = tilesAsked(kernel).length;
		map.el.scrollTop = map.el.scrollHeight;
		await frame();
		await settled();
		const then = layersOf(tilesAsked(kernel).slice(asked));
		expect(Math.max(...then)).toBe(79);
		expect(Math.min(...then), "none twice").toBeGreaterThan(Math.max(...first));
		expect(map.isDrawn(79, 63)).toBe(true);
		await map.hover(79, 62);
		expect(map.caption()).toBe("layer 79 · head 62");
		await map.click(78, 61);
		expect([model.get("layer"), model.get("heads")]).toEqual([78, [61]]);
	});

	test("arrow keys scroll to the head that they reach", async () => {
		const { open: show, settled } = mount(deep, numbered(40, "q"), {
			keyWords: numbered(36, "k"),
			state: { view: ["text", "model"], layer: 30 },
		});
		const map = new ModelMap(await show(), deep);
		for (let i = 0; i < 30; i++) await press(map.el, "ArrowDown");
		await settled();
		expect(map.caption()).toBe("layer 60 · head 0");
		const [, y] = map.place(60, 0);
		expect(y).toBeGreaterThan(map.el.scrollTop);
		expect(y).toBeLessThan(map.el.scrollTop + map.el.clientHeight);
		expect(map.isDrawn(60, 0)).toBe(true);
	});

	test("the buttons zoom, more is asked for where more is to be seen, the numbers stay", async () => {
		const {
			kernel,
			open: show,
			settled,
		} = mount(deep, numbered(40, "q"), {
			keyWords: numbered(36, "k"),
			state: { view: ["text", "model"] },
		});
		const view = await show();
		const map = new ModelMap(view, deep);
		// The text view reads the chosen head's weights themselves.
		const levels = () =>
			new Set(tilesAsked(kernel).flatMap(([layer, , level]) => (layer > 0 ? [level] : [])));
		const before = levels();
		const button = (name: string) => view.one(`.model [aria-label="${name}"]`);
		for (let i = 0; i < 6; i++) await click(button("zoom in"));
		await settled();
		expect(Math.min(...levels())).toBeLessThan(Math.min(...before));
		expect(map.el.scrollWidth).toBeGreaterThan(map.el.clientWidth);
		map.el.scrollLeft = 1e6;
		map.el.scrollTop = 1e6;
		await frame();
		await settled();
		expect(map.isDrawn(79, 63)).toBe(true);
		expect(map.el.scrollTop + map.el.clientHeight, "nothing below the last layer").toBe(
			Math.round(Number.parseFloat(map.content.style.height)),
		);
		await click(button("show the whole model"));
		await settled();
		expect(map.el.scrollWidth).toBe(map.el.clientWidth);
	});
});

test("another kind of attention has a map of its own heads", async () => {
	const kinds = { kinds: ["cross", "encoder"] };
	const encoder = weightsOf([2, 7, 6, 6], (layer, head, query, key) => {
		return (1 + ((layer * 11 + head * 3 + query * 5 + key) % 23)) / 24;
	});
	const {
		model,
		kernel,
		open: show,
	} = mount(WEIGHTS, numbered(QUERIES, "q"), {
		keyWords: numbered(KEYS, "k"),
		description: { ...kinds, kind: "cross", shown: "cross" },
		state: { kind: "cross", view: ["text", "model"], layer: 2 },
	});
	const view = await show();
	await new ModelMap(view).hover(2, 3);
	await choose(view.one<HTMLSelectElement>("select[aria-label='kind of attention']"), "encoder");
	kernel.show(encoder, numbered(6, "t"), null);
	model.set("layer", 1);
	model.set("_description", {
		...descriptionOf(encoder, true),
		...kinds,
		kind: "encoder",
		shown: "encoder",
	});
	const again = new Shown(view.el, () => {});
	await expect.poll(() => again.text(".model .title .muted")).toBe("layers ↓ heads →");
	await expect.poll(() => again.one(".explorer").ariaBusy).toBe("false");
	const map = new ModelMap(again, encoder);
	for (let layer = 0; layer < 2; layer++)
		for (let head = 0; head < 7; head++)
			expectStep(map.step(layer, head, 0.75, 0.25), encoder.at(layer, head, 1, 4), `${head}`);
	await hover(again.token(2));
	expect(map.title()).toBe("every head: what “t2” reads");
	await map.click(0, 6);
	expect([model.get("layer"), model.get("heads")]).toEqual([0, [6]]);
});
