import { describe, expect, test } from "vitest";
import type { Pointer } from "../src/protocol.gen";
import { click, frame, hover } from "./events";
import { mount, type Shown, softmaxWeights } from "./host";

describe("tokens of any kind are text", () => {
	const NASTY = [
		"<script>window.ranScript = true</script>",
		'<img src=x onerror="window.ranImage = true">',
		"שלום",
		"👩‍👩‍👧‍👦",
		"x".repeat(200),
		"\"&amp;'",
		"\u202eevil",
	];
	const weights = softmaxWeights(1, 2, NASTY.length, NASTY.length);

	test.each([700, 1100])("at %d px: shown, not run, and no wider than the host", async (width) => {
		const { model, open } = mount(weights, NASTY, { state: { top_mass: 1 } });
		const view = await open(width);
		expect(view.all(".token").map((token) => token.textContent)).toEqual(NASTY);
		await hover(view.token(0));
		await click(view.token(1));
		expect(view.all(".readout script, .readout img, .panes script, .panes img, .text img")).toEqual(
			[],
		);
		expect(view.all("script, img")).toEqual([]);
		expect(view.all(".key .label").map((label) => label.textContent)).toEqual(NASTY);
		expect(window).not.toHaveProperty("ranScript");
		expect(window).not.toHaveProperty("ranImage");
		for (let token = 0; token < NASTY.length; token++) {
			model.set("hovered", [token, token] satisfies Pointer);
			await frame();
			expectNoWiderThan(view, width);
		}
	});

	test("what is invisible is shown as a sign, and has a name", async () => {
		const words = ["\n", " ", "\t", "", "a\nb"];
		const { open } = mount(softmaxWeights(1, 1, 5, 5), words);
		const view = await open();
		expect(view.all(".token").map((token) => token.textContent)).toEqual([
			"⏎",
			"␣",
			"⇥",
			"∅",
			"a\nb",
		]);
		for (const token of view.all(".token")) {
			expect(token.getBoundingClientRect().width).toBeGreaterThan(4);
			expect(token.ariaLabel).toMatch(/\S, position \d/);
		}
	});

	test("a right-to-left text runs from right to left", async () => {
		const { open } = mount(softmaxWeights(1, 1, 4, 4), ["[CLS]", "שלום", "עולם", "[SEP]"]);
		const view = await open();
		const [first, second] = [view.token(1), view.token(2)].map((t) => t.getBoundingClientRect());
		expect(first?.left).toBeGreaterThan(second?.right as number);
	});
});

function expectNoWiderThan(view: Shown, width: number): void {
	const edge = view.el.getBoundingClientRect().left + width;
	for (const el of view.all("*")) {
		if (getComputedStyle(el).overflow === "hidden" || el.closest(".row")) continue;
		expect(el.getBoundingClientRect().right, el.className).toBeLessThanOrEqual(edge + 1);
	}
	expect(view.one(".explorer").scrollWidth).toBeLessThanOrEqual(width);
}
