import { describe, expect, test } from "vitest";
import { inkOf, onScale, palette } from "../src/draw/colour";
import { choose, frame } from "./events";
import { mount, numbered, type Shown } from "./host";
import { pixelAt } from "./pixels";
import { weightsOf } from "./weights";

const [QUERIES, KEYS] = [7, 5];
/** The largest of layer 0 is 0.25, of layer 1 a half, of each head another. */
const WEIGHTS = weightsOf([2, 3, QUERIES, KEYS], (layer, head, query, key) => {
	const share = (((query * KEYS + key) * 17) % 35) / 34;
	return (share * (layer + 1)) / (4 + 2 * head);
});
const open = async (state: object = {}) => {
	const mounted = mount(WEIGHTS, numbered(QUERIES, "q"), {
		keyWords: numbered(KEYS, "k"),
		state: { view: ["text", "matrix", "model"], ...state },
	});
	return { ...mounted, view: await mounted.open() };
};
const cellAt = (view: Shown, query: number, key: number) =>
	pixelAt(view.one(".stage canvas"), 84 + (key + 0.5) * 28, 84 + (query + 0.5) * 28);
const rgba = (css: string) => (css.match(/[\d.]+/g) ?? []).map(Number);

describe.each(["linear", "sqrt", "log"] as const)("on a %s scale", (scale) => {
	test("every view has the colours that the legend has, with its values at their places", async () => {
		const { model, view } = await open({ scale });
		const width = view.one(".legend .gradient").clientWidth;
		const ticks = view.all(".legend span");
		expect(ticks.length).toBe(5);
		for (const tick of ticks)
			expect(tick.offsetLeft / width).toBeCloseTo(onScale(Number(tick.textContent), 1, scale), 1);
		const ink = inkOf(palette(false), scale, 1);
		for (const [query, key] of [
			[1, 2],
			[6, 4],
			[3, 0],
		] as const) {
			const expected = rgba(ink.of(WEIGHTS.at(0, 0, query, key)));
			const cell = cellAt(view, query, key);
			for (const i of [0, 1, 2])
				expect(Math.abs((cell[i] as number) - (expected[i] as number))).toBeLessThan(8);
		}
		model.set("hovered", [6, null]);
		await frame();
		const shade = view.one("[aria-label^='tokens that are read'] [data-token='4']").style;
		expect(rgba(shade.backgroundColor).slice(0, 3)).toEqual(
			rgba(ink.of(WEIGHTS.at(0, 0, 6, 4))).slice(0, 3),
		);
	});
});

describe("up to the largest weight of the chosen heads", () => {
	test("that weight has the end of the scale, and its number is at the end of the legend", async () => {
		const { model, view, settled } = await open({ scale_to: "head" });
		const last = () => view.all(".legend span").at(-1)?.textContent;
		const largest = [...Array(QUERIES * KEYS).keys()].find((i) => (i * 17) % 35 === 34) as number;
		const at = [Math.floor(largest / KEYS), largest % KEYS] as const;
		const end = [...palette(false).ramp.subarray(255 * 4)];
		expect(last()).toBe(".25");
		expect(cellAt(view, ...at)).toEqual(end);
		model.set("layer", 1);
		await settled();
		expect(last()).toBe(".5");
		expect(cellAt(view, ...at)).toEqual(end);
		model.set("heads", [2]);
		await settled();
		expect(last(), "the head's own, not the layer's").toBe(".25");
		model.set("heads", [1, 2]);
		await settled();
		expect(Number(last()), "the larger of both").toBeCloseTo(1 / 3, 1);
	});

	test("while another head's weights are on their way, the scale stays as it was", async () => {
		const mounted = mount(
			weightsOf([2, 16, 700, 600], (layer) => (layer + 1) / 4),
			numbered(700),
			{
				keyWords: numbered(600),
				state: { view: ["matrix"], scale_to: "head" },
			},
		);
		const view = await mounted.open();
		const last = () => view.all(".legend span").at(-1)?.textContent;
		expect(last()).toBe(".25");
		mounted.kernel.answering = false;
		mounted.model.set("layer", 1);
		await frame();
		await frame();
		expect(last()).toBe(".25");
		mounted.kernel.resume();
		await mounted.settled();
		await expect.poll(last).toBe(".5");
	});

	test("where nothing is read the scale is the model's, not empty", async () => {
		const { open: show } = mount(
			weightsOf([1, 1, 3, 4], () => 0),
			numbered(3),
			{
				keyWords: numbered(4),
				state: { view: ["matrix"], scale_to: "head" },
			},
		);
		const view = await show();
		expect(view.all(".legend span").at(-1)?.textContent).toBe("1");
	});
});

test("the legend's control says what it is, shows what holds, and changes both at once", async () => {
	const { model, view } = await open({ scale_to: "head" });
	const control = view.one<HTMLSelectElement>(".scale select");
	expect(control.ariaLabel).toBe("colour scale");
	expect(control.selectedOptions[0]?.textContent).toBe("√ · head");
	await choose(control, "log model");
	expect([model.get("scale"), model.get("scale_to")]).toEqual(["log", "model"]);
	expect(view.all(".legend span").map((el) => el.textContent)[0]).toBe(".0001");
});

test("on a log scale no weight but nothing is clear, however small", async () => {
	const weights = weightsOf([1, 1, 3, 3], (_, __, query, key) => (query === key ? 1e-8 : 0));
	const view = await mount(weights, numbered(3), {
		state: { view: ["matrix"], scale: "log" },
	}).open();
	expect(cellAt(view, 1, 1)[3]).toBeGreaterThan(60);
	expect(cellAt(view, 1, 2)[3]).toBe(0);
});
