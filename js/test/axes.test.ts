import { describe, expect, onTestFinished, test } from "vitest";
import { palette } from "../src/draw/colour";
import { labelStep } from "../src/views/axes";
import { drag, frame, hoverAt, press } from "./events";
import { mount, numbered, type Shown } from "./host";
import { contrast, pixelAt } from "./pixels";
import { weightsOf } from "./weights";

interface Label {
	readonly text: string;
	readonly x: number;
	readonly y: number;
	readonly slanted: boolean;
	readonly width: number;
}

/** What is written on canvases from now on, and where. */
function listen(): { take(): Label[] } {
	const written: Label[] = [];
	const { fillText } = CanvasRenderingContext2D.prototype;
	CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
		const { e, f, b } = this.getTransform();
		const density = devicePixelRatio;
		const { width } = this.measureText(text);
		written.push({ text, x: e / density, y: f / density, slanted: b !== 0, width });
		fillText.call(this, text, ...place);
	};
	onTestFinished(() => {
		CanvasRenderingContext2D.prototype.fillText = fillText;
	});
	return { take: () => written.splice(0) };
}

const open = async (count: number, state: object = {}) => {
	const weights = weightsOf([1, 1, count, count + 1], (_, __, q, k) => Number(q === k) / 2);
	const mounted = mount(weights, numbered(count, "q"), {
		keyWords: numbered(count + 1, "k"),
		state: { view: ["matrix"], ...state },
	});
	const view = await mounted.open(700);
	return { ...mounted, view, stage: view.one(".stage") };
};

/** Labels of one side, by what its tokens are called, from the latest frame. */
const sideOf = (labels: readonly Label[], view: Shown, down: boolean) => {
	const { clientWidth } = view.one(".stage canvas");
	const onSide = labels.filter(
		({ x, y, text }) => /\d/.test(text) && x <= clientWidth && (down ? x < 70 && y > 52 : y <= 50),
	);
	return onSide.sort((a, b) => (down ? a.y - b.y : a.x - b.x));
};

test("the step between labels is the least round number that keeps them apart", () => {
	expect([28, 11, 10, 4, 2, 0.1].map((cell) => labelStep(cell, 11))).toEqual([1, 1, 2, 5, 10, 200]);
});

describe.each([12, 40, 120, 500, 1500])("%d tokens", (count) => {
	test("at each zoom rows and columns are named, and no two names overlap", async () => {
		const { stage, view } = await open(count);
		const written = listen();
		for (let zoom = 0; zoom < 8; zoom++) {
			await press(stage, "+");
			written.take();
			await hoverAt(stage, 1, 1);
			await frame();
			const labels = written.take();
			if (labels.length === 0) continue;
			const rows = sideOf(labels, view, true);
			const columns = sideOf(labels, view, false);
			expect(rows.length, `zoom ${zoom}`).toBeGreaterThan(4);
			expect(columns.length, `zoom ${zoom}`).toBeGreaterThan(3);
			for (let i = 1; i < rows.length; i++)
				expect((rows[i] as Label).y - (rows[i - 1] as Label).y).toBeGreaterThan(10.5);
			for (let i = 1; i < columns.length; i++) {
				const [before, here] = [columns[i - 1], columns[i]] as [Label, Label];
				const room = here.slanted ? 10.5 : (before.width + here.width) / 2 + 4;
				expect(here.x - before.x, `${before.text} and ${here.text}`).toBeGreaterThan(room);
			}
		}
	});
});

test("a label stands at its own token, and panning changes none of them", async () => {
	const { stage, view, settled, model } = await open(120);
	const written = listen();
	for (let i = 0; i < 2; i++) await press(stage, "+");
	await settled();
	const labelled = async () => {
		written.take();
		model.set("hovered", [null, null]);
		await press(stage, "ArrowDown");
		await frame();
		return sideOf(written.take(), view, true);
	};
	const steps = new Set<number>();
	for (const to of [250, 200, 173]) {
		await drag(stage, [300, 300], [300, to]);
		const labels = await labelled();
		expect(labels.length).toBeGreaterThan(10);
		for (const { text, x, y } of labels) {
			await hoverAt(stage, x + 100, y);
			const token = model.get("hovered")?.[0] as number;
			expect(text).toBe(`q${token}`);
			if (token % 2 === 1) steps.add(token);
		}
		await hoverAt(stage, 1, 1);
	}
	expect(
		steps.size,
		"of each two the even one is named, but for the one that is looked at",
	).toBeLessThan(5);
});

test("of a long text the token under the pointer is named among positions", async () => {
	const { model, stage, settled } = await open(1500);
	const written = listen();
	model.set("hovered", [701, 333]);
	await settled();
	const texts = written.take().map(({ text }) => text);
	expect(texts).toContain("q701");
	expect(texts).toContain("k333");
	expect(texts).toContain("1000");
	expect(texts).not.toContain("q1000");
	expect(stage.clientWidth).toBeLessThanOrEqual(568);
});

describe.each(["light", "dark"] as const)("the cross in the %s theme", (theme) => {
	test.each([12, 500])("can be seen on every shade: %d tokens", async (count) => {
		const { model, view, settled } = await open(count, { theme });
		model.set("hovered", [Math.floor(count / 2), Math.floor(count / 2)]);
		await settled();
		const cross = view.one<HTMLCanvasElement>(".cross");
		const colours = palette(theme === "dark");
		const along = cross.clientWidth - 60;
		const column = Array.from({ length: cross.clientHeight - 110 }, (_, y) =>
			pixelAt(cross, along, y + 90),
		);
		const line = column.filter((pixel) => pixel[3] > 200);
		expect(line.length).toBeGreaterThan(0);
		const halo = column.filter((pixel) => pixel[3] > 60 && !line.includes(pixel));
		expect(halo.length).toBeGreaterThan(0);
		const ground = theme === "dark" ? [20, 20, 23] : [255, 255, 255];
		for (const colour of [colours.reader, colours.read])
			expect(contrast(colour, ground as never)).toBeGreaterThan(2.5);
	});
});
