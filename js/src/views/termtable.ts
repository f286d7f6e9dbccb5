import { linesFor, numberAt } from "../draw/vectors";
import type { TermsInfo } from "../protocol.gen";
import type { KeyTerms } from "../source/terms";
import { make } from "../ui/dom";
import { columnsOf, numberText, weightOf } from "./terms";

/** The height of a row, and of the strips in it, in CSS pixels. */
export const ROW = 24;
const STRIP = 16;
const GAP = 12;
const WIDEST_CELL = 8;
const WIDE = 800;

/** Where the columns lie; `lefts` are those of the keys' strips and of the products'. */
export interface Layout {
	readonly template: string;
	readonly lefts: readonly [number, number];
	readonly strip: number;
	/** A strip that would have cells below a pixel takes several lines. */
	readonly lines: number;
}

export function layoutOf(width: number, info: TermsInfo): Layout {
	const { size } = info;
	const count = columnsOf(info).length;
	const [label, number, weight] = width > WIDE ? [150, 76, 150] : [84, 58, 128];
	const room = Math.max(32, (width - label - weight - count * number - (count + 3) * GAP) / 2);
	const cell = Math.min(WIDEST_CELL, room / size);
	const lines = linesFor(size, room);
	const strip = lines > 1 ? room : size * (cell >= 3 ? Math.floor(cell) : cell);
	return {
		template: `${label}px ${strip}px ${strip}px repeat(${count}, ${number}px) 1fr`,
		lefts: [label + GAP, label + strip + 2 * GAP],
		strip,
		lines,
	};
}

/** Where a strip of a row lies whose upper edge is at `y`. */
export function stripBox({ lefts, strip }: Layout, column: 0 | 1, y: number) {
	return [lefts[column], y + (ROW - STRIP) / 2, strip, STRIP] as const;
}

/** The dimension whose cell is at a place of a row, in either strip. */
export function dimensionAt(
	layout: Layout,
	size: number,
	x: number,
	y: number,
): number | undefined {
	for (const column of [0, 1] as const) {
		const [left, top, width, height] = stripBox(layout, column, 0);
		const at = numberAt(size, layout.lines, (x - left) / width, (y - top) / height);
		if (at !== undefined) return at;
	}
	return undefined;
}

/** The query, the columns' names, and the sink where the head has one. */
export function topRows(query: string, info: TermsInfo, scale: number): HTMLElement[] {
	const columns = columnsOf(info);
	const names = columns.map(({ name }) => name);
	const weight = `exp(score − ${numberText(info.log_sum)})\n= weight`;
	const rows = [
		rowOf("asks", [query, "", "query q"]),
		rowOf("head", ["key", "k", "q × k", ...names, weight]),
	];
	if (info.sink === null) return rows;
	const steps = columns.map((_, i) => (i + 1 < columns.length ? "" : numberText(info.sink ?? 0)));
	const sink = rowOf("", ["sink", "learned, no key", "", ...steps]);
	sink.append(weightCell(weightOf(info, info.sink), scale));
	return [...rows, sink];
}

/** A key with its score step by step; `term` is missing until it is here. */
export function keyRow(
	key: string,
	info: TermsInfo,
	term: KeyTerms | undefined,
	later: boolean,
	scale: number,
): HTMLElement {
	const row = rowOf("", [key, "", ""]);
	if (term && term.score > -Infinity)
		row.append(...columnsOf(info).map(({ of }) => make("span", {}, numberText(of(term)))));
	else {
		const says = later ? "not readable: later" : "not readable: masked";
		row.append(make("span", { class: "said" }, term ? says : "…"));
	}
	if (term) row.append(weightCell(weightOf(info, term.score), scale));
	return row;
}

function rowOf(name: string, cells: readonly string[]): HTMLElement {
	const spans = cells.map((text) => make("span", { dir: "auto" }, text));
	return make("div", { class: `term ${name}` }, ...spans);
}

function weightCell(weight: number, scale: number): HTMLElement {
	const bar = make("i");
	bar.style.width = `${Math.min(100, (100 * weight) / scale).toFixed(2)}%`;
	return make("span", { class: "weight" }, bar, weight.toFixed(4));
}
