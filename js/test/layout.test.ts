import { describe, expect, test } from "vitest";
import { frame } from "./events";
import { mount, numbered, type Shown, softmaxWeights } from "./host";

const WORDS = numbered(40, "token");
const start = (state: object = {}) => mount(softmaxWeights(12, 12, 40, 40), WORDS, { state });

const boxOf = (view: Shown, selector: string) => view.one(selector).getBoundingClientRect();

async function resize(view: Shown, width: number): Promise<void> {
	view.el.style.width = `${width}px`;
	// Sizes are told after a frame, drawn for in the next, and drawn when the one after begins.
	for (let i = 0; i < 3; i++) await frame();
}

function expectNoOverflow(view: Shown, width: number): void {
	const edge = view.el.getBoundingClientRect().left + width + 1;
	for (const selector of [
		".bar",
		".second",
		".tokens",
		".panes",
		".pane",
		".stage",
		".readout",
		".legend",
	])
		expect(boxOf(view, selector).right, selector).toBeLessThanOrEqual(edge);
	expect(view.one(".explorer").scrollWidth).toBeLessThanOrEqual(width);
}

test("wide, the head view and the matrix stand side by side", async () => {
	const view = await start().open(1100);
	const [heads, matrix] = [boxOf(view, ".heads"), boxOf(view, ".matrix")];
	expect(matrix.left).toBeGreaterThanOrEqual(heads.right);
	expect(matrix.top).toBe(heads.top);
	expectNoOverflow(view, 1100);
});

test("from 1100 to 700 px the panes stack, and nothing hangs out", async () => {
	const view = await start().open(1100);
	await resize(view, 700);
	const [heads, matrix] = [boxOf(view, ".heads"), boxOf(view, ".matrix")];
	expect(matrix.top).toBeGreaterThanOrEqual(heads.bottom);
	expectNoOverflow(view, 700);
	await resize(view, 1100);
	expect(boxOf(view, ".matrix").top).toBe(boxOf(view, ".heads").top);
	expectNoOverflow(view, 1100);
});

test("one pane alone has the whole width", async () => {
	const view = await start({ view: ["heads"] }).open(1100);
	expect(boxOf(view, ".heads").width).toBeGreaterThan(1000);
});

describe("widths at which nothing can be drawn well", () => {
	test("rendered at zero width it waits, and draws when there is room", async () => {
		const mounted = start();
		const view = mounted.render(0);
		await mounted.settled();
		expect(view.all("[role=alert]")).toEqual([]);
		await resize(view, 1000);
		await mounted.settled();
		expect(view.all(".row").length).toBeGreaterThan(40);
		expect(view.one<HTMLCanvasElement>(".stage canvas").width).toBeGreaterThan(200);
	});

	test("rendered out of the document it waits, and draws when it is put in", async () => {
		const mounted = start();
		const view = mounted.render(900);
		view.el.remove();
		await mounted.settled();
		document.body.append(view.el);
		await expect.poll(() => view.all(".row").length).toBeGreaterThan(40);
		expect(view.all("[role=alert]")).toEqual([]);
	});

	test("no width makes a view fail", async () => {
		const view = await start({ heads: [0, 5] }).open(300);
		for (const width of [1, 20, 33, 34, 35, 36, 40, 60, 100, 150, 172, 173, 180, 200, 300, 420]) {
			await resize(view, width);
			expect(view.text("[role=alert]"), `${width} px`).toBe("");
		}
	});
});

test("the height doesn't grow with the text beyond a screen", async () => {
	const view = await mount(softmaxWeights(1, 2, 700, 700), numbered(700)).open(1100);
	expect(view.one(".explorer").clientHeight).toBeLessThan(1300);
});
