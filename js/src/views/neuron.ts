import { type Ink, inkOf } from "../draw/colour";
import { VectorPainter } from "../draw/vectors";
import type { LineKey, TermsInfo } from "../protocol.gen";
import type { Focus, Scene } from "../scene";
import type { RowTerms } from "../source/terms";
import { fitCanvas, handled, make, setName, setText, withModifier } from "../ui/dom";
import { headText, shown } from "../ui/words";
import { numberText, productText, sumsText } from "./terms";
import { dimensionAt, keyRow, type Layout, layoutOf, ROW, stripBox, topRows } from "./termtable";
import type { Actions, View } from "./view";

const MAX_HEIGHT = 18 * ROW;
/** Keys that are asked for together, in the order in which they are shown. */
const TOGETHER = 32;

/** What the latest drawing shows; `order` is null where keys stand as in the text. */
interface Drawn {
	readonly line: LineKey;
	readonly terms: RowTerms;
	readonly info: TermsInfo;
	readonly order: Uint32Array | null;
	readonly layout: Layout;
}

interface Row {
	readonly el: HTMLElement;
	readonly says: string;
}

/** One query and one head: how its vector and each key's give the score, and this the weight. */
export function neuronView(actions: Actions, signal: AbortSignal): View {
	const what = make("span");
	const caption = make("span", { class: "muted" });
	const sort = make("button", { type: "button", class: "quiet" });
	const why = make("div", { class: "muted" });
	const top = make("div");
	const own = make("canvas");
	const strips = make("canvas");
	const content = make("div", { class: "content" }, make("div", { class: "drawing" }, strips));
	const scroll = make("div", { class: "scroll", tabindex: 0, role: "application" }, content);
	const marks = [0, 1].map(() => make("div", { class: "mark" }));
	const table = make("div", { class: "terms" }, own, top, scroll, ...marks);
	const sums = make("div", { class: "sums", "aria-live": "polite" });
	const title = make("div", { class: "title" }, what, caption, sort);
	const el = make(
		"section",
		{ class: "pane neuron", "aria-label": "neuron view" },
		title,
		why,
		table,
		sums,
	);
	const painter = new VectorPainter();
	const rows = new Map<number, Row>();
	let scene: Scene | undefined;
	let drawn: Drawn | undefined;
	let query = -1;
	let byWeight = false;
	let sorted: { readonly of: string; readonly order: Uint32Array } | undefined;
	let dimension: number | undefined;
	let size = { width: 0, height: 0, top: 0 };
	let made = "";

	const keyAt = (index: number) => (drawn?.order ? drawn.order[index] : index) as number;
	const pointerAt = (index: number) =>
		drawn && index >= 0 && index < (scene?.description.keys ?? 0)
			? ([drawn.line[2], keyAt(index)] as const)
			: null;
	const under = (event: MouseEvent) => {
		const box = content.getBoundingClientRect();
		return [event.clientX - box.left, event.clientY - box.top] as const;
	};
	const listen = (name: string, act: (event: never) => void, on: HTMLElement = scroll) =>
		on.addEventListener(name, act as (event: Event) => void, { signal });
	listen("pointermove", (event: PointerEvent) => {
		const [x, y] = under(event);
		dimension = drawn && dimensionAt(drawn.layout, drawn.info.size, x, y % ROW);
		actions.hover(pointerAt(Math.floor(y / ROW)), "cell");
		actions.redraw();
	});
	listen("pointerleave", () => {
		dimension = undefined;
		actions.hover(null, "cell");
	});
	listen("click", (event: MouseEvent) => {
		const pointer = pointerAt(Math.floor(under(event)[1] / ROW));
		if (pointer) actions.pin(pointer, event.shiftKey);
	});
	listen("scroll", actions.redraw);
	listen("keydown", (event: KeyboardEvent) => {
		if (!withModifier(event) && scene && drawn && onKey(event.key, scene, drawn)) handled(event);
	});
	const sortBy = () => {
		byWeight = !byWeight;
		scroll.scrollTop = 0;
		actions.redraw();
	};
	listen("click", sortBy, sort);

	function onKey(key: string, { description, focus }: Scene, { order, line }: Drawn): boolean {
		const looked = lookedAt(focus) ?? -1;
		const at = order ? order.indexOf(looked) : looked;
		const down = { ArrowDown: 1, ArrowUp: -1 }[key];
		const along = { ArrowRight: 1, ArrowLeft: -1 }[key];
		const within = (index: number, count: number) => Math.min(count - 1, Math.max(0, index));
		dimension = undefined;
		if (down) {
			const next = within(at + down, description.keys);
			scroll.scrollTop = Math.min(next * ROW, Math.max(size.top, (next + 1) * ROW - size.height));
			actions.hover(pointerAt(next), "cell");
		} else if (along) {
			const next = within(line[2] + along, description.queries);
			actions.hover([next, keyAt(Math.max(0, at))], "cell");
		} else if (key === "Enter" || key === " ") {
			const pointer = pointerAt(Math.max(0, at));
			if (pointer) actions.pin(pointer, false);
		} else return false;
		return true;
	}

	/** The keys by weight, once the row is here. */
	function sortedKeys({ reader }: Scene, line: LineKey): Uint32Array | undefined {
		const row = reader.line("row", line, true);
		if (!row) return undefined;
		const of = `${line},${row.exact}`;
		if (sorted?.of !== of) {
			const order = Uint32Array.from(row.values, (_, key) => key);
			order.sort((a, b) => (row.values[b] as number) - (row.values[a] as number));
			sorted = { of, order };
		}
		return sorted.order;
	}

	function update(now: Scene): void {
		scene = now;
		const { description, state, focus, tokens, reader } = now;
		// A pointer on its way from the text to this table leaves the token that it looked at.
		query = focus.pair?.[0] ?? focus.query ?? (query < 0 ? description.queries - 1 : query);
		const head = state.heads[0] ?? 0;
		const line: LineKey = [state.layer, head, query];
		const order = byWeight ? sortedKeys(now, line) : null;
		const height = Math.min(MAX_HEIGHT, description.keys * ROW);
		const first = Math.floor(size.top / ROW);
		const last = Math.min(description.keys, Math.ceil((size.top + height) / ROW));
		const terms = reader.terms(line, order === undefined ? [] : wanted(first, last, order, now));
		if (terms?.info && order !== undefined && size.width > 0) {
			const layout = layoutOf(size.width, terms.info);
			drawn = { line, terms, info: terms.info, order, layout };
		} else if (terms?.why || now.status.kind === "gone") drawn = undefined;
		setText(why, drawn ? "" : (terms?.why ?? (now.status.kind === "gone" ? NOT_SAVED : "…")));
		table.hidden = sums.hidden = sort.hidden = !drawn;
		if (!drawn) return;
		const asks = shown(tokens.queries, drawn.line[2]);
		const [layer, ofHead] = drawn.line;
		setText(caption, headText(description, { layer, head: ofHead }));
		setText(what, `how “${asks}” reads`);
		setText(sort, byWeight ? "sorted by weight" : "sorted by position");
		sort.title = `click to sort by ${byWeight ? "position" : "weight"}`;
		const name = `neuron view, ${caption.textContent}: “${asks}” reads; up and down move the key, left and right the query, Enter pins`;
		setName(scroll, name);
		scroll.style.height = `${height}px`;
		content.style.height = `${description.keys * ROW}px`;
		drawTop(drawn, now);
		drawRows(drawn, now, first, last);
		drawStrips(drawn, now, first, last, height);
		say(drawn, now);
	}

	function wanted(
		first: number,
		last: number,
		order: Uint32Array | null,
		{ focus, description }: Scene,
	) {
		const from = first - (first % TOGETHER);
		const to = Math.min(description.keys, Math.ceil(last / TOGETHER) * TOGETHER);
		const keys = Array.from(
			{ length: to - from },
			(_, i) => (order ? order[from + i] : from + i) as number,
		);
		const looked = lookedAt(focus);
		return looked === null || keys.includes(looked) ? keys : [...keys, looked];
	}

	/** What stands above the keys; with it, all rows are made anew. */
	function drawTop({ line, info, layout }: Drawn, { tokens, description }: Scene): void {
		const says = JSON.stringify([line, info, layout]);
		if (says === made) return;
		made = says;
		for (const { el } of rows.values()) el.remove();
		rows.clear();
		table.style.setProperty("--columns", layout.template);
		top.replaceChildren(...topRows(shown(tokens.queries, line[2]), info, description.scale));
	}

	function drawRows(
		{ terms, info, line }: Drawn,
		{ tokens, description, focus }: Scene,
		first: number,
		last: number,
	): void {
		for (const [index, { el }] of rows)
			if (index < first || index >= last) {
				el.remove();
				rows.delete(index);
			}
		for (let index = first; index < last; index++) {
			const key = keyAt(index);
			const term = terms.at(key);
			const says = `${key},${term?.score}`;
			let row = rows.get(index);
			if (row?.says !== says) {
				row?.el.remove();
				const later = description.same_tokens && key > line[2];
				row = { el: keyRow(shown(tokens.keys, key), info, term, later, description.scale), says };
				row.el.title = `position ${key}`;
				row.el.style.top = `${index * ROW}px`;
				rows.set(index, row);
				content.append(row.el);
			}
			row.el.classList.toggle("focused", key === lookedAt(focus));
		}
	}

	function drawStrips(
		{ terms, info, layout }: Drawn,
		{ colours }: Scene,
		first: number,
		last: number,
		height: number,
	): void {
		const { query } = terms;
		// In proportion, whatever the scale of weights: these numbers add up.
		const ink = (largest: number): Ink => inkOf(colours, "linear", largest || 1);
		const [keys, products] = info.largest.map(ink) as [Ink, Ink];
		const above = fitCanvas(own, size.width, ROW);
		painter.draw(above, query, layout.lines, ink(largestOf(query)), ...stripBox(layout, 0, 0));
		const context = fitCanvas(strips, size.width, height);
		for (let index = first; index < last; index++) {
			const vector = terms.at(keyAt(index))?.vector;
			if (!vector) continue;
			const y = index * ROW - size.top;
			const product = vector.map((number, i) => number * (query[i] as number));
			painter.draw(context, vector, layout.lines, keys, ...stripBox(layout, 0, y));
			painter.draw(context, product, layout.lines, products, ...stripBox(layout, 1, y));
		}
	}

	/** The numbers of what is looked at, and where in the vectors they are. */
	function say({ terms, info, layout }: Drawn, { tokens, focus }: Scene): void {
		const key = lookedAt(focus);
		const term = key === null ? undefined : terms.at(key);
		const shows = dimension !== undefined && term !== undefined && layout.lines === 1;
		for (const [i, mark] of marks.entries()) {
			mark.hidden = !shows;
			const cell = layout.strip / info.size;
			mark.style.width = `${cell + 2}px`;
			mark.style.left = `${(layout.lefts[i] as number) + cell * (dimension ?? 0) - 1}px`;
		}
		sums.classList.toggle("rest", !term);
		if (!term || key === null) {
			const ends = [largestOf(terms.query), ...info.largest].map(numberText);
			setText(
				sums,
				`in proportion, amber above 0, blue below; full colour at |q| ${ends[0]}, |k| ${ends[1]}, |q × k| ${ends[2]}`,
			);
			return;
		}
		const parts = [`“${shown(tokens.keys, key)}” (${key})`];
		if (dimension !== undefined) parts.push(productText(terms.query, term, dimension));
		if (term.score > -Infinity) parts.push(sumsText(info, term));
		setText(sums, parts.join(" · "));
	}

	const measure = () => {
		size = {
			width: scroll.clientWidth || el.clientWidth,
			height: scroll.clientHeight,
			top: scroll.scrollTop,
		};
	};
	return { el, measure, update };
}

const NOT_SAVED = "Queries and keys weren't saved with the notebook: run the cell again.";

/** The key that is looked at, in any view. */
function lookedAt({ pair, key }: Focus): number | null {
	return pair?.[1] ?? key;
}

function largestOf(vector: Float32Array): number {
	return vector.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
}
