import { describe, expect, test } from "vitest";
import type { TokenTable } from "../src/protocol.gen";
import { lineOf, linesBetween, type Measure, typeset } from "../src/views/typeset";
import { mount, numbered } from "./host";
import { tokenTable, weightsOf } from "./weights";

/** Ten pixels a letter, and a space. */
function measureOf(table: TokenTable): Measure {
	return { token: (i) => 10 * [...(table.text[i] ?? "")].length, gap: (gap) => 10 * gap.length };
}

function linesOf(words: readonly string[], gaps: readonly string[], width: number): string[] {
	const table: TokenTable = { ...tokenTable(words), gap: gaps };
	return typeset(table, width, measureOf(table)).map(({ first, last }) =>
		words.slice(first, last).join("|"),
	);
}

describe("typesetting", () => {
	test("keeps the pieces of a word on one line", () => {
		const lines = linesOf(["the", "un", "believ", "able", "cat"], ["", " ", "", "", " "], 150);
		expect(lines).toEqual(["the", "un|believ|able", "cat"]);
	});

	test("breaks between Chinese signs, which have no spaces", () => {
		expect(linesOf(["猫", "坐", "在", "垫", "子"], ["", "", "", "", ""], 20)).toEqual([
			"猫|坐",
			"在|垫",
			"子",
		]);
	});

	test("keeps line breaks as written, an empty line too", () => {
		const table: TokenTable = { ...tokenTable(["a", "b", "c"]), gap: ["", "\n", "\n\n  "] };
		expect(typeset(table, 100, measureOf(table)).map(({ first, row }) => [first, row])).toEqual([
			[0, 0],
			[1, 1],
			[2, 3],
		]);
	});

	test("gives a token wider than the page the rows that it needs, and what follows a line below", () => {
		const table: TokenTable = { ...tokenTable(["a", "x".repeat(25), "b"]), gap: ["", " ", " "] };
		const lines = typeset(table, 100, measureOf(table));
		expect(lines.map(({ first, row, rows }) => [first, row, rows])).toEqual([
			[0, 0, 1],
			[1, 1, 3],
			[2, 4, 1],
		]);
	});

	test("loses and repeats no token, whatever the width", () => {
		const table = tokenTable(numbered(317));
		for (const width of [1, 55, 300, 1e6]) {
			const lines = typeset(table, width, measureOf(table));
			expect(lines.flatMap(({ first, last }) => [...table.text.slice(first, last)])).toEqual(
				table.text,
			);
		}
	});

	test("finds the lines in view as a scan would", () => {
		const table: TokenTable = {
			...tokenTable(["a", "x".repeat(35), "b", "c"]),
			gap: ["", " ", "\n", "\n"],
		};
		const lines = typeset(table, 100, measureOf(table));
		for (let top = -1; top < 9; top++)
			for (let bottom = top + 0.5; bottom < 10; bottom++)
				expect(linesBetween(lines, top, bottom)).toEqual(
					lines.filter(({ row, rows }) => row + rows > top && row < bottom),
				);
		expect(lineOf(lines, 2)).toBe(lines[2]);
	});
});

test("of 20,000 tokens only those in view are in the document, also after scrolling", async () => {
	const n = 20_000;
	const weights = weightsOf([1, 1, n, n], (_, __, q, k) => (q === k ? 1 : 0));
	const { open, model } = mount(weights, numbered(n), { state: { view: ["text"] } });
	const view = await open();
	expect(view.all(".token").length).toBeLessThan(600);
	model.set("selected", [15_000, 15_000]);
	await expect
		.poll(() => view.all(".token.pinned").map((el) => el.dataset.token))
		.toEqual(["15000"]);
	expect(view.all(".token").length).toBeLessThan(600);
	const page = view.one(".tokens").getBoundingClientRect();
	const pinned = view.one(".token.pinned").getBoundingClientRect();
	expect(pinned.top).toBeGreaterThanOrEqual(page.top - 1);
	expect(pinned.bottom).toBeLessThanOrEqual(page.bottom + 1);
});
