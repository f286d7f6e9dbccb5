import { pinnedIn, pinsOf } from "../pins";
import type { Pointer, TokenTable } from "../protocol.gen";
import type { Scene } from "../scene";
import { handled, isEnter, make, withModifier } from "../ui/dom";
import { directionOf, shown } from "../ui/words";
import type { Finder } from "./find";
import {
	applyLook,
	type Fill,
	fillOf,
	type Look,
	looksOf,
	NUMBERS_UP_TO,
	noLook,
	type Role,
} from "./look";
import { minimap } from "./minimap";
import { lineOf, linesBetween, type Measure, type TextLine, typeset } from "./typeset";
import type { Actions, View } from "./view";

const NAMES: Readonly<Record<Role, string>> = {
	both: "tokens",
	query: "tokens that read (queries)",
	key: "tokens that are read (keys)",
};

/** Heights in CSS pixels; a short text has room for numbers under its tokens. */
const ROW = { short: 44, long: 28 } as const;
const ROWS_SHOWN = { short: 6, long: 10 } as const;
/** Lines kept ready above and below those in view. */
const SPARE = 4;
/** What a token has on each side that is free, as in the style sheet. */
const PADDING = 2;
const SPECIAL_MARGIN = 8;
const SPECIAL_SCALE = 0.78;

interface Shown {
	readonly el: HTMLElement;
	readonly spans: readonly HTMLElement[];
	readonly looks: readonly Look[];
}

/** A range of a side's tokens that a page shows, and what it makes of them. */
export interface Part {
	readonly tokens: readonly [first: number, stop: number];
	readonly name: string;
	fill(scene: Scene): Fill | undefined;
	looks(scene: Scene, marks: Uint8Array | undefined): (token: number) => Look;
	/** A token to be in view from when it is first named. */
	follows(scene: Scene): number | null;
}

function wholeOf(table: TokenTable, role: Role): Part {
	const { length } = table.text;
	return {
		tokens: [0, length],
		name: NAMES[role],
		fill: (scene) => fillOf(scene, role),
		looks: (scene, marks) => looksOf(scene, role, length, marks),
		follows: () => null,
	};
}

/** One side's tokens; only the lines in view are in the document. */
export function tokenPage(
	table: TokenTable,
	role: Role,
	actions: Actions,
	finder: Finder,
	signal: AbortSignal,
	part = wholeOf(table, role),
): View {
	const [begin, stop] = part.tokens;
	const size = stop - begin > NUMBERS_UP_TO ? "long" : "short";
	const row = ROW[size];
	const page = make("div", { class: "page" });
	const el = make(
		"div",
		{
			class: `tokens ${size}`,
			dir: directionOf(table, part.tokens),
			role: "listbox",
			"aria-label": `${part.name}; arrow keys move, Enter pins, Escape releases`,
		},
		page,
	);
	const goTo = (share: number) => {
		el.scrollTop = share * rows * row - height / 2;
	};
	const map = minimap(goTo, signal);
	const inDocument = new Map<TextLine, Shown>();
	let lines: readonly TextLine[] = [];
	let rows = 1;
	let width = 0;
	let height = 0;
	let top = 0;
	let setFor = 0;
	let inTabOrder = begin;
	const followed: Record<string, number | null> = { pin: null, hit: null, part: null };

	const pointerAt = (token: number): Pointer => [
		role === "key" ? null : token,
		role === "query" ? null : token,
	];
	const tokenOf = (event: Event): number | null => {
		const index = (event.target as HTMLElement).dataset.token;
		return index === undefined ? null : Number(index);
	};
	const onToken = (name: string, act: (token: number, event: Event) => void) =>
		el.addEventListener(
			name,
			(event) => {
				const token = tokenOf(event);
				if (token !== null) act(token, event);
			},
			{ signal },
		);
	onToken("pointerover", (token) => actions.hover(pointerAt(token), "token"));
	onToken("click", (token, event) => actions.pin(pointerAt(token), (event as MouseEvent).shiftKey));
	onToken("focusin", (token, event) => {
		moveTabStop(token);
		if ((event.target as HTMLElement).matches(":focus-visible"))
			actions.hover(pointerAt(token), "token");
	});
	onToken("keydown", (token, event) => onKey(event as KeyboardEvent, token));
	el.addEventListener("pointerleave", () => actions.hover(null, "token"), { signal });
	el.addEventListener("scroll", actions.redraw, { signal });

	function onKey(event: KeyboardEvent, token: number): void {
		if (withModifier(event) && !isEnter(event)) return;
		if (event.key === "Enter" || event.key === " ") actions.pin(pointerAt(token), event.shiftKey);
		else {
			const step = stepOf(event.key, el.dir === "rtl");
			if (step === 0) return;
			focus(Math.min(stop - 1, Math.max(begin, token + step)));
		}
		handled(event);
	}

	function focus(token: number): void {
		scrollTo(token);
		moveTabStop(token);
		fill();
		spanOf(token)?.focus({ preventScroll: true, focusVisible: true } as FocusOptions);
	}

	function moveTabStop(token: number): void {
		for (const [at, tabIndex] of [
			[inTabOrder, -1],
			[token, 0],
		] as const) {
			const span = spanOf(at);
			if (span) span.tabIndex = tabIndex;
		}
		inTabOrder = token;
	}

	function spanOf(token: number): HTMLElement | undefined {
		const line = lineOf(lines, token);
		return line && inDocument.get(line)?.spans[token - line.first];
	}

	function scrollTo(token: number): void {
		const line = lineOf(lines, token);
		if (!line) return;
		const [from, to] = [line.row * row, (line.row + line.rows) * row];
		if (from >= top && to <= top + height) return;
		top = Math.max(0, from < top ? from : to - height);
		el.scrollTop = top;
	}

	function measure(): void {
		width = page.clientWidth;
		height = el.clientHeight;
		top = el.scrollTop;
	}

	function setLines(): void {
		setFor = width;
		const [{ first } = { first: 0 }] = linesBetween(lines, top / row, rows);
		lines = typeset(table, width, measureOf(table, getComputedStyle(el)), part.tokens);
		const last = lines.at(-1);
		rows = last ? last.row + last.rows : 1;
		page.style.height = `${rows * row}px`;
		height = el.clientHeight;
		map.el.hidden = size === "short" || rows * row <= height;
		// What was read on goes on being at the top.
		el.scrollTop = (lineOf(lines, first)?.row ?? 0) * row;
		top = el.scrollTop;
		for (const { el: line } of inDocument.values()) line.remove();
		inDocument.clear();
	}

	/** Bring the lines in view into the document, and take the others out of it. */
	function fill(): void {
		const spare = SPARE * row;
		const bottom = top + ROWS_SHOWN[size] * row;
		const near = linesBetween(lines, (top - spare) / row, (bottom + spare) / row);
		// Whose token is in the tab order stays, wherever it is: that token may have the focus.
		const kept = lineOf(lines, inTabOrder) ?? [];
		const above = inTabOrder < (near[0]?.first ?? 0);
		const wanted = new Set((above ? [kept, near] : [near, kept]).flat());
		for (const [line, shown] of inDocument)
			if (!wanted.has(line)) {
				shown.el.remove();
				inDocument.delete(line);
			}
		let after: Element | null = null;
		for (const line of wanted) {
			const known = inDocument.get(line) ?? setLine(line);
			if (known.el.parentElement !== page || known.el.previousElementSibling !== after)
				page.insertBefore(known.el, after ? after.nextSibling : page.firstChild);
			after = known.el;
		}
	}

	function setLine(line: TextLine): Shown {
		const tokens = Array.from({ length: line.last - line.first }, (_, i) => line.first + i);
		const spans = tokens.map((token) => tokenSpan(table, token, token === inTabOrder));
		const el = make("div", { class: line.rows > 1 ? "line broken" : "line", role: "presentation" });
		el.style.top = `${line.row * row}px`;
		for (const [i, span] of spans.entries())
			el.append(i === 0 ? "" : (table.gap[line.first + i] ?? "").replaceAll("\n", ""), span);
		const shown = { el, spans, looks: spans.map(noLook) };
		inDocument.set(line, shown);
		return shown;
	}

	/** A pin that was set elsewhere, or what a search came to, is scrolled to, once. */
	function follow(pin: number | null, named: number | null): void {
		const { here } = finder;
		const now = { part: named, pin, hit: here?.table === table ? here.first : null };
		for (const [of, token] of Object.entries(now)) {
			if (token !== null && token !== followed[of]) scrollTo(token);
			followed[of] = token;
		}
	}

	return {
		el: make("div", { class: `paper ${size}` }, el, map.el),
		measure,
		update(scene) {
			if (width === 0) return;
			if (width !== setFor) setLines();
			const pinned = pinnedIn(pinsOf(scene.state), role === "key" ? 1 : 0);
			follow(pinned[0] ?? null, part.follows(scene));
			fill();
			const look = part.looks(scene, finder.marks(table));
			for (const [line, { spans, looks }] of inDocument)
				for (const [i, span] of spans.entries())
					applyLook(span, looks[i] as Look, look(line.first + i));
			if (map.el.hidden) return;
			map.draw(scene, {
				lines,
				rows,
				top: top / row,
				shown: height / row,
				height,
				fill: part.fill(scene),
				marks: finder.marks(table),
				pinned,
			});
		},
	};
}

function stepOf(key: string, rtl: boolean): number {
	if (key === "ArrowDown") return 1;
	if (key === "ArrowUp") return -1;
	if (key === "ArrowRight") return rtl ? -1 : 1;
	if (key === "ArrowLeft") return rtl ? 1 : -1;
	return 0;
}

function tokenSpan(table: TokenTable, index: number, inTabOrder: boolean): HTMLElement {
	const text = shown(table, index);
	return make(
		"span",
		{
			class: classesOf(table, index),
			role: "option",
			tabindex: inTabOrder ? 0 : -1,
			dir: "auto",
			"data-token": index,
			"aria-label": `${text}, position ${index}`,
			title: `${table.raw[index]} · position ${index}`,
		},
		text,
	);
}

function classesOf(table: TokenTable, index: number): string {
	const classes = ["token"];
	if (table.special[index]) classes.push("special");
	if (joins(table, index)) classes.push("joins-before");
	if (joins(table, index + 1)) classes.push("joins-after");
	return classes.join(" ");
}

/** Whether a token touches the one before it. */
function joins(table: TokenTable, index: number): boolean {
	const [before, here] = [table.special[index - 1], table.special[index]];
	return before === false && here === false && table.gap[index] === "";
}

/** Text widths by the canvas, which needs no document; each text is measured once. */
function measureOf(table: TokenTable, style: CSSStyleDeclaration): Measure {
	const context = new OffscreenCanvas(1, 1).getContext("2d");
	const known = new Map<string, number>();
	const widthOf = (text: string) => {
		const width = known.get(text) ?? context?.measureText(text).width ?? 0;
		known.set(text, width);
		return width;
	};
	if (context) context.font = `${style.fontSize} ${style.fontFamily}`;
	return {
		token: (index) => {
			const special = table.special[index];
			const width = widthOf(shown(table, index));
			if (special) return width * SPECIAL_SCALE + 2 * PADDING + SPECIAL_MARGIN;
			const free = [index, index + 1].filter((side) => !joins(table, side)).length;
			return width + free * PADDING;
		},
		gap: (text) => (text ? widthOf(text) : 0),
	};
}
