import { afterEach, describe, expect, test } from "vitest";
import type { Description } from "../src/protocol.gen";
import { broken } from "./broken";
import { click, frame, press } from "./events";
import { openEvidence, studiesOf, WEIGHTS } from "./evidence";
import { keys, nameOf, tabTo, walk } from "./keys";

afterEach(() => (document.activeElement as HTMLElement | null)?.blur());

const PINNED = { selected: [5, 5], also: [[2, 2]] } as const;
const EDITED = {
	...PINNED,
	edits: [
		{ do: "ablate", on: true, kind: "", layer: 1, head: 2, by: "zero" },
		{ do: "replace", on: false, position: 2, token: "dog" },
	],
} as const;
const description = { texts: ["a text", "and another"] } as Partial<Description>;

/** With all that can be run, and all that unfolds. */
async function openAll(theme: "light" | "dark", width = 1100) {
	const opened = await openEvidence({ state: { ...EDITED, theme }, description }, width);
	for (const name of ["cut", "run", "sweep heads", "change", "all"]) {
		await click(opened.view.one(`[name="${name}"]`));
		await opened.settled();
	}
	await frame();
	for (const menu of opened.view.all<HTMLDetailsElement>(".studies details")) menu.open = true;
	return opened;
}

describe.each(["light", "dark"] as const)("no serious violation, %s", (theme) => {
	test("at rest, and with a pair and another token pinned", async () => {
		const { model, view, settled } = await openEvidence({ state: { theme } });
		expect(await broken(view)).toEqual([]);
		model.set("selected", [5, 5]);
		model.set("also", [
			[2, 2],
			[7, 7],
		]);
		await settled();
		expect(await broken(view)).toEqual([]);
	});

	test.each([700, 1100])("with all that was run and all that unfolds, %i wide", async (width) => {
		const { view } = await openAll(theme, width);
		expect(await broken(view)).toEqual([]);
	});

	test("while it runs, and at fault", async () => {
		const { view, kernel } = await openEvidence({ state: { ...EDITED, theme } });
		kernel.studying = [0.25];
		kernel.answering = ({ kind }) => kind !== "study" || kernel.studying.length > 0;
		await click(view.one("[name=run]"));
		await expect.poll(() => view.all(".part progress")).toHaveLength(1);
		expect(await broken(view)).toEqual([]);
		kernel.failing = "out of memory";
		kernel.resume();
		await expect.poll(() => view.text(".part [role=alert]")).toContain("out of memory");
		expect(await broken(view)).toEqual([]);
	});
});

test("Tab comes to every control once, and each has a name", async () => {
	const { view } = await openAll("light");
	view.one("header button").focus();
	const found = await walk(view);
	for (const el of found) expect(nameOf(el), el.outerHTML).not.toBe("");
	const usable = view
		.all<HTMLButtonElement>(
			".studies :is(button, select, input, textarea, summary, [role=application])",
		)
		.filter((el) => el.tabIndex >= 0 && el.checkVisibility() && !el.matches(":disabled"));
	expect(usable.length).toBeGreaterThan(30);
	expect(new Set(found.filter((el) => el.closest(".studies")))).toEqual(new Set(usable));
});

test("without a pointer: an edge is cut, a head is ablated and the model run, a head is gone to", async () => {
	const { model, view, settled } = await openEvidence({ state: PINNED });
	await tabTo(view, /^Cut the edge$/);
	await keys("{Enter}");
	await settled();
	expect(view.text(".edge .effect b")).toContain("changes the output");
	await tabTo(view, /ablate 0.0$/);
	await keys("{Enter}");
	await tabTo(view, /^Run$/);
	await keys("{Enter}");
	await settled();
	expect(view.text(".part .effect b")).toContain("changes the output");
	await tabTo(view, /^Ablate every head$/);
	await keys("{Enter}");
	await settled();
	await tabTo(view, /^12 dots/);
	await keys("{ArrowRight}", "{ArrowRight}", "{Enter}");
	const { ariaLabel } = view.one(".plot");
	const gone = `${model.get("layer")}.${model.get("heads")}`;
	expect(ariaLabel?.startsWith(`${gone}: `), `${ariaLabel} for ${gone}`).toBe(true);
});

test("Escape releases the pins from every control but the text's own field", async () => {
	const { model, view } = await openAll("light");
	for (const el of view.all<HTMLElement>(".studies :is(button, select, input)")) {
		if (!el.checkVisibility() || el.matches(":disabled, [name=read]")) continue;
		model.set("selected", [5, 5]);
		el.focus();
		await press(el, "Escape");
		expect(model.get("selected"), nameOf(el)).toBeNull();
	}
});

test.each([600, 700, 860, 1200])("nothing is wider than its page, %i", async (width) => {
	const { view } = await openAll("light", width);
	const page = view.one(".explorer").getBoundingClientRect();
	const wide = view
		.all(".studies *")
		.filter((el) => el.getBoundingClientRect().right > page.right + 0.5);
	expect(wide.map((el) => el.outerHTML.slice(0, 80))).toEqual([]);
});

test("what is hovered in it doesn't move under the pointer", async () => {
	const { view, settled } = await openEvidence();
	const first = () => view.all(".misses li")[0] as HTMLElement;
	const before = first().getBoundingClientRect().top;
	first().dispatchEvent(new PointerEvent("pointerenter"));
	await settled();
	await frame();
	expect(view.text(".facts")).toContain("reads from");
	expect(first().getBoundingClientRect().top).toBe(before);
});

test("long texts from the model and from Python stay within their places", async () => {
	const long = "word".repeat(80);
	const { kernel, view, settled } = await openEvidence({ state: EDITED }, 700);
	const all = studiesOf(WEIGHTS);
	kernel.studied = (study) => {
		const found = all(study);
		if (typeof found === "string" || found.of !== "effect") return found;
		const odds = found.odds.map((one) => ({ ...one, text: long }));
		return { ...found, odds, said: long, about: long, notes: [long] };
	};
	await click(view.one("[name=run]"));
	await settled();
	const page = view.one(".explorer").getBoundingClientRect();
	for (const el of view.all(".studies .effect, .studies .effect *:not(.what *)"))
		expect(el.getBoundingClientRect().right, el.className).toBeLessThanOrEqual(page.right);
});
