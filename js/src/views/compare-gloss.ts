import { pinsOf } from "../pins";
import type { Pointer, RoleInfo } from "../protocol.gen";
import { handled, isEnter, make, withModifier } from "../ui/dom";
import { directionOf, shown } from "../ui/words";
import type { Case } from "./compare-case";
import { type Column, columnsOf, type GlossLine, joins, linesOf } from "./compare-columns";
import { type Cell, lookOf, type Role } from "./compare-look";
import type { Actions } from "./view";

const NAMES: Readonly<Record<Role, string>> = {
	both: "tokens",
	query: "tokens that read (queries)",
	key: "tokens that are read (keys)",
};

/** Numbers stand under the tokens of texts that a person takes in at a glance. */
const SHORT_UP_TO = 80;

/** In CSS pixels, as in the style sheet: of a line, of the names before it, of a column. */
const HEIGHT = { short: 142, long: 80 } as const;
const GUTTER = 72;
const LEAST = { short: 34, long: 10 } as const;
const SPACE = 6;
const SPARE = 2;

interface Shown {
	readonly el: HTMLElement;
	readonly cells: readonly Cell[];
}

/**
 * Both texts line by line, one above the other, so that what stands opposite each other stands in one
 * column; and under them by how much what is read differs.
 */
export function gloss(
	info: RoleInfo,
	role: Role,
	names: Case["names"],
	actions: Actions,
	signal: AbortSignal,
) {
	const columns = columnsOf(info);
	const joined = columns.map((column, at) => joins(info, columns[at - 1], column));
	const places = columns.flatMap(({ shared }, at) => (shared === null ? [] : [at]));
	const size = columns.length > SHORT_UP_TO ? "long" : "short";
	const height = HEIGHT[size];
	const page = make("div", { class: "gloss-page" });
	const el = make(
		"div",
		{
			class: `gloss ${size}`,
			dir: directionOf(info.tables[1]),
			role: "listbox",
			"aria-label": `${NAMES[role]} of ${names[0]} above those of ${names[1]}; arrow keys move, Enter pins, Escape releases`,
		},
		page,
	);
	const inDocument = new Map<number, Shown>();
	let lines: readonly GlossLine[] = [];
	let widths: readonly number[] = [];
	let width = 0;
	let view = { top: 0, height: 0 };
	let setFor = 0;
	let stop = places[0] ?? 0;
	let followed: number | null = null;

	const pointerAt = (at: number): Pointer | null => {
		const shared = columns[at]?.shared ?? null;
		return shared === null
			? null
			: [role === "key" ? null : shared, role === "query" ? null : shared];
	};
	const onColumn = (name: string, act: (at: number, event: Event) => void) =>
		el.addEventListener(
			name,
			(event) => {
				const column = (event.target as HTMLElement).closest<HTMLElement>("[data-column]");
				if (column) act(Number(column.dataset.column), event);
			},
			{ signal },
		);
	onColumn("pointerover", (at) => actions.hover(pointerAt(at), "token"));
	onColumn("click", (at, event) => {
		const pointer = pointerAt(at);
		if (pointer) actions.pin(pointer, (event as MouseEvent).shiftKey);
	});
	onColumn("focusin", (at, event) => {
		moveStop(at);
		if ((event.target as HTMLElement).matches(":focus-visible"))
			actions.hover(pointerAt(at), "token");
	});
	onColumn("keydown", (at, event) => onKey(event as KeyboardEvent, at));
	el.addEventListener("pointerleave", () => actions.hover(null, "token"), { signal });
	el.addEventListener("scroll", actions.redraw, { signal });

	function onKey(event: KeyboardEvent, at: number): void {
		if (withModifier(event) && !isEnter(event)) return;
		const pointer = pointerAt(at);
		if (pointer && (event.key === "Enter" || event.key === " "))
			actions.pin(pointer, event.shiftKey);
		else {
			const step = stepOf(event.key, el.dir === "rtl");
			if (step === 0) return;
			const to = places[Math.max(0, Math.min(places.length - 1, places.indexOf(at) + step))];
			if (to !== undefined) focus(to);
		}
		handled(event);
	}

	function focus(at: number): void {
		scrollTo(at);
		moveStop(at);
		fill();
		cellAt(at)?.el.focus({ preventScroll: true, focusVisible: true } as FocusOptions);
	}

	function moveStop(at: number): void {
		for (const [of, tabIndex] of [
			[stop, -1],
			[at, 0],
		] as const) {
			const cell = cellAt(of);
			if (cell) cell.el.tabIndex = tabIndex;
		}
		stop = at;
	}

	function cellAt(at: number): Cell | undefined {
		const line = lineOf(at);
		return inDocument.get(line)?.cells[at - (lines[line]?.first ?? 0)];
	}

	function lineOf(at: number): number {
		return lines.findIndex(({ first, stop }) => at >= first && at < stop);
	}

	function scrollTo(at: number): void {
		const [from, to] = [lineOf(at) * height, (lineOf(at) + 1) * height];
		if (from >= view.top && to <= view.top + view.height) return;
		el.scrollTop = Math.max(0, from < view.top ? from : to - view.height);
		view = { ...view, top: el.scrollTop };
	}

	function setLines(): void {
		setFor = width;
		widths = widthsOf(info, columns, joined, size, getComputedStyle(el));
		lines = linesOf(widths, joined, Math.max(1, width - GUTTER));
		page.style.height = `${lines.length * height}px`;
		for (const { el: line } of inDocument.values()) line.remove();
		inDocument.clear();
		view = { top: el.scrollTop, height: el.clientHeight };
	}

	/** Bring the lines in view into the document, and the one that has the tab stop. */
	function fill(): void {
		const first = Math.max(0, Math.floor(view.top / height) - SPARE);
		const last = Math.min(lines.length, Math.ceil((view.top + view.height) / height) + SPARE);
		const wanted = new Set(Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i));
		if (lines.length) wanted.add(Math.max(0, lineOf(stop)));
		for (const [line, { el: out }] of inDocument)
			if (!wanted.has(line)) {
				out.remove();
				inDocument.delete(line);
			}
		const missing = [...wanted].filter((line) => !inDocument.has(line));
		for (const line of missing) inDocument.set(line, setLine(line));
		if (missing.length)
			page.append(...[...inDocument].sort(([a], [b]) => a - b).map(([, { el: line }]) => line));
	}

	function setLine(number: number): Shown {
		const line = lines[number] as GlossLine;
		const cells = columns
			.slice(line.first, line.stop)
			.map((column, i) => cellOf(column, line.first + i));
		const labels = [...names, "difference"].map((name) => make("span", { title: name }, name));
		const gutter = make("div", { class: "gutter", "aria-hidden": "true" }, ...labels);
		const el = make(
			"div",
			{ class: "gloss-line", role: "presentation" },
			gutter,
			...cells.map((cell) => cell.el),
		);
		el.style.top = `${number * height}px`;
		return { el, cells };
	}

	function cellOf(column: Column, at: number): Cell {
		const { ends, shared, changed } = column;
		const texts = ([0, 1] as const).map((side) => {
			const index = ends[side];
			if (index === null) return null;
			const table = info.tables[side];
			const special = table.special[index] ? " special" : "";
			return make("span", { class: `token${special}`, dir: "auto" }, shown(table, index));
		}) as [HTMLElement | null, HTMLElement | null];
		const bar = make("i");
		const number = make("span", { class: "by", "aria-hidden": "true" });
		// The name says what these show.
		const seen = { "aria-hidden": "true" } as const;
		const rows = texts.map((text) => make("span", { class: "of", ...seen }, text ?? "·"));
		const kind = shared === null ? "alone" : changed ? "changed" : "";
		const el = make(
			"div",
			{
				class: `opposite ${kind}${joined[at] ? " joined" : ""}`,
				role: "option",
				"data-column": at,
				tabindex: at === stop ? 0 : -1,
			},
			make("span", { class: "unseen" }, nameOf(column)),
			...rows,
			make("span", { class: "delta", ...seen }, bar),
			number,
		);
		if (shared === null) el.ariaDisabled = "true";
		el.style.width = `${widths[at]}px`;
		return { el, texts, bar, number, drawn: "" };
	}

	function nameOf({ ends, shared, changed }: Column): string {
		const [before, after] = ([0, 1] as const).map((side) =>
			ends[side] === null ? "" : shown(info.tables[side], ends[side]),
		);
		if (shared === null) return `${before || after}, only in ${before ? names[0] : names[1]}`;
		return `${changed ? `${before}, changed to ${after}` : after}, position ${shared}`;
	}

	function update(now: Case): void {
		if (width === 0) return;
		if (width !== setFor) setLines();
		const pinned = pinsOf(now.scene.state)[0]?.[role === "key" ? 1 : 0] ?? null;
		if (pinned !== null && pinned !== followed) scrollTo(places[pinned] ?? 0);
		followed = pinned;
		fill();
		const look = lookOf(now, role, size === "short");
		for (const [line, { cells }] of inDocument)
			for (const [i, cell] of cells.entries())
				look(columns[(lines[line]?.first ?? 0) + i] as Column, cell);
	}

	return {
		el,
		measure() {
			width = page.clientWidth;
			view = { top: el.scrollTop, height: el.clientHeight };
		},
		update,
	};
}

function stepOf(key: string, rtl: boolean): number {
	if (key === "ArrowDown") return 1;
	if (key === "ArrowUp") return -1;
	if (key === "ArrowRight") return rtl ? -1 : 1;
	return key === "ArrowLeft" ? (rtl ? 1 : -1) : 0;
}

/** How wide columns are: as the wider of their tokens, by the canvas, which needs no document. */
function widthsOf(
	{ tables }: RoleInfo,
	columns: readonly Column[],
	joined: readonly boolean[],
	size: "short" | "long",
	style: CSSStyleDeclaration,
): number[] {
	const context = new OffscreenCanvas(1, 1).getContext("2d");
	if (context) context.font = `${style.fontSize} ${style.fontFamily}`;
	const known = new Map<string, number>();
	const widthOf = (text: string) => {
		const width = known.get(text) ?? context?.measureText(text).width ?? 0;
		known.set(text, width);
		return width;
	};
	return columns.map(({ ends }, at) => {
		const texts = ends.map((index, side) =>
			index === null ? 0 : widthOf(shown(tables[side as 0 | 1], index)),
		);
		const space = joined[at + 1] ? 0 : SPACE;
		return Math.ceil(Math.max(LEAST[size], ...texts) + 2 + space);
	});
}
