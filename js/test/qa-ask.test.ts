import { afterEach, describe, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import { click, frame, press } from "./events";
import type { Shown } from "./host";
import { answerWith, mountQa, qaInfo } from "./qa";

afterEach(() => (document.activeElement as HTMLElement | null)?.blur());

const again = (view: Shown) => view.one<HTMLButtonElement>("[name=again]");
const question = (view: Shown) => view.one<HTMLInputElement>(".ask [name=question]");
const context = (view: Shown) => view.one<HTMLTextAreaElement>(".ask [name=context]");
const focused = (view: Shown) => view.root.activeElement as HTMLInputElement | null;

async function write(field: HTMLInputElement | HTMLTextAreaElement, text: string): Promise<void> {
	field.value = text;
	field.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
	await frame();
}

async function open(...given: Parameters<typeof mountQa>) {
	const mounted = mountQa(...given);
	const asked = () =>
		mounted.kernel.requests.flatMap((r) =>
			r.kind === "ask" ? [[r.question, r.context, r.window]] : [],
		);
	return { ...mounted, mounted, asked, view: await mounted.open() };
}

describe("the box", () => {
	test("is folded at rest; a click or q opens it, on the question, all selected; Escape closes it alone", async () => {
		const { model, view } = await open({}, { state: { selected: [2, null] } });
		expect(view.all(".ask")).toEqual([]);
		await click(again(view));
		expect(again(view).ariaExpanded).toBe("true");
		expect(focused(view)).toBe(question(view));
		expect(question(view).value).toBe("who is famous?");
		expect([question(view).selectionStart, question(view).selectionEnd]).toEqual([0, 14]);
		await press(question(view), "Escape");
		expect(view.all(".ask")).toEqual([]);
		expect(focused(view)).toBe(again(view));
		expect(model.get("selected"), "the pin is another's to release").toEqual([2, null]);
		await press(view.one(".qa .token"), "q");
		expect(focused(view)).toBe(question(view));
	});

	test("neither the page nor the notebook hears what is typed into it", async () => {
		const { model, view } = await open({}, { state: { layer: 1 } });
		await click(again(view));
		for (const field of [question(view), context(view)]) {
			for (const key of ["]", "[", "r", "/", "q", "d", "Enter", "ArrowDown"])
				if (field === context(view) || key !== "Enter")
					expect(await press(field, key), `${field.name} ${key}`).toBe(false);
			expect(await press(field, "z", { ctrlKey: true })).toBe(false);
			expect(await press(field, "s", { ctrlKey: true }), "saving is the notebook's").toBe(true);
		}
		expect([model.get("layer"), model.get("direction")]).toEqual([1, "reads"]);
		expect(focused(view)).toBe(question(view));
	});

	test("what is empty is said in place, and isn't sent", async () => {
		const { view, asked } = await open();
		await click(again(view));
		await write(question(view), "  ");
		await click(view.one(".ask [type=submit]"));
		expect(view.text(".ask [role=alert]")).toMatch(/^The question is empty/);
		await write(question(view), "why?");
		expect(view.all(".ask [role=alert]")).toEqual([]);
		await write(context(view), " ");
		await click(view.one(".ask [type=submit]"));
		expect(view.text(".ask [role=alert]")).toMatch(/^The context is empty/);
		expect(asked()).toEqual([]);
	});
});

describe("asking", () => {
	test("Enter sends the question; the context stays where it wasn't changed", async () => {
		const { view, asked, mounted, settled } = await open();
		answerWith(mounted, ({ question }) => qaInfo({ question: question ?? "" }));
		await click(again(view));
		await userEvent.keyboard("where is it?{Enter}");
		await settled();
		expect(asked()).toEqual([["where is it?", null, null]]);
		expect(view.all(".ask"), "answered: the page is calm again").toEqual([]);
		await expect.poll(() => focused(view)?.name).toBe("again");
		await click(again(view));
		expect(question(view).value).toBe("where is it?");
	});

	test("Ctrl+Enter in the context sends both, and no cell of the notebook runs", async () => {
		const { view, asked, settled } = await open();
		await click(again(view));
		await write(context(view), "Another text.");
		expect(await press(context(view), "Enter", { ctrlKey: true })).toBe(false);
		await settled();
		expect(asked()).toEqual([["who is famous?", "Another text.", null]]);
	});

	test("a context that stays in Python: empty means as it is, and the box says so", async () => {
		const { view, asked, settled } = await open({ context: null });
		await click(again(view));
		expect(context(view).value).toBe("");
		expect(context(view).placeholder).toMatch(/too long to be shown/);
		await write(context(view), "x");
		await write(context(view), "");
		await click(view.one(".ask [type=submit]"));
		await settled();
		expect(asked()).toEqual([["who is famous?", null, null]]);
	});

	test("says how far it is, and Stop stops: nothing more is asked, and the text stays", async () => {
		const { view, asked, kernel, settled } = await open();
		kernel.reading = new Array(100_000).fill(0.25);
		await click(again(view));
		await write(question(view), "what?");
		await click(view.one(".ask [type=submit]"));
		await expect.poll(() => view.all<HTMLProgressElement>(".asking progress")[0]?.value).toBe(0.25);
		await click(view.one(".asking button"));
		await settled();
		const count = asked().length;
		expect(view.all(".asking progress")).toEqual([]);
		await frame();
		await frame();
		expect(asked()).toHaveLength(count);
		expect(question(view).value).toBe("what?");
	});

	test("the last text wins", async () => {
		const { view, kernel, mounted, settled } = await open();
		answerWith(mounted, ({ question }) => qaInfo({ question: question ?? "" }));
		kernel.answering = (request) => request.kind !== "ask" || kernel.asked("ask") > 1;
		await click(again(view));
		for (const text of ["first?", "second?"]) {
			await write(question(view), text);
			await click(view.one(".ask [type=submit]"));
		}
		await expect.poll(() => kernel.asked("ask")).toBeGreaterThan(0);
		kernel.resume();
		await expect.poll(() => mounted.model.get("_qa")?.question).toBe("second?");
		await settled();
		const runs = kernel.requests.flatMap((r) =>
			r.kind === "ask" ? [`${r.run} ${r.question}`] : [],
		);
		expect(new Set(runs).size, "each question is a run of its own").toBe(
			new Set(runs.map((run) => run.split(" ")[1])).size,
		);
	});

	test("a fault is told in place with its detail, and keeps what was typed", async () => {
		const { view, kernel } = await open();
		await click(again(view));
		await write(question(view), "who who who?");
		kernel.failing = "the question leaves the context no room";
		await click(view.one(".ask [type=submit]"));
		await expect.poll(() => view.text(".qa .fault b")).toBe(kernel.failing);
		expect(view.text(".qa .fault pre")).toContain("Traceback");
		expect(question(view).value).toBe("who who who?");
		kernel.failing = null;
		await click(view.one(".qa .fault button"));
		await expect.poll(() => view.all(".qa .fault")).toEqual([]);
		expect(question(view).value).toBe("who who who?");
	});

	test("without a kernel it says so", async () => {
		const mounted = mountQa();
		const snapshot = await mounted.kernel.snapshot();
		const view = mountQa({}, { connected: false, state: { _snapshot: snapshot } }).render();
		await expect.poll(() => view.all("[name=again]")).toHaveLength(1);
		await click(again(view));
		await click(view.one(".ask [type=submit]"));
		await expect.poll(() => view.text(".qa .fault b")).toMatch(/^No kernel/);
	});
});

describe("when the page is built anew", () => {
	test("what is being written stays, with the place in it", async () => {
		const { view, model, settled } = await open();
		await click(again(view));
		await write(question(view), "half a quest");
		await write(context(view), "half a cont");
		question(view).setSelectionRange(4, 6);
		const before = question(view);
		model.set("_description", { ...model.get("_description"), shown: "words" });
		await settled();
		expect(question(view)).not.toBe(before);
		expect([question(view).value, context(view).value]).toEqual(["half a quest", "half a cont"]);
		expect(focused(view)).toBe(question(view));
		expect([question(view).selectionStart, question(view).selectionEnd]).toEqual([4, 6]);
	});

	test("an answer to an earlier text doesn't take away what was written meanwhile", async () => {
		const { view, kernel, mounted, settled } = await open();
		answerWith(mounted, ({ question }) => qaInfo({ question: question ?? "" }));
		kernel.answering = ({ kind }) => kind !== "ask";
		await click(again(view));
		await write(question(view), "first?");
		await click(view.one(".ask [type=submit]"));
		await expect.poll(() => kernel.asked("ask")).toBe(1);
		await write(question(view), "and then");
		kernel.resume();
		await settled();
		expect(mounted.model.get("_qa")?.question).toBe("first?");
		expect(question(view).value).toBe("and then");
	});
});
