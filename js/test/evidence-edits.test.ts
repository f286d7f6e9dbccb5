import { afterEach, describe, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import type { AblateInfo, CutInfo, EditInfo, ReplaceInfo } from "../src/protocol.gen";
import { withEdits } from "../src/views/evidence-edits";
import { choose, click, frame, press } from "./events";
import { type Opened, openEvidence, WORDS } from "./evidence";
import type { Shown } from "./host";

afterEach(() => (document.activeElement as HTMLElement | null)?.blur());

const PINNED = { selected: [5, 5], also: [[2, 2]], layer: 1, heads: [2] } as const;
const ABLATE: AblateInfo = { do: "ablate", on: true, kind: "", layer: 1, head: 2, by: "zero" };
const CUT: CutInfo = {
	do: "cut",
	on: true,
	kind: "",
	queries: [5],
	keys: [2],
	layers: [1],
	heads: [2],
};
const REPLACE: ReplaceInfo = { do: "replace", on: true, position: 5, token: "dog" };
const button = (view: Shown, name: string) => view.one<HTMLButtonElement>(`[name="${name}"]`);
const listed = (view: Shown) => view.all(".edits li > span").map((el) => el.textContent);

async function write(view: Shown, text: string): Promise<void> {
	const field = view.one<HTMLInputElement>("[name=token]");
	field.value = text;
	field.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
	await frame();
}

const ran = ({ asked }: Opened) => asked("effect").map(({ edits }) => edits);

describe("what is changed", () => {
	test("is the trait that Python, undo and linked widgets have: a head, an edge, a token", async () => {
		const { model, view } = await openEvidence({ state: PINNED });
		await click(button(view, "ablate"));
		await click(button(view, "add cut"));
		await write(view, "dog");
		await click(button(view, "replace"));
		expect(model.get("edits")).toEqual([ABLATE, CUT, REPLACE]);
		expect(listed(view)).toEqual([
			"layer 1 · head 2 gives nothing (zero)",
			"“w5” doesn’t read “w2” in layer 1 · head 2",
			"“dog” in place of “w5” (5)",
		]);
		model.set("edits", [{ ...CUT, layers: null, heads: null }]);
		await frame();
		expect(listed(view), "by Python").toEqual(["“w5” doesn’t read “w2” in any layer"]);
	});

	test("is taken back step by step by Ctrl+Z, a switch and a removal too", async () => {
		const { model, view } = await openEvidence({ state: PINNED });
		await click(button(view, "ablate"));
		await click(button(view, "add cut"));
		await click(view.all(".edits input")[0] as HTMLElement);
		expect(model.get("edits").map(({ on }) => on)).toEqual([false, true]);
		await click(view.all(".edits li button")[1] as HTMLElement);
		await click(button(view, "clear"));
		expect(model.get("edits")).toEqual([]);
		const back = async () => {
			await press(view.one(".studies"), "z", { ctrlKey: true });
			return model.get("edits").map(({ do: what, on }) => `${what} ${on}`);
		};
		expect(await back()).toEqual(["ablate false"]);
		expect(await back()).toEqual(["ablate false", "cut true"]);
		expect(await back()).toEqual(["ablate true", "cut true"]);
		expect(await back()).toEqual(["ablate true"]);
		expect(await back()).toEqual([]);
	});

	test("of all chosen heads, each by its mean where that is chosen", async () => {
		const { model, view } = await openEvidence({ state: { ...PINNED, heads: [1, 3] } });
		await choose(view.one<HTMLSelectElement>("[name=by]"), "mean");
		expect(button(view, "ablate").textContent).toBe("+ ablate 2 heads");
		await click(button(view, "ablate"));
		expect(model.get("edits")).toEqual([1, 3].map((head) => ({ ...ABLATE, head, by: "mean" })));
		expect(listed(view)[0]).toBe("layer 1 · head 1 gives its mean over the queries (mean)");
	});

	test("isn't there twice: one that was switched off is switched on again", async () => {
		const off: EditInfo = { ...ABLATE, on: false };
		expect(withEdits([off, CUT], [ABLATE])).toEqual([ABLATE, CUT]);
		expect(withEdits([CUT], [ABLATE, { ...ABLATE, by: "mean" }])).toHaveLength(3);
	});

	test("a token that was replaced is counted in tokens; a word of several isn't replaced", async () => {
		const count = WORDS.map((_, i) => (i === 2 ? 3 : 1));
		const { model, view } = await openEvidence({
			state: { selected: [5, 5], unit: "word" },
			table: { count },
		});
		await write(view, "dog");
		await click(button(view, "replace"));
		expect(model.get("edits")).toEqual([{ ...REPLACE, position: 7 }]);
		expect(listed(view)).toEqual(["“dog” in place of “w5” (7)"]);
		model.set("selected", [2, 2]);
		await frame();
		expect(button(view, "replace").disabled).toBe(true);
		expect(button(view, "replace").title).toBe("“w2” is 3 tokens: show tokens to replace one");
	});

	test("of an encoder with a decoder only what the encoder reads is replaced", async () => {
		const kinds = { kinds: ["encoder", "decoder", "cross"], kind: "decoder" };
		const { view } = await openEvidence({ state: { selected: [5, 5] }, description: kinds });
		await write(view, "dog");
		expect(button(view, "replace").title).toContain("only what the encoder reads");
	});

	test("Enter in its field adds the token, and runs no cell", async () => {
		const { model, view } = await openEvidence({ state: PINNED });
		await write(view, "dog");
		expect(await press(view.one("[name=token]"), "Enter")).toBe(false);
		expect(model.get("edits")).toEqual([REPLACE]);
	});

	test("by segments nothing is added, and the reason is said; what is there can still be run", async () => {
		const { view } = await openEvidence({
			state: { ...PINNED, unit: "segment", edits: [ABLATE] },
		});
		expect(view.all("[name=ablate]")).toEqual([]);
		expect(view.text(".studies")).toContain("show tokens or words to choose one");
		expect(button(view, "run").disabled).toBe(false);
	});

	test("of another text or kind that isn't shown is named by its numbers", async () => {
		const edits: EditInfo[] = [
			{ ...CUT, kind: "decoder", queries: [1] },
			{ ...REPLACE, position: 40 },
		];
		const description = { kinds: ["encoder", "decoder"], kind: "encoder" };
		const { view } = await openEvidence({ state: { edits }, description });
		expect(listed(view)).toEqual([
			"token 1 doesn’t read token 2 in layer 1 · head 2 · decoder",
			"“dog” in place of token 40 (40)",
		]);
	});
});

describe("running", () => {
	test("takes a change first: the button says so", async () => {
		const { model, view } = await openEvidence();
		expect(button(view, "run").disabled).toBe(true);
		expect(view.text(".studies")).toContain("add a change first, or switch one on");
		model.set("edits", [{ ...ABLATE, on: false }]);
		await frame();
		expect(button(view, "run").disabled).toBe(true);
	});

	test("is with what is switched on, and with no more", async () => {
		const opened = await openEvidence({
			state: { edits: [ABLATE, { ...CUT, on: false }, REPLACE] },
		});
		await click(button(opened.view, "run"));
		await opened.settled();
		expect(ran(opened)).toEqual([[ABLATE, REPLACE]]);
		expect(opened.view.text(".part .effect b")).toContain("changes the output by 0.0123 nats");
	});

	test("what other changes gave is marked so; what was run before is there again at once", async () => {
		const opened = await openEvidence({ state: { edits: [ABLATE, CUT] } });
		const { view, settled } = opened;
		const first = () => view.text(".part .odds li:first-child");
		await click(button(view, "run"));
		await settled();
		const both = first();
		await click(view.all(".edits input")[1] as HTMLElement);
		expect(view.text(".studies")).toContain("With other changes; run again");
		expect(first()).toBe(both);
		await click(button(view, "run"));
		await settled();
		expect(first()).not.toBe(both);
		expect(view.text(".studies")).not.toContain("With other changes");
		await click(view.all(".edits input")[1] as HTMLElement);
		expect(first()).toBe(both);
		expect(ran(opened), "and isn't run again").toHaveLength(2);
	});

	test("looks at the output where that is chosen, for all that is run", async () => {
		const { view, asked, settled } = await openEvidence({ state: { ...PINNED, edits: [ABLATE] } });
		await choose(view.one<HTMLSelectElement>("[name=output]"), "5");
		for (const name of ["run", "cut", "sweep heads"]) {
			await click(button(view, name));
			await settled();
		}
		expect(asked("effect").map(({ at }) => at)).toEqual([5, 5]);
		expect(asked("sweep").map(({ at }) => at)).toEqual([5]);
		await choose(view.one<HTMLSelectElement>("[name=output]"), "");
		await click(button(view, "run"));
		await settled();
		expect(asked("effect").at(-1)?.at).toBeNull();
	});

	test("one edge that was cut above isn't run again where it is the only change", async () => {
		const opened = await openEvidence({ state: PINNED });
		await click(button(opened.view, "cut"));
		await opened.settled();
		await click(button(opened.view, "add cut"));
		expect(opened.view.text(".part .effect b")).toContain("changes the output");
		expect(ran(opened)).toHaveLength(1);
	});

	test("a model that gives vectors has a distance, and no bars", async () => {
		const { view, kernel, settled } = await openEvidence({ state: { edits: [ABLATE] } });
		kernel.studied = () => ({
			of: "effect",
			about: "the mean of the last hidden states",
			odds: [],
			kl: null,
			distance: 0.123456,
			said: "it changes the output by a cosine distance of 0.123",
			python: "",
			notes: [],
		});
		await click(button(view, "run"));
		await settled();
		expect(view.text(".part .effect")).toContain(
			"the mean of the last hidden states · cosine distance 0.123",
		);
		expect(view.all(".part .odds, [name=copy]")).toEqual([]);
	});

	test("scores that aren't shares, and none, are drawn within their track", async () => {
		const { view, kernel, settled } = await openEvidence({ state: { edits: [ABLATE] } });
		kernel.studied = () => ({
			of: "effect",
			about: "score",
			odds: [
				{ text: "", before: -2.5, after: 5 },
				{ text: " ", before: 0, after: 0.0001 },
			],
			kl: null,
			distance: null,
			said: "it changes the score",
			python: "",
			notes: [],
		});
		await click(button(view, "run"));
		await settled();
		expect(view.all(".odds li").map((el) => el.textContent)).toEqual([
			"no answer-2.5005.000",
			'" "0.0001e−4',
		]);
		const widths = view.all(".odds i").map((el) => Number.parseFloat(el.style.width));
		expect(widths).toEqual([50, 100, 0, 0]);
	});
});

describe("as Python", () => {
	test("it is copied, and that is said; another change is another text", async () => {
		const written: string[] = [];
		const clipboard = vi
			.spyOn(navigator.clipboard, "writeText")
			.mockImplementation(async (text) => void written.push(text));
		const { view, settled } = await openEvidence({ state: { edits: [ABLATE, CUT] } });
		await click(button(view, "run"));
		await settled();
		await click(button(view, "copy"));
		await expect.poll(() => view.text(".acts [role=status]")).toBe("copied");
		expect(written[0]).toContain("measure(traced, edits)");
		await click(view.all(".edits input")[0] as HTMLElement);
		expect(view.text(".acts [role=status]")).toBe("");
		clipboard.mockRestore();
	});

	test("where nothing may be copied it stands there to be taken by hand", async () => {
		const clipboard = vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error());
		const command = vi.spyOn(document, "execCommand").mockReturnValue(false);
		const { view, settled } = await openEvidence({ state: { edits: [ABLATE] } });
		await click(button(view, "run"));
		await settled();
		await click(button(view, "copy"));
		await expect.poll(() => view.all(".acts textarea")).toHaveLength(1);
		expect(view.one<HTMLTextAreaElement>(".acts textarea").value).toContain(
			"measure(traced, edits)",
		);
		for (const spy of [clipboard, command]) spy.mockRestore();
	});
});

test("the space bar switches a change, by its own name", async () => {
	const { model, view } = await openEvidence({ state: { edits: [ABLATE] } });
	const box = view.one<HTMLInputElement>(".edits input");
	expect(box.ariaLabel).toBe("layer 1 · head 2 gives nothing (zero)");
	box.focus();
	await userEvent.keyboard(" ");
	await frame();
	expect(model.get("edits")).toEqual([{ ...ABLATE, on: false }]);
	expect(view.root.activeElement).toBe(view.one(".edits input"));
});
