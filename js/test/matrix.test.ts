import { describe, expect, test } from "vitest";
import { onScale, palette } from "../src/draw/colour";
import { clickAt, drag, frame, hoverAt, leave, press } from "./events";
import { mount, numbered, type Shown, softmaxWeights } from "./host";
import { hasInk, pixelAt } from "./pixels";
import { weightsOf } from "./weights";

const ONLY_MATRIX = { view: ["matrix"] } as const;
const QUERIES = 7;
const KEYS = 5;
const CELL = 28;
/** Room for the labels, left of and above the cells; of longer texts; and for the sums after them. */
const MARGIN = 84;
const LONG = [68, 52] as const;
const SUMS = 48;

/** Every weight is another, and large enough for an opaque colour. */
const WEIGHTS = weightsOf([2, 3, QUERIES, KEYS], (layer, head, query, key) => {
	return (((query * KEYS + key) * 17 + layer * 5 + head * 11) % 41) / 40;
});

const open = async (state: object = {}) => {
	const mounted = mount(WEIGHTS, numbered(QUERIES, "q"), {
		keyWords: numbered(KEYS, "k"),
		state: { ...ONLY_MATRIX, ...state },
	});
	const view = await mounted.open();
	return { ...mounted, view };
};

function centreOf(query: number, key: number): readonly [number, number] {
	return [MARGIN + (key + 0.5) * CELL, MARGIN + (query + 0.5) * CELL];
}

function picture(view: Shown): HTMLCanvasElement {
	return view.one<HTMLCanvasElement>(".stage canvas:not(.cross)");
}

const RAMP = palette(false).ramp;

/** The step of the ramp that a pixel has, if it has one. */
function stepOf(pixel: readonly number[]): number {
	for (let step = 0; step < 256; step++)
		if (pixel.every((byte, i) => byte === RAMP[step * 4 + i])) return step;
	return -1;
}

describe("what is hovered", () => {
	test("is the query of the row and the key of the column, not the transpose", async () => {
		const { model, view } = await open();
		for (const [query, key] of [
			[0, 0],
			[6, 0],
			[0, 4],
			[6, 4],
			[2, 3],
		] as const) {
			await hoverAt(view.one(".stage"), ...centreOf(query, key));
			expect(model.get("hovered")).toEqual([query, key]);
		}
		await leave(view.one(".stage"));
		expect(model.get("hovered")).toBeNull();
	});

	test("on the labels it is a whole row or a whole column, and in the corner nothing", async () => {
		const { model, view } = await open();
		const [x, y] = centreOf(5, 3);
		await hoverAt(view.one(".stage"), 20, y);
		expect(model.get("hovered")).toEqual([5, null]);
		await hoverAt(view.one(".stage"), x, 20);
		expect(model.get("hovered")).toEqual([null, 3]);
		await hoverAt(view.one(".stage"), 20, 20);
		expect(model.get("hovered")).toBeNull();
	});

	test("a click pins the cell, a second one releases it", async () => {
		const { model, view } = await open();
		await clickAt(view.one(".stage"), ...centreOf(6, 2));
		expect(model.get("selected")).toEqual([6, 2]);
		await clickAt(view.one(".stage"), ...centreOf(6, 2));
		expect(model.get("selected")).toBeNull();
	});
});

describe("the picture", () => {
	const expectCells = (view: Shown, at: (query: number, key: number) => number) => {
		for (let query = 0; query < QUERIES; query++)
			for (let key = 0; key < KEYS; key++) {
				const pixel = pixelAt(picture(view), ...centreOf(query, key));
				const expected = onScale(at(query, key), 1) * 255;
				const off = Math.abs(stepOf(pixel) - expected);
				// Half a step of the ramp, and what one byte of the fourth root may be off.
				expect(off, `query ${query}, key ${key}: ${pixel}`).toBeLessThan(1.5);
			}
	};

	test("each cell has the colour of its weight, within a step", async () => {
		const { view } = await open({ layer: 1, heads: [2] });
		expectCells(view, (query, key) => WEIGHTS.at(1, 2, query, key));
	});

	test("of several heads it is the mean, and says so", async () => {
		const { view } = await open({ heads: [0, 2] });
		expectCells(view, (q, k) => (WEIGHTS.at(0, 0, q, k) + WEIGHTS.at(0, 2, q, k)) / 2);
		expect(view.text(".matrix .remark")).toContain("mean over 2 heads");
	});

	test("another layer and other heads, from Python, are drawn", async () => {
		const { model, view } = await open();
		model.set("layer", 1);
		await frame();
		expectCells(view, (query, key) => WEIGHTS.at(1, 0, query, key));
		model.set("heads", [1]);
		await frame();
		expectCells(view, (query, key) => WEIGHTS.at(1, 1, query, key));
		expect(view.text(".matrix .title")).toContain("layer 1 · head 1");
	});

	test("in the dark it has the dark ramp", async () => {
		const { model, view } = await open();
		const [x, y] = centreOf(1, 0);
		const light = pixelAt(picture(view), x, y);
		model.set("theme", "dark");
		await frame();
		const step = Math.round(onScale(WEIGHTS.at(0, 0, 1, 0), 1) * 255);
		const dark = palette(true).ramp.subarray(step * 4, step * 4 + 4);
		const now = pixelAt(picture(view), x, y);
		expect(now).not.toEqual(light);
		for (const [i, byte] of now.entries())
			expect(Math.abs(byte - (dark[i] as number))).toBeLessThan(4);
	});

	test("it says which side reads", async () => {
		const { view } = await open();
		expect(view.text(".matrix .title")).toContain("query ↓ reads key →");
	});
});

describe("the cross", () => {
	const crossOf = (view: Shown) => view.one<HTMLCanvasElement>(".cross");
	/** The ink halfway along the edge between a cell's row and the one above it. */
	const above = (view: Shown, query: number, key: number) => {
		const [x, y] = centreOf(query, key);
		return pixelAt(crossOf(view), x, y - CELL / 2)[3];
	};
	const leftOf = (view: Shown, query: number, key: number) => {
		const [x, y] = centreOf(query, key);
		return pixelAt(crossOf(view), x - CELL / 2, y)[3];
	};

	test("frames the hovered row and column, and no others", async () => {
		const { model, view } = await open();
		model.set("hovered", [5, 3]);
		await frame();
		for (let key = 0; key < KEYS; key++) expect(above(view, 5, key)).toBeGreaterThan(0);
		for (let query = 0; query < QUERIES; query++) expect(leftOf(view, query, 3)).toBeGreaterThan(0);
		expect(above(view, 3, 1)).toBe(0);
		expect(leftOf(view, 2, 1)).toBe(0);
		model.set("hovered", null);
		await frame();
		expect(above(view, 5, 0)).toBe(0);
	});

	test("of half a pointer only its half is framed", async () => {
		const { model, view } = await open();
		model.set("hovered", [5, null]);
		await frame();
		expect(above(view, 5, 0)).toBeGreaterThan(0);
		expect(leftOf(view, 0, 0)).toBe(0);
		expect(leftOf(view, 0, 3)).toBe(0);
	});

	test("a hover draws no cell anew", async () => {
		const { model, view } = await open();
		const context = picture(view).getContext("2d") as CanvasRenderingContext2D;
		context.clearRect(0, 0, 2000, 2000);
		model.set("hovered", [5, 3]);
		await frame();
		expect(hasInk(picture(view))).toBe(false);
	});
});

test("arrows move over the cells and stay inside; Enter pins", async () => {
	const { model, view } = await open();
	const stage = view.one(".stage");
	await hoverAt(stage, ...centreOf(5, 3));
	for (const [key, pointer] of [
		["ArrowDown", [6, 3]],
		["ArrowDown", [6, 3]],
		["ArrowRight", [6, 4]],
		["ArrowRight", [6, 4]],
		["ArrowUp", [5, 4]],
		["ArrowLeft", [5, 3]],
	] as const) {
		expect(await press(stage, key), key).toBe(false);
		expect(model.get("hovered")).toEqual(pointer);
	}
	await press(stage, "Enter");
	expect(model.get("selected")).toEqual([5, 3]);
	await press(stage, "ArrowLeft");
	await press(stage, "ArrowLeft");
	expect(model.get("hovered"), "with a pin the arrows still go on").toEqual([5, 1]);
});

describe("1500 x 1500", () => {
	const count = 1500;
	const readBy = (query: number) => (query * 7) % count;
	const weights = weightsOf([1, 4, count, count], (_, head, query, key) =>
		key === readBy(query) && head === 3 ? 1 : 0,
	);
	const openLarge = () =>
		mount(weights, numbered(count), { state: { ...ONLY_MATRIX, heads: [3] } });

	test("what is pooled says so, and no weight is lost by it", async () => {
		const { kernel, open: show } = openLarge();
		const view = await show();
		expect(view.text(".matrix .remark")).toContain("1 cell = 4 × 4 tokens");
		const side = picture(view).clientWidth - LONG[0] - SUMS;
		for (const query of [30, 333, 700, 1450]) {
			// A pooled cell is somewhat larger than a pixel: its middle is at most one away.
			const [x, y] = [readBy(query), query].map(
				(token, i) => (LONG[i] as number) + ((token + 0.5) / count) * side,
			);
			const around = [-1, 0, 1].flatMap((down) =>
				[-1, 0, 1].map((along) =>
					stepOf(pixelAt(picture(view), (x as number) + along, (y as number) + down)),
				),
			);
			expect(around, `query ${query}`).toContain(255);
		}
		const levels = kernel.requests.flatMap((request) =>
			request.kind === "weights" ? request.tiles.map(([, , level]) => level) : [],
		);
		expect(new Set(levels)).toEqual(new Set([2]));
	});

	test("a hovered place is one token, not one cell", async () => {
		const { model, open: show } = openLarge();
		const view = await show();
		const side = picture(view).clientWidth - LONG[0] - SUMS;
		const at = (index: number) => ((index + 0.5) / count) * side;
		await hoverAt(view.one(".stage"), LONG[0] + at(1201), LONG[1] + at(3));
		expect(model.get("hovered")).toEqual([3, 1201]);
	});
});

describe("zoomed into 1500 x 1200", () => {
	const [queries, keys] = [1500, 1200];
	const reads = (query: number, key: number) => (3 * query + key) % 5 === 0;
	const weights = weightsOf([1, 3, queries, keys], (_, head, query, key) =>
		reads(query, key) && head === 2 ? 1 : 0,
	);
	const start = async () => {
		const mounted = mount(weights, numbered(queries, "q"), {
			keyWords: numbered(keys, "k"),
			state: { ...ONLY_MATRIX, heads: [2] },
		});
		const view = await mounted.open();
		return { ...mounted, view, stage: view.one(".stage") };
	};
	const caption = (view: Shown) => view.text(".matrix .remark");
	const wheel = (el: Element, x: number, y: number, deltaY: number) => {
		const box = el.getBoundingClientRect();
		const event = new WheelEvent("wheel", {
			...{ bubbles: true, cancelable: true, composed: true, deltaY },
			...{ clientX: box.left + x, clientY: box.top + y },
		});
		el.dispatchEvent(event);
		return event.defaultPrevented;
	};

	test("the wheel scrolls the page until the matrix is focused, then it zooms", async () => {
		const { model, view, stage, settled } = await start();
		expect(wheel(stage, 100, 120, -500)).toBe(false);
		await frame();
		expect(caption(view)).not.toContain("queries");
		await hoverAt(stage, 100, 120);
		const under = model.get("hovered");
		stage.focus();
		expect(wheel(stage, 100, 120, -900)).toBe(true);
		await settled();
		expect(caption(view)).toMatch(/queries \d+–\d+, keys \d+–\d+/);
		await hoverAt(stage, 100.4, 120.4);
		const now = model.get("hovered");
		for (const side of [0, 1])
			expect(Math.abs((now?.[side] as number) - (under?.[side] as number))).toBeLessThan(4);
	});

	test("at the closest look each cell is one weight, labelled, and only what is in view was asked", async () => {
		const { model, view, stage, kernel, settled } = await start();
		const asked = kernel.requests.length;
		for (let i = 0; i < 12; i++) await press(stage, "+", { shiftKey: true });
		await settled();
		expect(caption(view)).not.toContain("pooled");
		let cells = 0;
		for (let x = LONG[0] + CELL / 2; x < picture(view).clientWidth - SUMS; x += CELL)
			for (let y = LONG[1] + CELL / 2; y < picture(view).clientHeight - SUMS; y += CELL) {
				void hoverAt(stage, x, y);
				const [query, key] = model.get("hovered") as [number, number];
				const ink = pixelAt(picture(view), x, y)[3] > 0;
				expect(ink, `query ${query}, key ${key}`).toBe(reads(query, key));
				cells++;
			}
		expect(cells).toBeGreaterThan(100);
		const tiles = kernel.requests
			.slice(asked)
			.flatMap((r) => (r.kind === "weights" ? r.tiles : []));
		expect(tiles.filter(([, , level]) => level === 0).length).toBeLessThanOrEqual(9);
	});

	test("0 and the button show the whole again", async () => {
		const { view, stage, settled } = await start();
		const whole = caption(view);
		for (const back of [
			() => press(stage, "0"),
			() => view.one(".matrix .zooms [aria-label*=whole]").click(),
		]) {
			await press(stage, "+");
			await settled();
			expect(caption(view)).not.toBe(whole);
			await back();
			await settled();
			expect(caption(view)).toBe(whole);
		}
	});

	test("a pin that is set elsewhere is brought into view", async () => {
		const { model, view, stage, settled } = await start();
		for (let i = 0; i < 12; i++) await press(stage, "+");
		model.set("selected", [1400, 20]);
		await settled();
		const [from, to] = (caption(view).match(/queries (\d+)–(\d+)/) ?? []).slice(1).map(Number);
		expect(from).toBeLessThanOrEqual(1400);
		expect(to).toBeGreaterThanOrEqual(1400);
	});

	test("a drag moves what is in view, and pins nothing", async () => {
		const { model, view, stage, settled } = await start();
		for (let i = 0; i < 12; i++) await press(stage, "+");
		await settled();
		const before = caption(view);
		await drag(stage, [300, 300], [132, 188]);
		await settled();
		const startOf = (text: string, side: string) =>
			Number(text.match(new RegExp(`${side} (\\d+)`))?.[1]);
		expect(startOf(caption(view), "queries") - startOf(before, "queries")).toBe(112 / CELL);
		expect(startOf(caption(view), "keys") - startOf(before, "keys")).toBe(168 / CELL);
		expect(model.get("selected")).toBeNull();
	});
});

test("a matrix of one query over many keys is drawn", async () => {
	const view = await mount(softmaxWeights(1, 2, 1, 40), ["q"], {
		keyWords: numbered(40, "k"),
		state: { ...ONLY_MATRIX },
	}).open();
	expect(hasInk(picture(view))).toBe(true);
	expect(view.all("[role=alert]")).toEqual([]);
});
