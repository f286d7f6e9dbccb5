import { expect, test } from "vitest";
import { sideOf } from "../src/atlas/axes";
import { piecesOf, tokenText } from "../src/atlas/sentence";

function textOf(tokens: readonly string[], added: readonly number[] = []) {
	return {
		tokens,
		gaps: tokens.map((_, i) => (i > 0 && !added.includes(i) && !added.includes(i - 1) ? " " : "")),
		special: tokens.map((_, i) => added.includes(i)),
	};
}

const said = (pieces: ReturnType<typeof piecesOf>) => pieces.map(({ text }) => text).join("");

test("a long text is cut around its two marked tokens, wherever they are", () => {
	const tokens = Array.from({ length: 100 }, (_, i) => `w${i}`);
	const pieces = piecesOf(textOf(tokens), { query: 80, key: 10 }, 2);
	expect(said(pieces)).toBe(" …  w8 w9 w10 w11 w12 …  w78 w79 w80 w81 w82 … ");
	expect(pieces.find(({ role }) => role === "query")?.text).toBe("w80");
	expect(pieces.find(({ role }) => role === "key")?.text).toBe("w10");
});

test("what reads itself is marked once, as both", () => {
	const pieces = piecesOf(textOf(["a", "b", "c"]), { query: 1, key: 1 });
	expect(pieces.map(({ text, role }) => [text, role])).toEqual([
		["a ", ""],
		["b", "both"],
		[" c", ""],
	]);
});

test("what the tokenizer added stands aside and apart", () => {
	const pieces = piecesOf(textOf(["[CLS]", "a", "[SEP]"], [0, 2]), { query: 1, key: null });
	expect(said(pieces)).toBe("[CLS] a [SEP]");
	expect(pieces.filter(({ role }) => role === "aside").map(({ text }) => text)).toEqual([
		"[CLS]",
		"[SEP]",
	]);
});

test("an invisible token is shown as a sign where it is marked", () => {
	const pieces = piecesOf(textOf(["a", "\n", "b"]), { query: 2, key: 1 });
	expect(pieces.find(({ role }) => role === "key")?.text).toBe("⏎");
});

test("a side begins at 0 only where its numbers come near it", () => {
	const near = sideOf([0.1, 0.9], 0, 100);
	expect(near.ticks[0]).toBe(0);
	const far = sideOf([7.1, 7.9, Number.NaN], 0, 100);
	expect(far.ticks[0]).toBeGreaterThan(7);
	expect(far.at(7.1)).toBeGreaterThan(0);
	expect(far.at(7.9)).toBeLessThan(100);
});

test("of a text that isn't known no token is named", () => {
	expect(tokenText(undefined, 3)).toBe("");
	expect(tokenText(textOf(["a"]), 3)).toBe("");
	expect(tokenText(textOf([" "]), 0)).toBe("␣");
});
