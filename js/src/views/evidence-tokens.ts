import type { TokenTable, Unit } from "../protocol.gen";
import { short } from "../ui/words";

const known = new WeakMap<TokenTable, readonly number[]>();

/** Of each that is shown the first of the tokenizer's tokens that it stands for, and how many there are. */
function startsOf(table: TokenTable): readonly number[] {
	const found = known.get(table);
	if (found) return found;
	let next = 0;
	const starts = table.text.map((_, i) => {
		const start = next;
		next += table.count[i] ?? 1;
		return start;
	});
	starts.push(next);
	known.set(table, starts);
	return starts;
}

/** The tokenizer's tokens that some words or segments stand for. */
export function tokensOf(table: TokenTable, shown: readonly number[]): number[] {
	const starts = startsOf(table);
	return shown.flatMap((index) => {
		const [start = 0, stop = start] = [starts[index], starts[index + 1]];
		return Array.from({ length: stop - start }, (_, i) => start + i);
	});
}

/** What of all that is shown holds one of the tokenizer's tokens; undefined where nothing does. */
export function holderOf(table: TokenTable, token: number): number | undefined {
	const starts = startsOf(table);
	const after = starts.findIndex((start) => start > token);
	return after < 1 ? undefined : after - 1;
}

/** What some of the tokenizer's tokens are called, by the words that hold them. */
export function tokensText(table: TokenTable, tokens: readonly number[]): string {
	const names = tokens.map((token) => {
		const holder = holderOf(table, token);
		return holder === undefined ? `token ${token}` : quoted(table, holder);
	});
	return several([...new Set(names)]);
}

export function quoted(table: TokenTable, index: number): string {
	return `“${short(table, index)}”`;
}

const NAMED = 3;

/** Names in words: a few of them, and how many more. */
export function several(names: readonly string[]): string {
	if (names.length <= NAMED) return names.join(", ");
	return `${names.slice(0, NAMED - 1).join(", ")} and ${names.length - NAMED + 1} more`;
}

/** One side of a page: what is counted there, and in what. */
export interface Side {
	readonly table: TokenTable;
	readonly unit: Unit;
}

/** The same tokens on another page, as far as they are there: by their texts, in either unit. */
export function carried(indices: readonly number[], was: Side, now: Side): number[] {
	const [before, after] = [was.table, now.table];
	const found = indices.flatMap((index) => {
		const text = before.text[index] ?? "";
		const places = was.unit === now.unit ? [index] : holdersOf(after, tokensOf(before, [index]));
		return places.filter((place) => {
			const there = after.text[place];
			if (there === undefined) return false;
			// A word holds the text of its pieces.
			return was.unit === now.unit ? there === text : there.includes(text) || text.includes(there);
		});
	});
	return [...new Set(found)];
}

function holdersOf(table: TokenTable, tokens: readonly number[]): number[] {
	return tokens.flatMap((token) => holderOf(table, token) ?? []);
}
