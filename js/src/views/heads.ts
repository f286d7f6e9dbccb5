import { css, type Rgb } from "../draw/colour";
import { type Curve, drawCurves, topMass } from "../draw/lines";
import type { Pointer, TokenTable } from "../protocol.gen";
import { type Reading, readingOf, type Scene } from "../scene";
import { fitCanvas, handled, make } from "../ui/dom";
import { headsText, shown } from "../ui/words";
import { type Side, tokenColumn } from "./column";
import type { Actions, View } from "./view";

const MAX_HEIGHT = 520;
/** Of the resting lines, those too faint to be seen are left out. */
const FAINTEST = 0.01;
/** Lines to tokens that are scrolled away say where to look, and no more. */
const LEAVING = 0.4;
/** More heads than this make bars too thin to be told apart: then the mean has one. */
const HEADS_WITH_BARS = 4;

/** Where the three parts lie across the view's width: labels, lines, labels. */
export interface Across {
	readonly width: number;
	readonly left: number;
	readonly right: number;
}

function acrossOf(width: number): Across {
	const label = Math.round(Math.min(190, Math.max(84, width * 0.26)));
	return { width, left: label + 8, right: width - label - 56 };
}

export function rowHeight(count: number): number {
	return count <= 16 ? 28 : count <= 40 ? 24 : 20;
}

/** Queries left, keys right, a line per weight; several heads at once, each in its colour. */
export function headsView(actions: Actions, signal: AbortSignal): View {
	const title = make("div", { class: "title" });
	const rest = make("canvas", { class: "lines rest" });
	const front = make("canvas", { class: "lines" });
	const drawing = make("div", { class: "drawing" }, rest, front);
	const queries = tokenColumn("query");
	const keys = tokenColumn("key");
	const content = make("div", { class: "content" }, drawing, queries.el, keys.el);
	const scroll = make("div", { class: "scroll", tabindex: 0, role: "application" }, content);
	const el = make("section", { class: "pane heads", "aria-label": "head view" }, title, scroll);
	let scene: Scene | undefined;
	let restDrawn = "";

	const visible = (count: number, height: number): readonly [number, number] => {
		const first = Math.floor(scroll.scrollTop / height);
		return [first, Math.min(count, Math.ceil((scroll.scrollTop + scroll.clientHeight) / height))];
	};

	const pointerOf = (event: PointerEvent | MouseEvent): Pointer | null => {
		if (!scene) return null;
		const box = content.getBoundingClientRect();
		const across = acrossOf(box.width);
		const { description } = scene;
		const height = rowHeight(Math.max(description.queries, description.keys));
		const index = Math.floor((event.clientY - box.top) / height);
		const x = event.clientX - box.left;
		if (x < across.left + 16) return index < description.queries ? [index, null] : null;
		if (x > across.right - 16) return index < description.keys ? [null, index] : null;
		return null;
	};
	scroll.addEventListener("pointermove", (event) => actions.hover(pointerOf(event), "token"), {
		signal,
	});
	scroll.addEventListener("pointerleave", () => actions.hover(null, "token"), { signal });
	scroll.addEventListener(
		"click",
		(event) => {
			const pointer = pointerOf(event);
			if (pointer) actions.pin(pointer);
		},
		{ signal },
	);
	scroll.addEventListener("scroll", () => actions.redraw(), { signal });
	scroll.addEventListener("keydown", (event) => scene && onKey(event, scene, actions), { signal });

	function update(now: Scene): void {
		scene = now;
		const { description, tokens } = now;
		const count = Math.max(description.queries, description.keys);
		const height = rowHeight(count);
		const width = scroll.clientWidth;
		if (width === 0) return;
		const across = acrossOf(width);
		const viewport = Math.min(MAX_HEIGHT, count * height);
		scroll.style.height = `${viewport}px`;
		content.style.height = `${count * height}px`;
		title.replaceChildren(...titleOf(now, across));
		scroll.ariaLabel = `head view, ${headsText(now)}; up and down move the token, left and right the side, Enter pins`;
		const inView = {
			queries: visible(description.queries, height),
			keys: visible(description.keys, height),
		};
		const place = { across, height, top: scroll.scrollTop, viewport };
		drawRest(now, place, inView.queries);
		drawFront(front, now, place);
		queries.update(inView.queries, sideOf(now, "query", tokens.queries), across, height);
		keys.update(inView.keys, sideOf(now, "key", tokens.keys), across, height);
		followFocus(now, height);
	}

	/** The resting lines change with the layer, heads or scrolling, never with a hover. */
	function drawRest(now: Scene, place: Place, [first, last]: readonly [number, number]): void {
		const { state, reader, colours } = now;
		const readings: Reading[] = [];
		for (let query = first; query < last; query++) {
			const reading = readingOf(reader, "row", state.layer, state.heads, query, false);
			if (reading) readings.push(reading);
		}
		rest.classList.toggle("behind", now.focus.query !== null || now.focus.key !== null);
		const drawn = JSON.stringify([
			place,
			first,
			last,
			readings.length,
			state.layer,
			state.heads,
			state.top_mass,
			colours.dark,
			devicePixelRatio,
		]);
		if (drawn === restDrawn) return;
		restDrawn = drawn;
		const several = state.heads.length > 1;
		const ink: Ink = {
			relative: false,
			// Many heads over each other are a haze unless each is lighter.
			strength: 1 / Math.sqrt(state.heads.length),
			colour: (head) => (several ? colours.head(head) : colours.reader),
		};
		const curves = readings.flatMap((reading) => curvesOf(reading, "row", now, place, ink));
		paint(rest, curves, place);
	}

	let followed = "";
	/** A token that was focused elsewhere is scrolled to; one that is hovered here never moves. */
	function followFocus({ focus, state }: Scene, height: number): void {
		const index = focus.query ?? focus.key;
		const key = JSON.stringify([state.selected]);
		if (index === null || state.selected === null || key === followed) {
			if (state.selected === null) followed = "";
			return;
		}
		followed = key;
		const top = index * height;
		if (top < scroll.scrollTop || top + height > scroll.scrollTop + scroll.clientHeight)
			scroll.scrollTop = top - scroll.clientHeight / 2;
	}

	return { el, update };
}

interface Place {
	readonly across: Across;
	readonly height: number;
	readonly top: number;
	readonly viewport: number;
}

function drawFront(canvas: HTMLCanvasElement, scene: Scene, place: Place): void {
	const { focus, reads, readers, colours, state } = scene;
	const several = state.heads.length > 1;
	const inkOf = (plain: Rgb): Ink => ({
		relative: true,
		strength: 1,
		colour: (head) => (several ? colours.head(head) : plain),
	});
	const curves: Curve[] = [];
	if (readers && focus.key !== null)
		curves.push(...curvesOf(readers, "column", scene, place, inkOf(colours.reader)));
	if (reads && focus.query !== null)
		curves.push(...curvesOf(reads, "row", scene, place, inkOf(colours.read)));
	paint(canvas, curves, place);
}

function curvesOf(
	reading: Reading,
	axis: "row" | "column",
	{ state, description }: Scene,
	{ height, top, viewport }: Place,
	ink: Ink,
): Curve[] {
	const density = devicePixelRatio;
	const y = (index: number) => ((index + 0.5) * height - top) * density;
	const inView = (at: number) => at >= 0 && at <= viewport * density;
	return reading.lines.flatMap(({ values }, i) => {
		const kept = topMass(values, state.top_mass);
		const full = ink.relative ? Math.abs(values[kept[0] ?? 0] as number) : description.scale;
		return kept.flatMap((other): Curve[] => {
			const weight = Math.abs(values[other] as number);
			const here = y(reading.index);
			const there = y(other);
			const away = inView(here) && inView(there) ? 1 : LEAVING;
			const alpha = away * ink.strength * (weight / full) ** 0.7;
			if (alpha < FAINTEST) return [];
			return [
				{
					y0: axis === "row" ? here : there,
					y1: axis === "row" ? there : here,
					thickness: (0.7 + 3.6 * (weight / description.scale)) * density,
					colour: ink.colour(state.heads[i] as number),
					alpha: Math.min(1, alpha),
				},
			];
		});
	});
}

/** How lines are inked: looked-at ones by their share of the strongest, so that they show in long rows. */
interface Ink {
	readonly relative: boolean;
	readonly strength: number;
	colour(head: number): Rgb;
}

function paint(
	canvas: HTMLCanvasElement,
	curves: readonly Curve[],
	{ across, viewport }: Place,
): void {
	const width = across.right - across.left;
	const context = fitCanvas(canvas, width, viewport);
	canvas.style.left = `${across.left}px`;
	if (!curves.length) return;
	context.putImageData(drawCurves(curves, canvas.width, canvas.height), 0, 0);
}

function titleOf(scene: Scene, across: Across): Node[] {
	const { focus, received } = scene;
	const resting = focus.query === null && focus.key === null && received !== undefined;
	const query = make(
		"span",
		{ style: `width:${across.left - 8}px`, class: "query-side" },
		"query reads …",
	);
	const what = make("span", { class: "muted" }, headsText(scene));
	const key = make("span", { class: "key-side" }, resting ? "… key · mean weight" : "… key");
	return [query, what, key];
}

/** What stands behind and beside the tokens of one side. */
function sideOf(scene: Scene, role: "query" | "key", table: TokenTable): Side {
	const { focus, reads, readers, received, state, colours, description } = scene;
	const reading = role === "key" ? reads : readers;
	const on = (role === "key" ? focus.query : focus.key) !== null;
	const resting =
		role === "key" && focus.query === null && focus.key === null ? received : undefined;
	const several = state.heads.length > 1;
	const plain = role === "key" ? colours.read : colours.reader;
	return {
		focused: role === "query" ? focus.query : focus.key,
		bars: (index) => {
			if (resting)
				return [{ share: (resting[index] as number) / description.scale, colour: css(plain, 0.3) }];
			if (!on || !reading) return [];
			if (state.heads.length > HEADS_WITH_BARS)
				return [
					{
						share: Math.abs(reading.mean[index] as number) / description.scale,
						colour: css(plain, 0.3),
					},
				];
			return reading.lines.map(({ values }, i) => ({
				share: Math.abs(values[index] as number) / description.scale,
				colour: several ? css(colours.head(state.heads[i] as number), 0.9) : css(plain, 0.3),
			}));
		},
		number: (index) => (resting ? resting[index] : on ? reading?.mean[index] : undefined),
		label: (index) => shown(table, index),
		special: (index) => table.special[index] === true,
	};
}

function onKey(event: KeyboardEvent, { focus, description }: Scene, actions: Actions): void {
	const side = focus.key !== null && focus.query === null ? 1 : 0;
	const at = (side === 0 ? focus.query : focus.key) ?? 0;
	const count = side === 0 ? description.queries : description.keys;
	const pointer = (index: number, on: number): Pointer =>
		on === 0 ? [index, null] : [null, index];
	const known = focus.query !== null || focus.key !== null;
	if (event.key === "ArrowDown")
		actions.hover(pointer(Math.min(count - 1, known ? at + 1 : 0), side), "token");
	else if (event.key === "ArrowUp") actions.hover(pointer(Math.max(0, at - 1), side), "token");
	else if (event.key === "ArrowRight")
		actions.hover(pointer(Math.min(at, description.keys - 1), 1), "token");
	else if (event.key === "ArrowLeft")
		actions.hover(pointer(Math.min(at, description.queries - 1), 0), "token");
	else if (event.key === "Enter" || event.key === " ") actions.pin(pointer(at, side));
	else return;
	handled(event);
}
