import { describe, expect, test } from "vitest";
import { HEADS, infoOf, meanOf, mountAtlas, SCORES } from "./atlas";
import { broken } from "./broken";
import { click, frame, press } from "./events";
import { mount, numbered, softmaxWeights } from "./host";

const ENTROPY = SCORES.indexOf("entropy");

test("arrow keys go along each axis by the numbers there, and Enter chooses", async () => {
	const { model, view } = await mountAtlas();
	const plot = view.one(".plot");
	plot.focus();
	await press(plot, "ArrowUp");
	const name = view.text(".card > b");
	await press(plot, "ArrowUp");
	const [, layer, head] = /layer (\d+) · head (\d+)/.exec(view.text(".card > b")) ?? [];
	const index = (number: string | undefined, of: string | undefined) =>
		[3, 7, 11].indexOf(Number(number)) * HEADS + Number(of);
	const [, firstLayer, firstHead] = /layer (\d+) · head (\d+)/.exec(name) ?? [];
	const [first, second] = [index(firstLayer, firstHead), index(layer, head)];
	expect(meanOf(ENTROPY, second)).toBeCloseTo(meanOf(ENTROPY, first) + 0.1);
	expect(view.text(".card")).toContain(`entropy ${meanOf(ENTROPY, second).toFixed(3)} ± 0.050`);
	await press(plot, "Enter");
	expect(model.get("head")).toEqual([Math.floor(second / HEADS), second % HEADS]);
});

test("heads that are filtered out can't be reached, nor are they in the table", async () => {
	const { model, view } = await mountAtlas({ layers: [1], least: 0.4 });
	const isIn = Array.from({ length: HEADS }, (_, head) => HEADS + head).filter(
		(index) => meanOf(1, index) >= 0.4,
	);
	expect(view.one(".plot").ariaLabel).toContain(`${isIn.length} of 12 heads`);
	await click(view.one(".as-table summary"));
	await expect.poll(() => view.all("tbody tr").length).toBe(isIn.length);
	model.set("layers", []);
	model.set("labels", ["no label"]);
	model.set("least", null);
	const unnamed = infoOf().labels.filter((labels) => !labels.length).length;
	await expect.poll(() => view.all("tbody tr").length).toBe(unnamed);
});

test("the table has those with most of the score first", async () => {
	const { view } = await mountAtlas();
	await click(view.one(".as-table summary"));
	await expect.poll(() => view.all("tbody tr").length).toBe(12);
	const scores = view
		.all("tbody td:nth-child(3)")
		.map((cell) => Number.parseFloat(cell.textContent ?? ""));
	expect(scores).toEqual([...scores].sort((a, b) => b - a));
});

test("an exemplar marks who reads and what is read, and tokens are text", async () => {
	const { model, view } = await mountAtlas({ head: [1, 2] });
	await expect.poll(() => view.all(".exemplar").length).toBe(1);
	expect(view.text("mark.query")).toBe("sat");
	expect(view.text("mark.key")).toBe("<b>cat</b>");
	expect(view.text(".exemplar p")).toBe("The <b>cat</b> sat on its mat");
	expect(view.text(".exemplar .number")).toBe("0.625");
	await click(view.one(".exemplar .over"));
	expect(model.get("exemplar")).toEqual([7, 2, 1]);
});

test("another head asks for its own exemplars, each once", async () => {
	const { model, kernel, view } = await mountAtlas({ head: [1, 2] });
	await expect.poll(() => view.all(".exemplar").length).toBe(1);
	for (const head of [
		[0, 3],
		[1, 2],
	] as const) {
		model.set("head", head);
		await frame();
		await frame();
	}
	const asked = kernel.requests.flatMap((it) => (it.kind === "exemplars" ? [it.head.join()] : []));
	expect(asked).toEqual(["1,2", "0,3"]);
});

describe("a text", () => {
	test("is asked for until it is there, then shown by the explorer's own views", async () => {
		const { model, kernel, view } = await mountAtlas({
			head: [1, 2],
			_explorer: "IPY_MODEL_child",
		});
		const child = mount(softmaxWeights(3, 4, 6, 6), numbered(6), {
			state: { layer: 1, heads: [2] },
		});
		model.others.set("child", child.model);
		kernel.reading = Array(10_000).fill(0.4);
		kernel.opened = ({ head, place }) => {
			model.set("_open", [head, place]);
		};
		model.set("exemplar", [7, 2, 1]);
		await expect.poll(() => view.all(".reading progress").length).toBe(1);
		kernel.reading = [];
		const inner = () => view.one(".opened").firstElementChild?.shadowRoot;
		await expect.poll(() => inner()?.querySelectorAll("[data-token]").length).toBe(6);
		const runs = kernel.requests.flatMap((it) => (it.kind === "open" ? [it.run] : []));
		expect(runs.length).toBeGreaterThan(1);
		expect(new Set(runs).size).toBe(1);
		expect(view.text(".reading")).toContain("Text 7 in layer 7 · head 2");
		child.model.set("selected", [2, 1]);
		await expect
			.poll(() => view.text(".reading"))
			.toContain("more like this: sat → <b>cat</b> in 1.2");
		model.set("exemplar", null);
		await expect.poll(() => view.one(".opened").hidden).toBe(true);
	});

	test("that is stopped is asked for no more", async () => {
		const { model, kernel, view } = await mountAtlas({ head: [1, 2] });
		kernel.reading = Array(10_000).fill(0.5);
		model.set("exemplar", [7, 2, 1]);
		const opens = () => kernel.requests.filter((it) => it.kind === "open").length;
		await expect.poll(opens).toBeGreaterThan(2);
		await click(view.one(".reading button"));
		expect(model.get("exemplar")).toBeNull();
		const asked = opens();
		for (let i = 0; i < 10; i++) await frame();
		expect(opens()).toBeLessThanOrEqual(asked + 1);
	});

	test("that can't be read says why, and is asked for again", async () => {
		const { kernel, view } = await mountAtlas({ head: [1, 2] });
		await expect.poll(() => view.all(".exemplar").length).toBe(1);
		kernel.failing = "the model ran out of memory";
		await click(view.one(".exemplar .over"));
		await expect.poll(() => view.text(".reading .fault")).toContain(kernel.failing);
		kernel.failing = "";
		kernel.reading = Array(1000).fill(0.5);
		await click(view.one(".reading > button"));
		await expect.poll(() => view.all(".reading progress").length).toBe(1);
	});

	test("that was shown by a kernel that is gone is said to be", async () => {
		const { model, view } = await mountAtlas();
		model.widget_manager.get_model = () => Promise.reject(new Error("no such model"));
		model.set("_explorer", "IPY_MODEL_gone");
		model.set("head", [1, 2]);
		model.set("exemplar", [7, 2, 1]);
		await expect.poll(() => view.all(".reading").length).toBe(1);
		model.set("_open", [
			[1, 2],
			[7, 2, 1],
		]);
		await expect.poll(() => view.text(".reading .fault")).toContain("No kernel");
	});

	test("of an atlas without its model says what it takes, and isn't asked for", async () => {
		const closed = "show the atlas by atlas.explore(model, tokenizer)";
		const { kernel, view } = await mountAtlas({
			head: [1, 2],
			exemplar: [7, 2, 1],
			_info: infoOf({ closed }),
		});
		await expect.poll(() => view.text(".reading")).toContain(closed);
		expect(kernel.requests.filter((it) => it.kind === "open")).toEqual([]);
	});
});

test("without a kernel points are there, and what isn't is said", async () => {
	const { kernel, view } = await mountAtlas();
	kernel.model.failing = new Error("closed");
	await click(view.one(".begin .over"));
	await expect.poll(() => view.text(".side .wrong")).toContain("No kernel");
});

test("a view that is closed leaves no listener", async () => {
	const { model, kernel, view } = await mountAtlas({ head: [1, 2] });
	await expect.poll(() => view.all(".exemplar").length).toBe(1);
	view.remove();
	expect(model.listenerCount()).toBe(0);
	// Its own, by which it answers.
	expect(kernel.model.listenerCount()).toBe(1);
});

test("a map that can't be had says why above the picture", async () => {
	const { kernel, model, view } = await mountAtlas();
	kernel.failing = "umap needs umap-learn";
	model.set("plot", "umap");
	await expect.poll(() => view.text(".fault")).toContain(kernel.failing);
});

describe.each(["light", "dark"] as const)("no serious violation, %s", (theme) => {
	test.each([
		"scores",
		"mds",
		"grid",
	] as const)("as %s, with a head and the table", async (plot) => {
		const { model, view } = await mountAtlas({ theme, plot });
		expect(await broken(view)).toEqual([]);
		model.set("head", [0, 1]);
		model.set("labels", ["first token"]);
		await click(view.one(".as-table summary"));
		for (const menu of view.all<HTMLDetailsElement>(".menu")) menu.open = true;
		await expect.poll(() => view.all(".exemplar").length).toBe(1);
		expect(await broken(view)).toEqual([]);
	});

	test("narrow, with a fault", async () => {
		const { kernel, view } = await mountAtlas({ theme, head: [0, 1] }, 600);
		kernel.failing = "the model ran out of memory";
		await expect.poll(() => view.all(".exemplar").length).toBe(1);
		await click(view.one(".exemplar .over"));
		await expect.poll(() => view.all(".fault").length).toBe(1);
		expect(await broken(view)).toEqual([]);
	});
});
