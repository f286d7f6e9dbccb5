import { describe, expect, test } from "vitest";
import { frame } from "./events";
import { mount, numbered, type Shown } from "./host";
import { weightsOf } from "./weights";

const COUNT = 900;
/** Token q reads 7 q, and nothing else. */
const WEIGHTS = weightsOf([1, 1, COUNT, COUNT], (_, __, q, k) => (k === (q * 7) % COUNT ? 1 : 0));
const WIDTH = 14;

async function open(state: object = {}) {
	const mounted = mount(WEIGHTS, numbered(COUNT, "word"), { state: { view: ["text"], ...state } });
	const view = await mounted.open(700);
	return { ...mounted, view, strip: view.one(".minimap"), page: view.one(".tokens") };
}

/** The colours along the strip at some pixel across, from top to bottom, in CSS pixels. */
function pixels(view: Shown, x: number): number[][] {
	const canvas = view.one<HTMLCanvasElement>(".minimap canvas");
	const context = canvas.getContext("2d", { willReadFrequently: true });
	const { data } = (context as CanvasRenderingContext2D).getImageData(
		x * devicePixelRatio,
		0,
		1,
		canvas.height,
	);
	return Array.from({ length: canvas.height / devicePixelRatio }, (_, y) => [
		...data.slice(y * devicePixelRatio * 4, y * devicePixelRatio * 4 + 4),
	]);
}

/** Where a token lies in the whole text, 0 to 1. */
function shareOf(view: Shown, token: number): number {
	const page = view.one(".page").getBoundingClientRect();
	const { top, height } = view.token(token).getBoundingClientRect();
	return (top + height / 2 - page.top) / page.height;
}

const isWarm = ([r = 0, , b = 0, a = 0]: number[]) => a > 100 && r > b + 40;
const isInk = ([r = 0, g = 0, b = 0, a = 0]: number[]) => a > 200 && r + g + b < 60;

function point(el: HTMLElement, type: string, share: number, buttons = 1): void {
	el.setPointerCapture = () => {};
	const { top, height } = el.getBoundingClientRect();
	el.dispatchEvent(
		new PointerEvent(type, { clientY: top + share * height, buttons, bubbles: true }),
	);
}

describe("the map of a long text", () => {
	test("shows where the mass lies, far below what is in view", async () => {
		const { view, page, model, settled } = await open();
		model.set("hovered", [100, 100]);
		await frame();
		await settled();
		const warm = pixels(view, WIDTH / 2).flatMap((pixel, y) => (isWarm(pixel) ? [y] : []));
		expect(view.all(".token").map((el) => Number(el.dataset.token))).not.toContain(700);
		const at = (warm.reduce((sum, y) => sum + y, 0) / warm.length + 0.5) / 282;
		page.scrollTop = at * page.scrollHeight - page.clientHeight / 2;
		await expect.poll(() => view.all('[data-token="700"]').length).toBe(1);
		expect(at).toBeCloseTo(shareOf(view, 700), 1);
		expect(warm.length).toBeLessThan(12);
	});

	test("a click and a drag go to the place that is pointed to", async () => {
		const { strip, page } = await open();
		const middle = () => (page.scrollTop + page.clientHeight / 2) / page.scrollHeight;
		point(strip, "pointerdown", 0.5);
		expect(middle()).toBeCloseTo(0.5, 1);
		point(strip, "pointermove", 0.8);
		expect(middle()).toBeCloseTo(0.8, 1);
		point(strip, "pointermove", 0.3, 0);
		expect(middle(), "no button is down").toBeCloseTo(0.8, 1);
	});

	test("frames the part in view, and moves with it", async () => {
		const { view, page } = await open();
		const frameOf = () => {
			const edge = pixels(view, 1).flatMap(([r = 0, , b = 0, a = 0], y) =>
				a > 200 && b > r + 60 ? [y] : [],
			);
			return [edge[0] as number, edge.at(-1) as number];
		};
		const shown = (282 * page.clientHeight) / page.scrollHeight;
		expect(frameOf()[0]).toBeLessThan(2);
		expect((frameOf()[1] as number) - shown).toBeLessThan(3);
		page.scrollTop = page.scrollHeight;
		await expect.poll(() => frameOf()[1]).toBeGreaterThan(278);
	});

	test("marks what a search found, wherever it is", async () => {
		const { view } = await open();
		const find = view.one<HTMLInputElement>(".find input");
		find.value = "word4";
		find.dispatchEvent(new InputEvent("input", { bubbles: true }));
		await frame();
		await frame();
		const inks = pixels(view, WIDTH - 3).flatMap((pixel, y) => (isInk(pixel) ? [y] : []));
		const shares = inks.map((y) => y / 282);
		expect(shares[0], "word4").toBeLessThan(0.03);
		expect(shares.at(-1), "word499").toBeCloseTo(500 / COUNT, 1);
	});

	test("is for who sees: it has no name and no place in the tab order", async () => {
		const { strip } = await open();
		expect([strip.ariaHidden, strip.tabIndex]).toEqual(["true", -1]);
	});
});

test("a text that is in view as a whole has no map, and lines that an eye can follow", async () => {
	const weights = weightsOf([1, 1, 100, 100], () => 0.01);
	const view = await mount(weights, numbered(100), { state: { view: ["text"] } }).open(1200);
	const { visibility } = getComputedStyle(view.one(".minimap"));
	expect(visibility).toBe("hidden");
	expect(view.one(".tokens").clientWidth).toBeLessThan(760);
});

test("a text whose width changes goes on where it was read", async () => {
	const { view, page } = await open();
	page.scrollTop = 2000;
	await frame();
	await frame();
	const first = () =>
		view
			.all(".token")
			.find((el) => el.getBoundingClientRect().top >= page.getBoundingClientRect().top)?.dataset
			.token;
	await expect.poll(() => Number(first())).toBeGreaterThan(200);
	const before = Number(first());
	view.el.style.width = "420px";
	await expect.poll(() => view.one(".page").clientWidth).toBeLessThan(420);
	await frame();
	await frame();
	expect(Math.abs(Number(first()) - before)).toBeLessThan(12);
});
