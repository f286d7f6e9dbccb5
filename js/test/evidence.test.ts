import { afterEach, describe, expect, test } from "vitest";
import type { CutInfo, EffectStudy, PairStudied } from "../src/protocol.gen";
import { choose, click, frame, hover, leave, press } from "./events";
import { openEvidence, studiesOf, WEIGHTS, WORDS } from "./evidence";
import { mount } from "./host";

afterEach(() => (document.activeElement as HTMLElement | null)?.blur());

/** “w5” pinned first and “w2” with it. */
const PINNED = { selected: [5, 5], also: [[2, 2]] } as const;
const COUNT = { count: WORDS.map((_, i) => (i === 2 ? 3 : 1)) };

describe("the edge", () => {
	test("while nothing is pinned it is said how one comes to it, and nothing is asked of one", async () => {
		const { view, asked } = await openEvidence();
		expect(view.text(".edge")).toContain("Click a token");
		expect(asked("pair")).toEqual([]);
		expect(view.all("[name=cut]")).toEqual([]);
	});

	test("of two pinned tokens the first reads; the weight is the first chosen head's, not the mean", async () => {
		const { view, asked } = await openEvidence({ state: { ...PINNED, layer: 1, heads: [2, 3] } });
		expect(view.text(".facts")).toContain("“w5” reads from “w2”");
		expect(view.text(".facts")).toContain(WEIGHTS.at(1, 2, 5, 2).toFixed(4));
		expect(asked("pair")).toEqual([{ of: "pair", layer: 1, head: 2, query: 5, key: 2 }]);
		expect(view.text(".facts")).toContain("92.1 of 432 cells");
		expect(view.text(".facts")).toContain("18 %");
	});

	test("what is hovered completes it with the pinned reader, and gives it back", async () => {
		const { view, asked, settled } = await openEvidence({ state: PINNED });
		await hover(view.token(7));
		await settled();
		expect(asked("pair").map(({ query, key }) => [query, key])).toEqual([
			[5, 2],
			[5, 7],
		]);
		expect(view.text(".facts")).toContain("“w5” reads from “w7”");
		await leave(view.one(".tokens"));
		expect(view.text(".facts")).toContain("“w5” reads from “w2”");
	});

	test("a number that isn't defined gives its reason in its place", async () => {
		const { view } = await openEvidence({ state: PINNED });
		expect(view.text(".facts"), "where it isn't defined").not.toContain("logit");
	});

	test("no number is made up where the percentile isn't known, and the logit has its sign", async () => {
		const opened = await openEvidence();
		const all = studiesOf(WEIGHTS);
		opened.kernel.studied = (study) => {
			const found = all(study);
			if (typeof found === "string" || found.of !== "pair") return found;
			const logit = { logit: -0.3125, logit_of: "“w8”" };
			return { ...found, percentile: null, ...logit } satisfies PairStudied;
		};
		opened.model.set("selected", [5, 2]);
		await opened.settled();
		expect(opened.view.text(".facts")).toContain("percentile at this distancenot known");
		expect(opened.view.text(".facts")).toContain("adds to the logit of “w8”−0.313");
	});

	test("isn't said to matter before it is cut; cut, it is this edge of this head, and what it changes is said", async () => {
		const { view, asked, settled } = await openEvidence({
			state: { ...PINNED, layer: 1, heads: [2] },
			description: { kind: "encoder", kinds: ["encoder"] },
		});
		expect(view.text(".cut")).toContain("reads from — not yet: matters");
		expect(asked("effect")).toEqual([]);
		await click(view.one("[name=cut]"));
		await settled();
		const cut: CutInfo = {
			do: "cut",
			on: true,
			kind: "encoder",
			queries: [5],
			keys: [2],
			layers: [1],
			heads: [2],
		};
		expect(asked("effect")).toEqual([{ of: "effect", edits: [cut], at: null }]);
		expect(view.text(".edge .effect b")).toBe(
			"cutting 5 from 2 in 1 changes the output by 0.0123 nats",
		);
		expect(view.text(".edge .effect")).toContain("KL 0.0123 nats");
		expect(view.text(".cut")).not.toContain("not yet");
	});

	test("what is given before and after stands in pairs of bars on one scale", async () => {
		const { view, settled } = await openEvidence({ state: PINNED });
		await click(view.one("[name=cut]"));
		await settled();
		const [cat, ...others] = view.all(".odds li");
		expect(cat?.textContent).toBe("cat0.5000.133");
		const widths = [...(cat?.querySelectorAll("i") ?? [])].map((bar) => bar.style.width);
		expect(widths).toEqual(["100%", `${((100 * 0.4) / 3 / 0.5).toFixed(2)}%`]);
		expect(others).toHaveLength(9);
	});

	test("is cut in all heads of its layer, or in all layers, where that is chosen", async () => {
		const { view, asked, settled } = await openEvidence({ state: { ...PINNED, layer: 2 } });
		for (const scope of ["layer", "all"]) {
			await choose(view.one<HTMLSelectElement>("[name=scope]"), scope);
			await click(view.one("[name=cut]"));
			await settled();
		}
		const cuts = asked("effect").map(({ edits }) => edits[0] as CutInfo);
		expect(cuts.map(({ layers, heads }) => [layers, heads])).toEqual([
			[[2], null],
			[null, null],
		]);
		expect(view.text(".edge .effect")).toContain("in every layer");
	});

	test("of words: all their tokens are cut, counted in tokens", async () => {
		const { view, asked, settled } = await openEvidence({
			state: { ...PINNED, unit: "word" },
			table: COUNT,
		});
		await click(view.one("[name=cut]"));
		await settled();
		const { edits } = asked("effect")[0] as EffectStudy;
		expect(edits[0]).toMatchObject({ queries: [7], keys: [2, 3, 4] });
		expect(asked("pair")[0], "and asked about as words").toMatchObject({ query: 5, key: 2 });
		expect(view.text(".edge .effect")).toContain("cutting 7 from 2,3,4");
	});

	test("of segments it can't be cut, and the reason is said", async () => {
		const { view } = await openEvidence({ state: { ...PINNED, unit: "segment" } });
		expect(view.one<HTMLButtonElement>("[name=cut]").disabled).toBe(true);
		expect(view.text(".cut")).toContain("show tokens or words");
	});

	test("what was cut stays in view while others are hovered, and theirs is said where it is known", async () => {
		const { view, settled } = await openEvidence({ state: PINNED });
		await click(view.one("[name=cut]"));
		await settled();
		await hover(view.token(7));
		await settled();
		expect(view.text(".edge .effect")).toContain("cutting 5 from 2");
		expect(view.text(".cut")).toContain("not yet: matters");
	});
});

describe("a run", () => {
	test("shows how far it is; stopped, it isn't asked about any more and can be started again", async () => {
		const { view, kernel, settled, asked } = await openEvidence({ state: PINNED });
		kernel.studying = [0.25];
		kernel.answering = ({ kind }) => kind !== "study" || kernel.studying.length > 0;
		await click(view.one("[name=cut]"));
		await expect.poll(() => view.all<HTMLProgressElement>(".cut progress")[0]?.value).toBe(0.25);
		await click(view.all(".cut button").find((el) => el.textContent === "Stop") as HTMLElement);
		expect(view.all(".cut progress")).toEqual([]);
		const sent = kernel.asked("study");
		kernel.resume();
		await settled();
		expect(kernel.asked("study")).toBe(sent);
		expect(view.all(".edge .effect")).toEqual([]);
		await click(view.one("[name=cut]"));
		await settled();
		expect(view.text(".edge .effect b")).toContain("changes the output");
		expect(asked("effect")).toHaveLength(1);
	});

	test("that fails says why in its place, and is tried again", async () => {
		const { view, kernel, settled } = await openEvidence({ state: PINNED });
		kernel.studied = () => "This model's attention can't be changed.";
		await click(view.one("[name=cut]"));
		await settled();
		expect(view.text(".edge [role=alert]")).toContain("can't be changed");
		expect(view.all(".explorer > div > .fault")).toEqual([]);
		kernel.studied = studiesOf(WEIGHTS);
		await click(view.one(".edge [role=alert] button"));
		await settled();
		expect(view.all(".edge [role=alert]")).toEqual([]);
		expect(view.text(".edge .effect b")).toContain("changes the output");
	});
});

describe("what the head does", () => {
	test("is asked of the first chosen head, and follows it", async () => {
		const { model, view, asked, settled } = await openEvidence({
			state: { layer: 1, heads: [1, 3] },
			description: { layers: [2, 5, 7] },
		});
		expect(view.text(".studies")).toContain("what layer 5 · head 1 does");
		model.set("heads", [3]);
		await settled();
		expect(asked("head").map(({ layer, head }) => [layer, head])).toEqual([
			[1, 1],
			[1, 3],
		]);
	});

	test("its labels stand beside their scores, what uniform attention has, and on how many rows", async () => {
		const { view } = await openEvidence();
		expect(view.all(".measured").map((el) => el.textContent)).toEqual([
			"previous token0.710.0812",
			"local0.620.2012",
		]);
		const [level, tick] = view.all(".measured i");
		expect([level?.style.width, tick?.style.insetInlineStart]).toEqual(["71%", "8.3%"]);
	});

	test("where a label doesn't hold is looked at under the pointer, and pinned by a click", async () => {
		const { model, view } = await openEvidence();
		const [first] = view.all(".misses li");
		expect(first?.textContent.replace(/\s/g, " ")).toBe("“w8”reads “w2” 0.71, not “w7” 0.02");
		first?.dispatchEvent(new PointerEvent("pointerenter"));
		await frame();
		expect(model.get("hovered")).toEqual([8, 2]);
		expect(view.text(".facts")).toContain("“w8” reads from “w2”");
		first?.dispatchEvent(new PointerEvent("pointerleave"));
		await frame();
		expect(model.get("hovered")).toBeNull();
		await click(first?.querySelector("button") as HTMLElement);
		expect(model.get("selected")).toEqual([8, 2]);
	});

	test("the first three misses are listed, the others unfold", async () => {
		const { view } = await openEvidence();
		expect(view.all(".misses").map((list) => list.children.length)).toEqual([3, 1]);
		expect(view.text(".label-of-head summary")).toBe("1 more");
	});

	test("without a label it is said that none stands out, or why there can't be any", async () => {
		const { model, kernel, view, settled } = await openEvidence();
		kernel.studied = () => ({ of: "head", labels: [], why: "" });
		model.set("layer", 1);
		await settled();
		expect(view.text(".studies")).toContain("No pattern stands out");
		kernel.studied = () => ({ of: "head", labels: [], why: "Signed weights have no labels." });
		model.set("layer", 2);
		await settled();
		expect(view.text(".studies")).toContain("Signed weights have no labels.");
		expect(view.text(".studies")).not.toContain("No pattern");
	});
});

describe("without a kernel", () => {
	test("what is known stays, and the rest says what it takes", async () => {
		const { model, kernel, view } = await openEvidence({ state: PINNED });
		kernel.model.failing = new Error("Cannot send");
		await click(view.one("[name=cut]"));
		await expect.poll(() => view.text(".status")).toBe("no kernel");
		expect(view.text(".facts")).toContain("92.1 of 432 cells");
		expect(view.all(".measured")).toHaveLength(2);
		expect(view.all(".rank").length).toBeGreaterThan(7);
		for (const name of ["cut", "run", "sweep heads"]) {
			const button = view.one<HTMLButtonElement>(`[name="${name}"]`);
			expect([button.disabled, button.title], name).toEqual([
				true,
				"This takes the kernel, and it is gone.",
			]);
		}
		expect(view.all(".studies [role=alert]")).toEqual([]);
		model.set("also", [[3, 3]]);
		await frame();
		await frame();
		expect(view.text(".facts")).toContain("percentile at this distanceThis takes the kernel");
	});
});

test("nothing is studied while the view is closed", async () => {
	const mounted = mount(WEIGHTS, WORDS, { state: { ...PINNED, view: ["text"] } });
	await mounted.open();
	expect(mounted.kernel.asked("study") + mounted.kernel.asked("part")).toBe(0);
});

test("keys that the view takes aren't the notebook's, and the others are", async () => {
	const { view } = await openEvidence({ state: PINNED });
	const token = view.one<HTMLInputElement>("[name=token]");
	expect(await press(token, "d")).toBe(false);
	expect(await press(token, "s", { ctrlKey: true })).toBe(true);
});

test("text from tokens is never HTML", async () => {
	const words = ["<b>x</b>", "<img src=x>", ...WORDS.slice(2)];
	const { view, settled } = await openEvidence(
		{ state: { selected: [0, 0], also: [[1, 1]] } },
		1100,
		WEIGHTS,
		words,
	);
	await click(view.one("[name=cut]"));
	await settled();
	expect(view.text(".facts")).toContain("“<b>x</b>” reads from “<img src=x>”");
	expect(view.all(".studies img")).toEqual([]);
});
