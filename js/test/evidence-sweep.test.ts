import { afterEach, describe, expect, test } from "vitest";
import type { SweepStudied } from "../src/protocol.gen";
import {
	axesOf,
	correlationText,
	highest,
	nearest,
	nextAlong,
	outsideText,
	tickText,
} from "../src/views/evidence-points";
import { click, clickAt, frame, hoverAt, leave, press } from "./events";
import { openEvidence, studiesOf, WEIGHTS } from "./evidence";
import type { Options, Shown } from "./host";
import { pixelAt } from "./pixels";

afterEach(() => (document.activeElement as HTMLElement | null)?.blur());

const PINNED = { selected: [5, 5], also: [[2, 2]], layer: 1, heads: [2] } as const;
const HEIGHT = 240;
const plot = (view: Shown) => view.one(".plot");
const swept = studiesOf(WEIGHTS)({
	of: "sweep",
	over: "heads",
	layer: 0,
	head: 0,
	query: 5,
	key: 2,
	at: null,
}) as SweepStudied;
const POINTS = swept.attentions.map((x, i) => ({ x: x ?? 0, y: swept.effects[i] ?? 0 }));

async function sweep(over: "heads" | "keys", options: Options = {}) {
	const opened = await openEvidence({ ...options, state: { ...PINNED, ...options.state } });
	await click(opened.view.one(`[name="sweep ${over}"]`));
	await opened.settled();
	await frame();
	return opened;
}

/** Where a dot lies in the picture. */
function placeOf(view: Shown, index: number): readonly [number, number] {
	const axes = axesOf(plot(view).clientWidth, HEIGHT, POINTS, swept.band);
	const { x, y } = POINTS[index] as { x: number; y: number };
	return [axes.x(x), axes.y(y)];
}

describe("every head alone", () => {
	test("is run when told, for the pair that is looked at, and no head is meant", async () => {
		const { asked, view } = await sweep("heads");
		expect(asked("sweep")).toEqual([
			{ of: "sweep", over: "heads", layer: 0, head: 0, query: 5, key: 2, at: null },
		]);
		expect(view.text(".studies")).toContain("a dot is a head");
		const before = await openEvidence();
		expect(before.asked("sweep")).toEqual([]);
		expect(before.view.one(".scatter").checkVisibility()).toBe(false);
	});

	test("has a dot where its numbers are, in the picture", async () => {
		const { view } = await sweep("heads");
		const canvas = view.one<HTMLCanvasElement>(".plot canvas");
		const apart = highest(POINTS, 1)[0] as number;
		const [x, y] = placeOf(view, apart);
		const pixels = canvas.width / plot(view).clientWidth;
		const [r, g, b] = pixelAt(canvas, Math.round(x * pixels), Math.round(y * pixels));
		expect(r - b, `amber at ${x}, ${y}: ${[r, g, b]}`).toBeGreaterThan(120);
	});

	test("under the pointer it is named with both numbers and looked at, and a click goes there", async () => {
		const { model, view } = await sweep("heads");
		const index = highest(POINTS, 1)[0] as number;
		const [layer, head] = [Math.floor(index / 4), index % 4];
		await hoverAt(plot(view), ...placeOf(view, index));
		await frame();
		const { x, y } = POINTS[index] as { x: number; y: number };
		expect(view.text(".axis.below span:first-child")).toBe(
			`${layer}.${head}: weight of “it” on “cat” ${tickText(x)}, KL of the output, nats ${tickText(y)}`,
		);
		await clickAt(plot(view), ...placeOf(view, index));
		expect([model.get("layer"), model.get("heads")]).toEqual([layer, [head]]);
		await leave(plot(view));
		await frame();
		expect(view.text(".axis.below span:first-child")).toBe("");
	});

	test("without a pointer: arrow keys go along either number, Enter goes there, a screen reader hears which", async () => {
		const { model, view } = await sweep("heads");
		const stage = plot(view);
		stage.focus();
		const byX = POINTS.map((_, i) => i).sort((a, b) => (POINTS[a]?.x ?? 0) - (POINTS[b]?.x ?? 0));
		const chosen = 1 * 4 + 2;
		const next = byX[byX.indexOf(chosen) + 1] as number;
		expect(await press(stage, "ArrowRight")).toBe(false);
		expect(stage.ariaLabel).toMatch(new RegExp(`^${Math.floor(next / 4)}\\.${next % 4}: weight`));
		const up = nextAlong(POINTS, next, "y", 1);
		await press(stage, "ArrowUp");
		expect(stage.ariaLabel).toMatch(new RegExp(`^${Math.floor(up / 4)}\\.${up % 4}: weight`));
		await press(stage, "Enter");
		expect([model.get("layer"), model.get("heads")]).toEqual([Math.floor(up / 4), [up % 4]]);
		expect(await press(stage, "ArrowRight", { ctrlKey: true }), "is the notebook's").toBe(true);
	});

	test("what is said of it names the correlation in words and how many leave the band", async () => {
		const { view } = await sweep("heads");
		expect(view.text(".studies")).toContain(
			"Rank correlation 0.34 (Spearman): how much attention says little",
		);
		const outside = POINTS.filter(({ y }) => y < 0.0004 || y > 0.0062).length;
		expect(view.text(".studies")).toContain(
			`${outside} of 12 lie outside of what random heads change`,
		);
	});

	test("one whose numbers aren't known has no dot, and the others stay what they are", async () => {
		const opened = await openEvidence({ state: PINNED });
		const all = studiesOf(WEIGHTS);
		opened.kernel.studied = (study) => {
			const found = all(study);
			if (typeof found === "string" || found.of !== "sweep") return found;
			return { ...found, effects: found.effects.map((effect, i) => (i === 0 ? null : effect)) };
		};
		await click(opened.view.one('[name="sweep heads"]'));
		await opened.settled();
		await frame();
		expect(plot(opened.view).ariaLabel).toContain("11 dots");
		const index = highest(POINTS, 1)[0] as number;
		const axes = axesOf(plot(opened.view).clientWidth, HEIGHT, POINTS.slice(1), swept.band);
		const { x, y } = POINTS[index] as { x: number; y: number };
		await clickAt(plot(opened.view), axes.x(x), axes.y(y));
		expect([opened.model.get("layer"), opened.model.get("heads")]).toEqual([
			Math.floor(index / 4),
			[index % 4],
		]);
	});

	test("stays while another head is chosen, and what is hovered changes", async () => {
		const { model, view, settled } = await sweep("heads");
		model.set("heads", [0]);
		model.set("hovered", [7, 7]);
		await settled();
		expect(view.one(".scatter").checkVisibility()).toBe(true);
		expect(view.text(".studies")).toContain("Rank correlation");
	});

	test("shows how far it is, and is stopped", async () => {
		const { view, kernel } = await openEvidence({ state: PINNED });
		kernel.studying = [0.4];
		kernel.answering = ({ kind }) => kind !== "study" || kernel.studying.length > 0;
		await click(view.one('[name="sweep heads"]'));
		await expect.poll(() => view.all<HTMLProgressElement>(".part progress")[0]?.value).toBe(0.4);
		await click(view.all(".part .running button")[0] as HTMLElement);
		expect(view.all(".part progress")).toEqual([]);
		expect(view.one(".scatter").checkVisibility()).toBe(false);
	});
});

describe("every key of a query", () => {
	test("takes a query; of the chosen head, and a dot is a token that is pinned by a click", async () => {
		const none = await openEvidence();
		const button = none.view.one<HTMLButtonElement>('[name="sweep keys"]');
		expect([button.disabled, button.title]).toEqual([true, "pin the token that reads first"]);
		const { asked, model, view } = await sweep("keys");
		expect(asked("sweep")).toEqual([
			{ of: "sweep", over: "keys", layer: 1, head: 2, query: 5, key: null, at: null },
		]);
		expect(view.text(".studies")).toContain("a dot is a key of “w5” · layer 1 · head 2");
		plot(view).focus();
		await press(plot(view), "ArrowUp");
		const [query, key] = model.get("hovered") ?? [];
		expect(query).toBe(5);
		expect(plot(view).ariaLabel).toMatch(new RegExp(`^w${key}: weight`));
		await press(plot(view), "Enter");
		expect(model.get("selected")).toEqual([5, key]);
	});
});

describe("dots", () => {
	test("lie from nothing to the largest, and below nothing where there are such", () => {
		const axes = axesOf(
			400,
			240,
			[
				{ x: 0.2, y: -1 },
				{ x: 0.8, y: 3 },
			],
			[-2, 1],
		);
		expect(axes.x(0)).toBeLessThan(axes.x(0.2));
		expect(axes.x(0.8)).toBeCloseTo(388, 6);
		expect(axes.y(3)).toBeCloseTo(10, 6);
		expect(axes.y(-2), "the band is in view").toBeCloseTo(218, 6);
		expect(axes.yTicks).toEqual([-2, 0, 2]);
		expect(axes.xTicks.map(tickText)).toEqual(["0", "0.2", "0.4", "0.6", "0.8"]);
	});

	test("that are all the same, or none, have a place", () => {
		const axes = axesOf(400, 240, [{ x: 0, y: 0 }], null);
		expect([axes.x(0), axes.y(0)].every(Number.isFinite)).toBe(true);
		expect(axesOf(400, 240, [], null).xTicks.every(Number.isFinite)).toBe(true);
	});

	test("are found within reach, the nearest of them", () => {
		const points = [
			{ x: 0, y: 0 },
			{ x: 1, y: 1 },
		];
		const axes = axesOf(400, 240, points, null);
		expect(nearest(axes, points, [axes.x(1) - 5, axes.y(1)], 14)).toBe(1);
		expect(nearest(axes, points, [axes.x(0.5), axes.y(0.5)], 14)).toBeNull();
	});

	test("are walked by their order along an axis, and end at its ends", () => {
		const points = [
			{ x: 3, y: 1 },
			{ x: 1, y: 2 },
			{ x: 3, y: 0 },
		];
		const walk = (axis: "x" | "y", from: number) => {
			const second = nextAlong(points, from, axis, 1);
			return [from, second, nextAlong(points, second, axis, 1)];
		};
		expect(walk("x", 1), "equals by their number").toEqual([1, 0, 2]);
		expect(walk("y", 2)).toEqual([2, 0, 1]);
		expect(nextAlong(points, 1, "x", -1)).toBe(1);
	});

	test.each([
		[null, "not known"],
		[0.05, "0.05 (Spearman): how much attention says next to nothing of how much it changes."],
		[-0.05, "−0.05 (Spearman): how much attention says next to nothing of how much it changes."],
		[-0.7, "says much of how much it changes, the other way round."],
		[0.95, "says nearly all of how much it changes."],
	])("that correlate by %s: %s", (correlation, text) =>
		expect(correlationText(correlation)).toContain(text));

	test("are counted outside of the band, those that are known", () => {
		expect(outsideText([0, 0.5, null, 2, -3], [0, 1], "keys")).toMatch(
			/^2 of 4 lie outside .* random keys/,
		);
	});
});
