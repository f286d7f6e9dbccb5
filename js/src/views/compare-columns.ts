import type { RoleInfo, TokenTable } from "../protocol.gen";

/** What stands above each other in two texts: a token of each, or of one alone. */
export interface Column {
	readonly ends: readonly [first: number | null, second: number | null];
	/** Which token of the difference it is; null where nothing stands opposite. */
	readonly shared: number | null;
	readonly changed: boolean;
}

/** A line of both texts: its columns from the first to one past the last. */
export interface GlossLine {
	readonly first: number;
	readonly stop: number;
}

/** Both texts, column by column: what only one has stands between what both have. */
export function columnsOf({ tables, pairs, changed }: RoleInfo): Column[] {
	const columns: Column[] = [];
	const next = [0, 0];
	const alone = (side: 0 | 1, stop: number) => {
		for (let at = next[side] as number; at < stop; at++) {
			const ends = side === 0 ? ([at, null] as const) : ([null, at] as const);
			columns.push({ ends, shared: null, changed: false });
		}
		next[side] = stop + 1;
	};
	for (const [shared, ends] of pairs.entries()) {
		for (const side of [0, 1] as const) alone(side, ends[side]);
		columns.push({ ends, shared, changed: changed[shared] === true });
	}
	for (const side of [0, 1] as const) alone(side, tables[side].text.length);
	return columns;
}

/** Whether a column goes on with the word of the one before it, in every text that both have. */
export function joins({ tables }: RoleInfo, before: Column | undefined, here: Column): boolean {
	if (!before) return false;
	const met = ([0, 1] as const).filter(
		(side) => before.ends[side] !== null && here.ends[side] !== null,
	);
	return met.length > 0 && met.every((side) => touches(tables[side], here.ends[side] as number));
}

function touches({ gap, special }: TokenTable, index: number): boolean {
	return gap[index] === "" && !special[index] && !special[index - 1];
}

/** Break columns into lines of a width: before a word where one begins on the line, else anywhere. */
export function linesOf(
	widths: readonly number[],
	joined: readonly boolean[],
	width: number,
): GlossLine[] {
	const lines: GlossLine[] = [];
	let first = 0;
	let word = 0;
	let x = 0;
	for (const [at, own] of widths.entries()) {
		if (!joined[at]) word = at;
		if (at > first && x + own > width) {
			const stop = word > first ? word : at;
			lines.push({ first, stop });
			first = stop;
			x = widths.slice(first, at).reduce((sum, other) => sum + other, 0);
		}
		x += own;
	}
	if (widths.length) lines.push({ first, stop: widths.length });
	return lines;
}
