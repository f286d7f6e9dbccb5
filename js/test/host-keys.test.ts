import { afterEach, expect, test } from "vitest";
import { frame } from "./events";
import { mount, numbered, softmaxWeights } from "./host";

const HELD = "data-lm-suppress-shortcuts";

afterEach(() => (document.activeElement as HTMLElement | null)?.blur());

/** Which keys a host would act on that takes them on their way down, pressed on `selector`. */
async function taken(selector: string, ...pressed: KeyboardEventInit[]): Promise<string[]> {
	const { open } = mount(softmaxWeights(2, 3, 5, 5), numbered(5));
	const view = await open();
	const names: string[] = [];
	const host = (event: KeyboardEvent) => {
		if (!(event.target as Element).closest(`[${HELD}]`))
			names.push(`${event.ctrlKey ? "Ctrl+" : ""}${event.shiftKey ? "Shift+" : ""}${event.key}`);
	};
	document.addEventListener("keydown", host, { capture: true });
	for (const init of pressed) {
		const event = new KeyboardEvent("keydown", { ...init, bubbles: true, composed: true });
		view.one(selector).dispatchEvent(event);
		await frame();
	}
	document.removeEventListener("keydown", host, { capture: true });
	return names;
}

/** Catches `d d` deleting the cell with the explorer, and a notebook that can't be saved from it. */
test("what is pressed in an explorer is its own, but for the notebook's commands", async () => {
	const names = await taken(
		'[role="option"]',
		{ key: "d" },
		{ key: "Z", shiftKey: true },
		{ key: "Escape" },
		{ key: "ArrowDown" },
		{ key: "Enter", shiftKey: true },
		{ key: "z", ctrlKey: true },
		{ key: "s", ctrlKey: true },
	);
	expect(names).toEqual(["Ctrl+s"]);
});

/** Catches a cell that can't be run while one of its buttons has the focus. */
test("Shift+Enter on a button runs the cell", async () => {
	expect(await taken(".chips button", { key: "Enter", shiftKey: true })).toEqual(["Shift+Enter"]);
});

/** Catches cells that are pasted where a person pastes text into a field. */
test("what edits a field is the field's", async () => {
	const pasted = { key: "v", ctrlKey: true };
	expect(await taken(".find input", pasted, { key: "x", ctrlKey: true })).toEqual([]);
});

/** Catches an explorer that is gone and goes on listening to the whole page. */
test("a view that was removed holds no keys", async () => {
	const { open } = mount(softmaxWeights(2, 3, 5, 5), numbered(5));
	const view = await open();
	const host = view.el.firstElementChild as Element;
	view.remove();
	document.body.append(host);
	host.dispatchEvent(new KeyboardEvent("keydown", { key: "d", bubbles: true, composed: true }));
	expect(host.hasAttribute(HELD)).toBe(false);
	host.remove();
});
