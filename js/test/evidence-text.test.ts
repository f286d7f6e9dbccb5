import { afterEach, describe, expect, test } from "vitest";
import type { Description } from "../src/protocol.gen";
import { click, frame, press } from "./events";
import { drawn, type Opened, openEvidence, WEIGHTS } from "./evidence";
import { numbered, type Shown } from "./host";
import { mountQa } from "./qa";

afterEach(() => (document.activeElement as HTMLElement | null)?.blur());

const shows = (texts: readonly string[] | null) => ({ texts }) as Partial<Description>;
const field = (view: Shown, at = 0) => view.one<HTMLTextAreaElement>(`[name="text ${at}"]`);
const focused = (view: Shown) => view.root.activeElement as HTMLElement | null;

async function write(view: Shown, text: string, at = 0): Promise<void> {
	field(view, at).value = text;
	field(view, at).dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
	await frame();
}

async function open(texts: readonly string[] | null = ["the old text"]): Promise<Opened> {
	const opened = await openEvidence({ description: shows(texts) });
	await click(opened.view.one("[name=change]"));
	return opened;
}

/** As Python does: what is shown changes. */
async function show(opened: Opened, shown: string, texts: readonly string[] | null): Promise<void> {
	const { model, kernel, view } = opened;
	kernel.show(WEIGHTS, numbered(9, shown), null);
	model.set("_description", { ...model.get("_description"), ...shows(texts), shown });
	await drawn(opened, view);
}

describe("the box", () => {
	test("is opened by a click or e, with the text that is shown, and closed by Escape alone", async () => {
		const { model, view } = await open();
		expect(field(view).value).toBe("the old text");
		expect(focused(view)).toBe(field(view));
		model.set("selected", [2, 2]);
		await press(field(view), "Escape");
		expect(view.all('[name="text 0"]')).toEqual([]);
		expect(focused(view)).toBe(view.one("[name=change]"));
		expect(model.get("selected"), "the pin is another's to release").toEqual([2, 2]);
		await press(view.one(".token"), "e");
		expect(focused(view)).toBe(field(view));
	});

	test("keeps what is typed from the page and the notebook", async () => {
		const { model, view } = await open();
		for (const key of ["]", "r", "/", "e", "d", "Enter", "ArrowDown"])
			expect(await press(field(view), key), key).toBe(false);
		expect(await press(field(view), "s", { ctrlKey: true }), "saving is the notebook's").toBe(true);
		expect([model.get("layer"), model.get("direction")]).toEqual([0, "reads"]);
	});

	test("of a text that isn't known is empty, and says so", async () => {
		const { view } = await open(null);
		expect(field(view).value).toBe("");
		expect(field(view).placeholder).toContain("isn’t known here");
	});

	test("isn't there where questions are asked: the context is changed there", async () => {
		const mounted = mountQa({}, { state: { view: ["evidence"] } });
		const view = await mounted.open();
		await drawn(mounted, view);
		expect(view.all("[name=change]")).toEqual([]);
		await press(view.one(".studies"), "e");
		expect(view.all('[name="text 0"]')).toEqual([]);
	});

	test("e does nothing while the view is closed", async () => {
		const { model, view } = await openEvidence();
		model.set("view", ["text"]);
		await frame();
		await press(view.one(".token"), "e");
		model.set("view", ["text", "evidence"]);
		await frame();
		expect(view.all('[name="text 0"]')).toEqual([]);
	});
});

describe("another text", () => {
	test("is sent as it is written, both of two", async () => {
		const one = await open();
		await write(one.view, "a new text");
		await click(one.view.one("[name=read]"));
		await one.settled();
		expect(one.asked("text")).toEqual([{ of: "text", text: "a new text", text_pair: null }]);
		const two = await open(["first", "second"]);
		await write(two.view, "another", 1);
		await press(field(two.view), "Enter", { ctrlKey: true });
		await two.settled();
		expect(two.asked("text")).toEqual([{ of: "text", text: "first", text_pair: "another" }]);
	});

	test("that is empty isn't sent, and that is said in place until something is written", async () => {
		const { view, asked, settled } = await open();
		await write(view, "  ");
		await click(view.one("[name=read]"));
		await settled();
		expect(view.text(".another [role=alert]")).toContain("The text is empty");
		expect(asked("text")).toEqual([]);
		await write(view, "a");
		expect(view.all(".another [role=alert]")).toEqual([]);
	});

	test("that can't be read says why in place, and what was written stays", async () => {
		const { view, kernel, settled } = await open();
		kernel.studied = () => "600 tokens are too many: the model reads 512.";
		await write(view, "a long text");
		await click(view.one("[name=read]"));
		await settled();
		expect(view.text(".another [role=alert]")).toContain("600 tokens are too many");
		expect(field(view).value).toBe("a long text");
	});

	test("once it is shown the box is closed", async () => {
		const opened = await open();
		opened.kernel.answering = ({ kind }) => kind !== "study";
		await write(opened.view, "a new text");
		await click(opened.view.one("[name=read]"));
		opened.kernel.resume();
		await show(opened, "new", ["a new text"]);
		expect(opened.view.all('[name="text 0"]')).toEqual([]);
		await click(opened.view.one("[name=change]"));
		expect(field(opened.view).value).toBe("a new text");
	});

	test("what is written while the last one is read is still there, with its focus, on the page of that", async () => {
		const opened = await open();
		const { view, kernel } = opened;
		kernel.answering = ({ kind }) => kind !== "study";
		await write(view, "a new text");
		await click(view.one("[name=read]"));
		await write(view, "a newer text");
		field(view).focus();
		field(view).setSelectionRange(2, 7);
		kernel.resume();
		await show(opened, "new", ["a new text"]);
		expect(field(view).value).toBe("a newer text");
		expect(focused(view)).toBe(field(view));
		expect([field(view).selectionStart, field(view).selectionEnd]).toEqual([2, 7]);
	});

	test("the last one wins: given up with the page of one before, it is sent again", async () => {
		const opened = await open();
		const { view, kernel, asked } = opened;
		kernel.answering = ({ kind }) => kind !== "study";
		for (const text of ["a new text", "the last text"]) {
			await write(view, text);
			await click(view.one("[name=read]"));
		}
		kernel.resume();
		await show(opened, "new", ["a new text"]);
		const sent = kernel.requests.flatMap((request) =>
			request.kind === "study" && request.study.of === "text"
				? [[request.shown, request.study.text]]
				: [],
		);
		expect(sent.at(-1)).toEqual(["new", "the last text"]);
		await show(opened, "last", ["the last text"]);
		expect(view.all('[name="text 0"]')).toEqual([]);
		expect(asked("text").length).toBeLessThanOrEqual(2);
	});

	test("that was stopped isn't sent again on another page", async () => {
		const opened = await open();
		const { view, kernel } = opened;
		kernel.answering = ({ kind }) => kind !== "study";
		await write(view, "a new text");
		await click(view.one("[name=read]"));
		await click(view.one(".another .running button"));
		const sent = () =>
			opened.kernel.requests.filter((r) => r.kind === "study" && r.study.of === "text");
		const before = sent().length;
		kernel.resume();
		await show(opened, "words", ["the old text"]);
		expect(sent()).toHaveLength(before);
		expect(field(view).value, "what was written is still there").toBe("a new text");
	});
});
