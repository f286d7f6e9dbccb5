import { expect, test } from "vitest";
import { choose, frame, hover } from "./events";
import { descriptionOf, mount, numbered, softmaxWeights } from "./host";
import { rowOf } from "./weights";

const CROSS = softmaxWeights(2, 3, 5, 7);
const ENCODER = softmaxWeights(4, 2, 7, 7);
const KINDS = { kinds: ["cross", "encoder"] };

test("choosing a kind shows its shape, tokens and numbers, and asks for that kind only", async () => {
	const { model, kernel, open } = mount(CROSS, numbered(5, "query"), {
		keyWords: numbered(7, "key"),
		description: { ...KINDS, kind: "cross", shown: "cross" },
		state: { kind: "cross", layer: 1 },
	});
	const view = await open();
	expect(view.all(".tokens")).toHaveLength(2);
	const listeners = model.listenerCount();
	await choose(view.one<HTMLSelectElement>("select[aria-label='kind of attention']"), "encoder");
	expect(model.get("kind")).toBe("encoder");
	// What Python does then: one update with all that changes.
	kernel.show(ENCODER, numbered(7, "token"), null);
	model.set("layer", 0);
	model.set("_description", {
		...descriptionOf(ENCODER, true),
		...KINDS,
		kind: "encoder",
		shown: "encoder",
	});
	const root = () => (view.el.firstElementChild as HTMLElement).shadowRoot as ShadowRoot;
	const all = (selector: string) => [...root().querySelectorAll<HTMLElement>(selector)];
	await expect.poll(() => all(".token").map((el) => el.textContent)).toEqual(numbered(7, "token"));
	expect(view.el.childElementCount).toBe(1);
	expect(all("select[aria-label=layer] option")).toHaveLength(4);
	await hover(all(".token")[4] as HTMLElement);
	const strongest = Math.max(...rowOf(ENCODER, 0, 0, 4)).toFixed(4);
	await expect.poll(() => all(".readout").map((el) => el.textContent)[0]).toContain(strongest);
	const shown = kernel.requests.map((request) => request.shown);
	expect(new Set(shown)).toEqual(new Set(["cross", "encoder"]));
	expect(shown.lastIndexOf("cross")).toBeLessThan(shown.indexOf("encoder"));
	expect(model.listenerCount()).toBe(listeners);
});

test("with one kind there is nothing to choose; what was checked says how well", async () => {
	const check = { worst: 3.2e-7, tolerance: 1e-4, ok: true };
	const { model, open } = mount(ENCODER, numbered(7), { description: { check } });
	const view = await open();
	expect(view.all("select[aria-label='kind of attention']")).toEqual([]);
	expect(view.text(".check")).toBe("checked to 3e-7");
	model.set("_description", {
		...descriptionOf(ENCODER, true),
		kind: "other",
		shown: "other",
		check: { worst: 0.25, tolerance: 1e-4, ok: false },
	});
	await frame();
	const root = (view.el.firstElementChild as HTMLElement).shadowRoot as ShadowRoot;
	await expect
		.poll(() => root.querySelector(".check.failed")?.textContent)
		.toContain("off by 3e-1");
});
