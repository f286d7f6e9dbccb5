import { h, render } from "preact";
import { type Ink, inkOf } from "../draw/colour";
import { drawVector, numberAt, type Strip, stripOf } from "../draw/vectors";
import type { LineKey, TermsInfo } from "../protocol.gen";
import type { Scene } from "../scene";
import type { RowTerms } from "../source/terms";
import { fitCanvas, handled, make, setName, setText, withModifier } from "../ui/dom";
import { headText, shown } from "../ui/words";
import type { Parts, View } from "./view";

/** Heights in CSS pixels, as in the style sheet. */
const ROW = 24;
const NAMES = 40;
const STRIP = 16;
const INSET = (ROW - STRIP) / 2;
const MAX_HEIGHT = 18 * ROW;
/** Between columns, and the least width of the last. */
const GAP = 12;
const WEIGHT = 128;
/** Keys that are asked for together, in the order in which they are shown. */
const TOGETHER = 32;

/** What the latest drawing shows; `order` is missing where keys stand as in the text. */
interface Drawn {
	readonly line: LineKey;
	readonly terms: RowTerms;
	readonly info: TermsInfo;
	readonly order: Uint32Array | undefined;
	/** The keys' and the products'. */
	readonly strips: readonly [Strip, Strip];
	readonly first: number;
	readonly last: number;
}

/** One query and one head: how its vector and each key's give the score, and this the weight. */
export function neuronView({ actions, signal }: Parts): View {
	const what = make("span");
	const sort = make("button", { type: "button", class: "quiet" }, "sorted by position");
	const title = make("div", { class: "title" }, what, sort);
	const top = make("div");
	const content = make("div", { class: "content" });
	const scroll = make(
		"div",
		{ class: "scroll", tabindex: 0, role: "application", "aria-label": "neuron view" },
		content,
	);
	const canvas = make("canvas");
	const table = make("div", { class: "terms" }, top, scroll, canvas);
	const says = make("div", { class: "sums", "aria-live": "polite" });
	const el = make("div", {}, title, table, says);
	let scene: Scene | undefined;
	let drawn: Drawn | undefined;
	let query: number | undefined;
	let byWeight = false;
	let sorted: { readonly of: string; readonly order: Uint32Array } | undefined;
	let dimension: number | undefined;
	let size = { width: 0, height: 0, top: 0 };

	const keyAt = (index: number) => drawn?.order?.[index] ?? index;
	const within = (index: number, count: number) => Math.min(count - 1, Math.max(0, index));
	const pointerAt = (index: number) => [drawn?.line[2] ?? 0, keyAt(index)] as const;
	const lookedAt = ({ focus }: Scene) => focus.pair?.[1] ?? focus.key;
	/** The row under a pointer, and the dimension. */
	const under = ({ clientX, clientY }: MouseEvent) => {
		const box = content.getBoundingClientRect();
		const y = clientY - box.top;
		const [key, product] =
			drawn?.strips.map((strip) => numberAt(strip, clientX - box.left, (y % ROW) - INSET)) ?? [];
		return [Math.floor(y / ROW), key ?? product] as const;
	};
	const on = <E extends Event>(name: string, act: (event: E) => void, target: Element = scroll) =>
		target.addEventListener(name, act as (event: Event) => void, { signal });
	on("pointermove", (event: PointerEvent) => {
		const [index, at] = under(event);
		dimension = at;
		actions.hover(pointerAt(index), "cell");
		actions.redraw();
	});
	on("pointerleave", () => {
		dimension = undefined;
		actions.hover(null, "cell");
	});
	on("click", (event: MouseEvent) => actions.pin(pointerAt(under(event)[0]), event.shiftKey));
	on("scroll", actions.redraw);
	on("keydown", onKey);
	const sortOther = () => {
		byWeight = !byWeight;
		scroll.scrollTop = 0;
		actions.redraw();
	};
	on("click", sortOther, sort);

	function onKey(event: KeyboardEvent): void {
		if (withModifier(event) || !scene || !drawn) return;
		const { key } = event;
		const { queries, keys } = scene.description;
		const looked = lookedAt(scene) ?? -1;
		const at = drawn.order?.indexOf(looked) ?? looked;
		const down = { ArrowDown: 1, ArrowUp: -1 }[key];
		const along = { ArrowRight: 1, ArrowLeft: -1 }[key];
		// The query that was asked for last: on a slow line its numbers may not be here yet.
		const [asks, here] = [query ?? 0, keyAt(within(at + (down ?? 0), keys))];
		if (key === "Enter" || key === " ") actions.pin([asks, here], false);
		else if (down || along) actions.hover([within(asks + (along ?? 0), queries), here], "cell");
		else return;
		const y = within(at + (down ?? 0), keys) * ROW;
		scroll.scrollTop = Math.min(y, Math.max(size.top, y + ROW - size.height));
		handled(event);
	}

	/** The keys by weight, once the row is here. */
	function sortedKeys({ reader }: Scene, line: LineKey): Uint32Array | undefined {
		const row = reader.line("row", line, true);
		const of = `${line},${row?.exact}`;
		if (row && sorted?.of !== of) {
			const { values } = row;
			const order = Uint32Array.from(values, (_, key) => key);
			sorted = { of, order: order.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0)) };
		}
		return row && sorted?.order;
	}

	function update(now: Scene): void {
		scene = now;
		const { description, state, focus, reader } = now;
		// A pointer on its way from the text to this table leaves the token that it looked at.
		query = focus.pair?.[0] ?? focus.query ?? query ?? description.queries - 1;
		const line: LineKey = [state.layer, state.heads[0] ?? 0, query];
		const order = byWeight ? sortedKeys(now, line) : undefined;
		const height = Math.min(MAX_HEIGHT, description.keys * ROW);
		const first = Math.floor(size.top / ROW);
		const last = Math.min(description.keys, Math.ceil((size.top + height) / ROW));
		let terms: RowTerms | undefined;
		if (order || !byWeight) {
			const keys = new Set([lookedAt(now) ?? 0]);
			const end = Math.min(description.keys, last + TOGETHER - (last % TOGETHER));
			for (let i = first - (first % TOGETHER); i < end; i++) keys.add(order?.[i] ?? i);
			terms = reader.terms(line, [...keys]);
		}
		if (terms?.info && size.width) {
			const { info } = terms;
			drawn = { line, terms, info, order, strips: stripsOf(size.width, info), first, last };
		} else if (terms || now.status.kind === "gone") drawn = undefined;
		table.hidden = sort.hidden = !drawn;
		setText(says, drawn ? sumsOf(drawn, now) : terms?.why || "…");
		if (!drawn) return;
		scroll.style.height = `${height}px`;
		content.style.height = `${description.keys * ROW}px`;
		drawRows(drawn, now);
		drawStrips(drawn, now, height);
	}

	function drawRows({ info, terms, strips, line, first, last }: Drawn, now: Scene): void {
		const { description, tokens } = now;
		const { steps, sink, log_sum } = info;
		const [layer, head, asks] = line;
		const token = shown(tokens.queries, asks);
		setText(what, `how “${token}” reads: ${headText(description, { layer, head })}`);
		setText(sort, `sorted by ${byWeight ? "weight" : "position"}`);
		setName(scroll, `${what.textContent}; up and down: key, left and right: query, Enter pins`);
		const [{ left, width }] = strips;
		const columns = `${left - GAP}px ${width}px ${width}px repeat(${steps.length},${stepWidth(size.width)}px) 1fr`;
		table.style.setProperty("--columns", columns);
		const row = (name: string, cells: readonly string[], score?: number, index = 0) => {
			const weight = Math.exp((score ?? 0) - log_sum);
			const bar = { width: `${Math.min(100, (weight / description.scale) * 100)}%` };
			return h(
				"div",
				{ class: `term ${name}`, style: { top: `${index * ROW}px` }, key: index },
				...cells.map((cell) => h("span", { dir: "auto" }, cell)),
				score !== undefined && h("b", {}, h("i", { style: bar }), weight.toFixed(4)),
			);
		};
		const blank = steps.slice(1).map(() => "");
		render(
			[
				row("asks", [token, "", "query q"]),
				row(
					"names",
					["key", "k", "q × k", ...steps, `exp(score − ${text(log_sum)}) = weight`],
					undefined,
					1,
				),
				sink !== null && row("", ["learned sink", "", "", ...blank, text(sink)], sink, 2),
			],
			top,
		);
		const looked = lookedAt(now);
		const rows = [];
		for (let index = first; index < last; index++) {
			const key = keyAt(index);
			const numbers = terms.keys.get(key)?.subarray(info.size);
			const score = numbers?.at(-1);
			const hidden = score === -Infinity;
			const cells = hidden ? ["not readable"] : Array.from(numbers ?? [], text);
			const name = `${key === looked ? "focused" : ""} ${hidden ? "hides" : ""}`;
			rows.push(row(name, [shown(tokens.keys, key), "", "", ...cells], score, index));
		}
		render(rows, content);
	}

	function drawStrips(
		{ info, terms, strips, first, last }: Drawn,
		{ colours }: Scene,
		height: number,
	) {
		const { query, keys } = terms;
		const above = ROW + NAMES + (info.sink === null ? 0 : ROW);
		const context = fitCanvas(canvas, size.width, above + height);
		// In proportion, whatever the scale of weights: these numbers add up.
		const [own, ofKeys, ofProducts] = endsOf(terms, info).map((largest) =>
			inkOf(colours, "linear", largest || 1),
		) as [Ink, Ink, Ink];
		drawVector(context, strips[0], INSET, query, own);
		context.save();
		context.beginPath();
		context.rect(0, above, size.width, height);
		context.clip();
		for (let index = first; index < last; index++) {
			const numbers = keys.get(keyAt(index));
			if (!numbers) continue;
			const y = above + index * ROW - size.top + INSET;
			drawVector(context, strips[0], y, numbers.subarray(0, info.size), ofKeys);
			const products = query.map((number, i) => number * (numbers[i] as number));
			drawVector(context, strips[1], y, products, ofProducts);
		}
		context.restore();
	}

	/** The numbers of what is looked at, as far as they are here. */
	function sumsOf({ info, terms, line }: Drawn, now: Scene): string {
		const key = lookedAt(now) ?? -1;
		const numbers = terms.keys.get(key);
		if (!numbers) {
			const [q, k, product] = endsOf(terms, info).map(text);
			return `amber above 0, blue below; full at |q| ${q}, |k| ${k}, |q × k| ${product}`;
		}
		const parts = [`“${shown(now.tokens.keys, key)}” (${key})`];
		if (dimension !== undefined) {
			const [q, k] = [terms.query[dimension] as number, numbers[dimension] as number];
			parts.push(`dimension ${dimension}: q ${text(q)} × k ${text(k)} = ${text(q * k)}`);
		}
		const score = numbers.at(-1) as number;
		const later = now.description.same_tokens && key > line[2];
		if (score === -Infinity)
			parts.push(`not readable: ${later ? "it comes later" : "outside the window, or masked"}`);
		else {
			parts.push(
				...info.steps.map((step, i) => `${step}: ${text(numbers[info.size + i] as number)}`),
			);
			const weight = Math.exp(score - info.log_sum).toFixed(6);
			parts.push(`exp(${text(score)} − ${text(info.log_sum)}) = ${weight}`);
		}
		return parts.join(" · ");
	}

	const measure = () => {
		const { clientWidth, clientHeight, scrollTop } = scroll;
		size = { width: clientWidth || el.clientWidth, height: clientHeight, top: scrollTop };
	};
	return { el, measure, update };
}

function stepWidth(width: number): number {
	return Math.min(76, width / 11);
}

function stripsOf(width: number, { size, steps }: TermsInfo): Drawn["strips"] {
	const left = Math.min(150, width / 8) + GAP;
	const rest = width - left - WEIGHT - steps.length * (stepWidth(width) + GAP) - 2 * GAP;
	const keys = stripOf(size, left, Math.max(32, rest / 2), STRIP);
	return [keys, { ...keys, left: left + keys.width + GAP }];
}

/** Which numbers have the full colour: of the query, of all keys, of all products with this query. */
function endsOf({ query }: RowTerms, { largest }: TermsInfo): number[] {
	return [Math.max(...query.map(Math.abs)), ...largest];
}

/** With a minus that is as wide as a plus. */
function text(number: number): string {
	return number.toFixed(4).replace("-", "−");
}
