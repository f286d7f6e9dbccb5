import type { TokenTable } from "../protocol.gen";
import { shown } from "../ui/words";

/** One line of running text: a range of tokens, and where it stands in units of a row. */
export interface TextLine {
	readonly first: number;
	/** One past its last token. */
	readonly last: number;
	readonly row: number;
	/** More than one where a single token is wider than the page. */
	readonly rows: number;
}

/** The width of a token with its padding, or of the white space before it, in CSS pixels. */
export interface Measure {
	token(index: number): number;
	gap(text: string): number;
}

const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/** Whether a line may break before a token: at white space, and between signs that need none. */
function breaksBefore(table: TokenTable, index: number): boolean {
	const gap = table.gap[index] ?? "";
	if (gap !== "" || table.special[index] || table.special[index - 1]) return true;
	return CJK.test(shown(table, index)) || CJK.test(shown(table, index - 1));
}

/**
 * Break tokens, or a range of them, into lines of a width, as written: words stay whole, line
 * breaks are kept.
 *
 * By hand, since a browser can only break what is in the document, and of a long text almost
 * nothing is.
 */
export function typeset(
	table: TokenTable,
	width: number,
	measure: Measure,
	[from, count]: readonly [number, number] = [0, table.text.length],
): TextLine[] {
	const lines: TextLine[] = [];
	let row = 0;
	let first = from;
	let x = 0;
	const end = (last: number) => {
		const rows = Math.max(1, Math.ceil(x / width));
		if (last > first) lines.push({ first, last, row, rows });
		row += last > first ? rows : 1;
		first = last;
		x = 0;
	};
	for (let start = from; start < count; ) {
		let stop = start + 1;
		while (stop < count && !breaksBefore(table, stop)) stop++;
		const breaks = (table.gap[start] ?? "").split("\n");
		for (let i = 1; i < breaks.length && start > from; i++) end(start);
		const space = x === 0 ? 0 : measure.gap(breaks.at(-1) ?? "");
		const widths = Array.from({ length: stop - start }, (_, i) => measure.token(start + i));
		const word = widths.reduce((sum, w) => sum + w, 0);
		if (x > 0 && x + space + word > width) end(start);
		else x += space;
		for (const [i, w] of widths.entries()) {
			if (x > 0 && x + w > width) end(start + i);
			x += w;
		}
		start = stop;
	}
	end(count);
	return lines;
}

/** The lines of which some row is between two heights, in rows. */
export function linesBetween(
	lines: readonly TextLine[],
	top: number,
	bottom: number,
): readonly TextLine[] {
	let low = 0;
	let high = lines.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		const line = lines[middle] as TextLine;
		if (line.row + line.rows <= top) low = middle + 1;
		else high = middle;
	}
	let last = low;
	while (last < lines.length && (lines[last] as TextLine).row < bottom) last++;
	return lines.slice(low, last);
}

export function lineOf(lines: readonly TextLine[], token: number): TextLine | undefined {
	return lines.find(({ first, last }) => token >= first && token < last);
}
