import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { density } from "../src/draw/noted";
import { numbersOf } from "../src/export/numbers";
import type { Description } from "../src/protocol.gen";
import type { Scene } from "../src/scene";
import { click, frame, hover, leave, press } from "./events";
import { openEvidence } from "./evidence";
import { mount, numbered, type Options, type Shown, softmaxWeights } from "./host";
import { pixelAt } from "./pixels";
import { mountQa } from "./qa";
import { tokenTable, type Weights } from "./weights";

const HOSTILE = ["<script>alert(1)</script>", "]]>", "a\x01b", "مرحبا", "👩‍👩‍👧", '"&amp;', "<!--"];
const WEIGHTS = softmaxWeights(2, 3, 7, 7);

/** One hot: each query reads the key before it. */
const SHIFTED: Weights = { ...WEIGHTS, at: (_l, _h, q, k) => (k === Math.max(0, q - 1) ? 1 : 0) };

/** Every cell of another weight than those beside it. */
const CHEQUERED: Weights = { ...WEIGHTS, at: (_l, _h, q, k) => (1 + ((3 * q + 5 * k) % 7)) / 8 };

const blobs: Blob[] = [];
const links: HTMLAnchorElement[] = [];
const click_ = HTMLAnchorElement.prototype.click;
const make_ = URL.createObjectURL;

beforeEach(() => {
	blobs.length = links.length = 0;
	URL.createObjectURL = (blob: Blob) => {
		// The code of what draws them comes as one, too.
		if (!blob.type.includes("javascript")) blobs.push(blob);
		return make_(blob);
	};
	// A real download would ask where to.
	HTMLAnchorElement.prototype.click = function (this: HTMLAnchorElement) {
		links.push(this);
	};
});
afterEach(() => {
	URL.createObjectURL = make_;
	HTMLAnchorElement.prototype.click = click_;
});

async function open(words: readonly string[], options: Options = {}, weights = WEIGHTS) {
	const mounted = mount(weights, words, options);
	return { ...mounted, view: await mounted.open(1100) };
}

async function taken(view: Shown, what: string): Promise<Blob> {
	const before = blobs.length;
	view.one<HTMLDetailsElement>(".take details").open = true;
	await click(view.one(`.take [aria-label="${what}"]`));
	await expect.poll(() => blobs.length).toBe(before + 1);
	return blobs.at(-1) as Blob;
}

async function drawingOf(view: Shown, what: string): Promise<SVGSVGElement> {
	const text = await (await taken(view, `${what} as SVG`)).text();
	const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
	expect(parsed.querySelector("parsererror")?.textContent).toBeUndefined();
	return parsed.documentElement as unknown as SVGSVGElement;
}

const textsIn = (drawing: Element) =>
	[...drawing.querySelectorAll("text")].map((el) => el.textContent);

/** The picture's pixels, and where in it a place of the page is. */
async function pixelsOf(png: Blob, view: Shown, pane: string) {
	const bitmap = await createImageBitmap(png);
	const canvas = document.createElement("canvas");
	Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
	canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
	const box = view.one(pane).getBoundingClientRect();
	const at = (x: number, y: number) => [(x - box.left + 16) * 2, (y - box.top + 16) * 2] as const;
	const pixel = (x: number, y: number) => {
		const [left, top] = at(x, y).map((n) => n / devicePixelRatio) as [number, number];
		return pixelAt(canvas, left, top).slice(0, 3);
	};
	return { bitmap, pixel };
}

describe("a picture", () => {
	test("holds tokens from anywhere as text, never as elements", async () => {
		const { view } = await open(HOSTILE, { state: { selected: [3, 3] } });
		for (const what of ["Text", "Heads", "Matrix"]) {
			const drawing = await drawingOf(view, what);
			const texts = textsIn(drawing);
			for (const word of HOSTILE.map((text) => text.replace("\x01", "\uFFFD")))
				expect(
					texts.some(
						(text) => text === word || (text?.endsWith("…") && word.startsWith(text[0] ?? "")),
					),
					`${word} in ${what}: ${texts}`,
				).toBe(true);
			const names = new Set([...drawing.querySelectorAll("*")].map((el) => el.localName));
			for (const name of names)
				expect(["svg", "g", "rect", "path", "text", "image"]).toContain(name);
			const links = [...drawing.querySelectorAll("[href]")].map((el) => el.getAttribute("href"));
			for (const link of links) expect(link).toMatch(/^data:image\/png;base64,/);
		}
	});

	test("says below whose weights these are, and what was done to them", async () => {
		const { view } = await open(numbered(7), {
			state: { selected: [4, null], heads: [0, 2], layer: 1, top_mass: 0.9, threshold: 0.25 },
			description: { layers: [3, 9], notes: ["2 keys are hidden: “the”"], kind: "encoder" },
		});
		const said = textsIn(await drawingOf(view, "Heads")).join(" ");
		for (const part of [
			"a test model",
			"encoder attention",
			"layer 9 · heads 0, 2",
			"7 tokens",
			"what “w4” (4) reads",
			"not drawn: below top 90 %",
			"not drawn: below 0.25",
			"2 keys are hidden: “the”",
			"attention-explorer",
		])
			expect(said).toContain(part);
		expect(textsIn(await drawingOf(view, "Text")).join(" ")).toContain("mean over 2 heads");
		expect(textsIn(await drawingOf(view, "Matrix")).join(" ")).toContain("sqrt scale up to 1");
	});

	test("says of pooled cells what they are", async () => {
		const large = softmaxWeights(1, 1, 900, 900);
		const { view } = await open(numbered(900), { state: { view: ["matrix"] } }, large);
		const said = textsIn(await drawingOf(view, "Matrix")).join(" ");
		expect(said).toMatch(/max-pooled · 1 cell = \d+ × \d+ tokens/);
	});

	test("of the matrix has each cell's colour at its place, at two pixels each", async () => {
		const { view } = await open(numbered(7), { state: { view: ["matrix"] } }, CHEQUERED);
		const [canvas] = view.all<HTMLCanvasElement>(".stage canvas");
		const stage = (canvas as HTMLElement).getBoundingClientRect();
		const { bitmap, pixel } = await pixelsOf(await taken(view, "Matrix as PNG"), view, ".matrix");
		const width = Math.ceil(view.one(".matrix").getBoundingClientRect().width) + 32;
		expect(bitmap.width).toBe(2 * width);
		const seen = new Set<string>();
		for (let y = 3; y < stage.height; y += 7)
			for (let x = 3; x < stage.width; x += 7) {
				const around = [-1, 0, 1].flatMap((dx) =>
					[-1, 0, 1].map((dy) => `${pixelAt(canvas as HTMLCanvasElement, x + dx, y + dy)}`),
				);
				const [here] = around;
				if (new Set(around).size > 1 || !here?.endsWith(",255")) continue;
				const colour = here.split(",").slice(0, 3).map(Number);
				expect(pixel(stage.left + x, stage.top + y), `${x}, ${y}`).toEqual(colour);
				seen.add(here);
			}
		expect(seen.size).toBeGreaterThanOrEqual(7);
	});

	test("of the heads has curves from token to token, clipped to what is in view", async () => {
		const { view } = await open(numbered(7), { state: { view: ["heads"] } }, SHIFTED);
		const drawing = await drawingOf(view, "Heads");
		const curves = [...drawing.querySelectorAll("path")].map((el) => el.getAttribute("d") ?? "");
		const ends = curves
			.map((d) => d.match(/-?[\d.]+/g)?.map(Number) ?? [])
			.map((at) => [at[1], at.at(-1)].map((y) => Math.floor((y as number) / 2 / 28)));
		expect(ends.sort((a, b) => (a[0] as number) - (b[0] as number))).toEqual(
			[0, 1, 2, 3, 4, 5, 6].map((q) => [q, Math.max(0, q - 1)]),
		);
	});

	test("leaves out what is scrolled away", async () => {
		const { view } = await open(
			numbered(100),
			{ state: { view: ["text", "heads"] } },
			softmaxWeights(1, 1, 100, 100),
		);
		view.one(".scroll").scrollTop = 800;
		await frame();
		const texts = textsIn(await drawingOf(view, "Heads"));
		expect(texts).toContain("w45");
		for (const away of ["w0", "w38", "w99"]) expect(texts).not.toContain(away);
	});

	test("has the page's own look: shades, the ring of what is pinned, the numbers", async () => {
		const { view } = await open(numbered(7), { state: { view: ["text"], selected: [4, 4] } });
		const drawing = await drawingOf(view, "Text");
		const shade = (index: number) => getComputedStyle(view.token(index)).backgroundColor;
		const fills = [...drawing.querySelectorAll("[fill]")].map((el) => el.getAttribute("fill"));
		expect(fills).toContain(shade(2).replaceAll(" ", ""));
		const ring = getComputedStyle(view.token(4)).outlineColor.replaceAll(" ", "");
		expect(drawing.querySelector(`[stroke="${ring}"]`)).not.toBeNull();
		const number = view.all("[data-weight]")[0]?.dataset.weight;
		expect(textsIn(drawing)).toContain(number);
	});

	test("letters stand where the page has them, in either direction", async () => {
		const { view } = await open(HOSTILE, { state: { view: ["text"] } });
		const drawing = await drawingOf(view, "Text");
		document.body.append(drawing);
		const pane = view.one(".text").getBoundingClientRect();
		const origin = drawing.getBoundingClientRect();
		for (const index of [0, 1, 3, 6]) {
			const text = HOSTILE[index];
			const found = [...drawing.querySelectorAll("text")].find((el) => el.textContent === text);
			const range = document.createRange();
			range.selectNodeContents(view.token(index));
			const [here, there] = [range.getBoundingClientRect(), found?.getBoundingClientRect()];
			expect((there?.left ?? 0) - origin.left).toBeCloseTo(here.left - pane.left + 16, -0.5);
			expect((there?.right ?? 0) - origin.left).toBeCloseTo(here.right - pane.left + 16, -0.5);
			expect((there?.top ?? 0) - origin.top).toBeCloseTo(here.top - pane.top + 16, -0.5);
		}
		drawing.remove();
	});

	test("leaves the screen as it was", async () => {
		const { view } = await open(numbered(7));
		const canvases = () =>
			view
				.all<HTMLCanvasElement>("canvas")
				.map((el) => [el.width, el.height, el.width && el.toDataURL()]);
		const before = canvases();
		await taken(view, "Heads as PNG");
		expect(canvases()).toEqual(before);
		expect(density()).toBe(devicePixelRatio);
		const [canvas] = view.all<HTMLCanvasElement>("canvas");
		expect(Object.hasOwn(canvas?.getContext("2d") ?? {}, "fillText")).toBe(false);
	});

	test("that can't be made is said where the person looks", async () => {
		const { view } = await open(numbered(7));
		vi.spyOn(console, "error").mockImplementation(() => {});
		const decode = vi
			.spyOn(HTMLImageElement.prototype, "decode")
			.mockRejectedValue(new Error("refused by the page"));
		view.one<HTMLDetailsElement>(".take details").open = true;
		await click(view.one(`.take [aria-label="Text as PNG"]`));
		await expect.poll(() => view.text(".fault b")).toContain("could not be saved as PNG");
		expect(view.text(".fault b")).toContain("refused by the page");
		decode.mockRestore();
	});

	test("can be opened by hand where the page around forbids downloads", async () => {
		const { view } = await open(numbered(7));
		const blob = await taken(view, "Matrix as SVG");
		await frame();
		const link = view.one<HTMLAnchorElement>(".take .said a");
		expect(links.at(-1)?.download).toBe("matrix-layer-0-head-0.svg");
		expect(link.textContent).toBe("matrix-layer-0-head-0.svg");
		expect(await (await fetch(link.href)).text()).toBe(await blob.text());
		view.one(".panes").dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
		await frame();
		expect(view.text(".take .said")).toBe("");
	});
});

describe("the menu", () => {
	test("offers the views that are shown", async () => {
		const { view } = await open(numbered(7), { state: { view: ["text", "model"] } });
		const offered = view.all(".take .panel div button").map((el) => el.ariaLabel);
		expect(offered).toEqual(["Text as PNG", "Text as SVG", "Model as PNG", "Model as SVG"]);
	});

	/** Catches code that is sent for every picture, or is awaited only once one is wanted. */
	test("fetches what takes pictures when it is opened, once", async () => {
		const { kernel, view } = await open(numbered(7));
		expect(kernel.asked("part")).toBe(0);
		view.one<HTMLDetailsElement>(".take details").open = true;
		await expect.poll(() => kernel.asked("part")).toBe(1);
		await taken(view, "Text as SVG");
		await taken(view, "Heads as PNG");
		expect(kernel.asked("part")).toBe(1);
	});

	/** Catches buttons that do nothing in a notebook without its kernel. */
	test("says that it takes the kernel where that is gone, and goes on where its code is here", async () => {
		const { kernel, view } = await open(numbered(7));
		kernel.model.failing = new Error("Cannot send");
		view.one<HTMLDetailsElement>(".take details").open = true;
		await expect.poll(() => view.text(".status")).toBe("no kernel");
		const buttons = view.all<HTMLButtonElement>(".take .panel button");
		expect(buttons.every((el) => el.disabled)).toBe(true);
		expect(view.text(".take .panel")).toContain("This takes the kernel, and it is gone.");

		const other = await open(numbered(7));
		await taken(other.view, "Text as SVG");
		other.kernel.model.failing = new Error("Cannot send");
		other.model.set("view", ["text", "neuron"]);
		await expect.poll(() => other.view.text(".status")).toBe("no kernel");
		expect(other.view.text(".take .panel")).not.toContain("takes the kernel");
		await taken(other.view, "Text as PNG");
	});

	/** Catches a fault that nobody sees, and one that stays for good. */
	test("says what goes wrong with its code, and asks again the next time", async () => {
		const { kernel, view } = await open(numbered(7));
		vi.spyOn(console, "error").mockImplementation(() => {});
		kernel.broken = "this part of the renderer isn't built";
		view.one<HTMLDetailsElement>(".take details").open = true;
		await click(view.one(`.take [aria-label="Text as SVG"]`));
		await expect.poll(() => view.text(".fault b")).toContain("isn't built");
		kernel.broken = "";
		await taken(view, "Text as SVG");
	});

	test("closes on Escape, which releases nothing, and on a click anywhere else", async () => {
		const { model, view } = await open(numbered(7), { state: { selected: [2, 2] } });
		const menu = view.one<HTMLDetailsElement>(".take details");
		menu.open = true;
		expect(await press(view.one(`.take [aria-label="Text as PNG"]`), "Escape")).toBe(false);
		expect([menu.open, view.root.activeElement?.localName]).toEqual([false, "summary"]);
		expect(model.get("selected")).toEqual([2, 2]);
		menu.open = true;
		document.body.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
		expect(menu.open).toBe(false);
	});
});

describe("a row's numbers", () => {
	const written: string[] = [];
	const allow = () =>
		vi.spyOn(navigator.clipboard, "writeText").mockImplementation(async (text) => {
			written.push(text);
		});
	const copy = async (view: Shown) => {
		written.length = 0;
		const menu = view.one<HTMLDetailsElement>(".take details");
		menu.open = true;
		const button = () => view.one<HTMLButtonElement>(".take .panel > button");
		await expect.poll(() => button().disabled).toBe(false);
		await click(button());
	};

	test("of the token that was hovered last are copied: its weight for each chosen head", async () => {
		const { view, settled } = await open(numbered(7), { state: { heads: [0, 2], layer: 1 } });
		expect(view.one<HTMLButtonElement>(".take .panel > button").disabled).toBe(true);
		const clipboard = allow();
		await hover(view.token(4));
		await settled();
		await leave(view.one(".tokens"));
		await copy(view);
		await expect
			.poll(() => view.text(".take .said"))
			.toBe("copied 14 numbers: what “w4” (4) reads");
		const [head, ...rows] = (written[0] ?? "").split("\n").map((row) => row.split("\t"));
		expect(head).toEqual(["position", "token", "layer 1 · head 0", "layer 1 · head 2"]);
		expect(rows.map((row) => row.slice(0, 2))).toEqual(numbered(7).map((t, i) => [`${i}`, t]));
		for (const [key, row] of rows.entries())
			for (const [i, h] of [0, 2].entries())
				expect(Number(row[i + 2])).toBeCloseTo(WEIGHTS.at(1, h, 4, key), 7);
		clipboard.mockRestore();
	});

	test("where the clipboard is closed, by the browser's command", async () => {
		const { view } = await open(numbered(7), { state: { selected: [2, null] } });
		const clipboard = vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error());
		let copied = "";
		const command = vi.spyOn(document, "execCommand").mockImplementation(() => {
			copied = (view.root.activeElement as HTMLTextAreaElement).value;
			return true;
		});
		await copy(view);
		await expect.poll(() => view.text(".take .said")).toBe("copied 7 numbers: what “w2” (2) reads");
		expect(copied.split("\n")).toHaveLength(8);
		expect(view.all("textarea")).toEqual([]);
		command.mockReturnValue(false);
		vi.spyOn(console, "error").mockImplementation(() => {});
		await copy(view);
		await expect.poll(() => view.text(".fault b")).toContain("could not be copied");
		for (const spy of [clipboard, command]) spy.mockRestore();
	});

	test("quotation marks, tabs and line breaks in tokens don't break the table", () => {
		const tokens = tokenTable(['"', "a\tb", "c\nd", "plain"]);
		const line = { values: Float32Array.of(0.1, 0.25, 1 / 3, 1e-9), exact: true };
		const scene = {
			description: { layers: [0] },
			state: { layer: 0, heads: [0], combine: "mean" },
			tokens: { queries: tokens, keys: tokens },
		} as unknown as Scene;
		const reading = { index: 3, lines: [line], mean: line.values, exact: true };
		expect(numbersOf(reading, scene).text).toBe(
			[
				"position\ttoken\tlayer 0 · head 0",
				'0\t""""\t0.1',
				'1\t"a\tb"\t0.25',
				'2\t"c\nd"\t0.3333333',
				"3\tplain\t1e-9",
			].join("\n"),
		);
	});
});

test("the QA view is taken with its answers and ranks, and without the controls", async () => {
	const view = await mountQa({ notes: ["a note"] }).open(1100);
	const drawing = await drawingOf(view, "QA");
	const texts = textsIn(drawing);
	for (const text of ["Gaudí", "0.72", "no answer", "context", "a note", "0.067"])
		expect(texts.join(" ")).toContain(text);
	expect(texts.join(" ")).not.toContain("ask again");
	expect(drawing.querySelectorAll("image").length, "strip, cells, what lies over them").toBe(3);
});

test("the evidence view is taken with its numbers; what is folded away or written into isn't", async () => {
	const { view } = await openEvidence({
		state: {
			selected: [5, 5],
			also: [[2, 2]],
			edits: [{ do: "ablate", on: false, kind: "", layer: 1, head: 2, by: "zero" }],
		},
		description: { texts: ["a text"] } as Partial<Description>,
	});
	await click(view.one("[name=change]"));
	await click(view.one("[name=cut]"));
	await expect.poll(() => view.all(".odds li")).toHaveLength(10);
	const texts = textsIn(await drawingOf(view, "Evidence"));
	for (const text of [
		"“w5” reads from “w2”",
		"92.1",
		"kitten",
		"layer 1 · head 2 gives nothing (zero)",
	])
		expect(texts, text).toContain(text);
	expect(texts, "a space that doesn't break keeps its width").toContain("reads\u00a0");
	expect(texts.join(" ")).toContain("off");
	for (const text of ["Ctrl+Enter", "as pinned", "“w6”"])
		expect(texts.join(" "), text).not.toContain(text);
});
