import { css } from "../draw/colour";
import type { Description, Pointer } from "../protocol.gen";
import type { Scene } from "../scene";
import { handled, make, setName, setText, withModifier } from "../ui/dom";
import { FEW_NUMBERS, headsText, shown } from "../ui/words";
import { type Side, tokenColumn } from "./column";
import { type Across, frontCurves, LineCanvas, type Place, restCurves, rowsInView } from "./curves";
import type { Actions, View } from "./view";

const MAX_HEIGHT = 520;
/** More heads than this make bars too thin to be told apart: then the mean has one. */
const HEADS_WITH_BARS = 4;

function acrossOf(width: number): Across {
	const label = Math.round(Math.min(190, Math.max(84, width * 0.26)));
	return { width, left: label + 8, right: width - label - 56 };
}

function rowHeight({ queries, keys }: Description): number {
	const count = Math.max(queries, keys);
	return count <= 16 ? 28 : count <= 40 ? 24 : 20;
}

/** Queries left, keys right, a line per weight; several heads at once, each in its colour. */
export function headsView(actions: Actions, signal: AbortSignal): View {
	const querySide = make("span", { class: "query-side" }, "query reads …");
	const what = make("span", { class: "muted" });
	const keySide = make("span", { class: "key-side" });
	const title = make("div", { class: "title" }, querySide, what, keySide);
	const rest = new LineCanvas(make("canvas", { class: "lines rest" }));
	const front = new LineCanvas(make("canvas", { class: "lines" }));
	const beyond = [make("div", { class: "beyond" }), make("div", { class: "beyond" })] as const;
	const drawing = make("div", { class: "drawing" }, rest.el, front.el, ...beyond);
	const queries = tokenColumn("query");
	const keys = tokenColumn("key");
	const content = make("div", { class: "content" }, drawing, queries.el, keys.el);
	const scroll = make("div", { class: "scroll", tabindex: 0, role: "application" }, content);
	const el = make("section", { class: "pane heads", "aria-label": "head view" }, title, scroll);
	let scene: Scene | undefined;
	let width = 0;
	let top = 0;

	const pointerOf = (event: PointerEvent | MouseEvent): Pointer | null => {
		if (!scene) return null;
		const box = content.getBoundingClientRect();
		const across = acrossOf(box.width);
		const { description } = scene;
		const height = rowHeight(description);
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
	scroll.addEventListener("keydown", (event) => scene && onKey(event, scene, actions, reveal), {
		signal,
	});

	function update(now: Scene): void {
		scene = now;
		const { description } = now;
		const count = Math.max(description.queries, description.keys);
		const height = rowHeight(description);
		if (width === 0) return;
		const across = acrossOf(width);
		const viewport = Math.min(MAX_HEIGHT, count * height);
		scroll.style.height = `${viewport}px`;
		content.style.height = `${count * height}px`;
		drawTitle(now, across);
		const name = `head view, ${headsText(now)}; up and down move the token, left and right the side, Enter pins`;
		setName(scroll, name);
		const place = { across, height, top, viewport };
		drawLines(now, place);
		sayBeyond(beyond, now, place);
		for (const [column, role, length] of [
			[queries, "query", description.queries],
			[keys, "key", description.keys],
		] as const)
			column.update(rowsInView(place, length), sideOf(now, role), across, height);
		followFocus(now);
	}

	function drawTitle(now: Scene, across: Across): void {
		querySide.style.width = `${across.left - 8}px`;
		setText(what, headsText(now));
		setText(keySide, now.received ? "… key · mean weight" : "… key");
	}

	/** The resting lines change with the layer, heads or scrolling, never with a hover. */
	function drawLines(now: Scene, place: Place): void {
		const { state, colours, focus, reads, readers } = now;
		const { layer, heads, top_mass } = state;
		rest.el.classList.toggle("behind", focus.query !== null || focus.key !== null);
		const shown = [place, layer, heads, top_mass, colours.dark, devicePixelRatio];
		rest.update(JSON.stringify(shown), place, () => restCurves(now, place));
		const looked = [...shown, focus.query, focus.key];
		front.update(JSON.stringify(looked), place, () => ({
			curves: frontCurves(now, place),
			complete: (focus.query === null || !!reads) && (focus.key === null || !!readers),
		}));
	}

	let followed = "";
	/** A token that was focused elsewhere is scrolled to; one that is hovered here never moves. */
	function followFocus({ focus, state }: Scene): void {
		const index = focus.query ?? focus.key;
		const key = JSON.stringify([state.selected]);
		if (index === null || state.selected === null || key === followed) {
			if (state.selected === null) followed = "";
			return;
		}
		followed = key;
		reveal(index);
	}

	function reveal(index: number): void {
		if (!scene) return;
		const height = rowHeight(scene.description);
		const at = index * height;
		const viewport = scroll.clientHeight;
		if (at < top || at + height > top + viewport) scroll.scrollTop = at - viewport / 2;
	}

	const measure = () => {
		width = scroll.clientWidth;
		top = scroll.scrollTop;
	};
	return { el, measure, update };
}

/** Say how much of what is read lies above and below what is in view. */
function sayBeyond(
	[above, below]: readonly [HTMLElement, HTMLElement],
	{ focus, reads }: Scene,
	place: Place,
): void {
	const [first, last] = rowsInView(place, reads?.mean.length ?? 0);
	const sum = (from: number, to: number) =>
		focus.query === null || !reads
			? 0
			: reads.mean.subarray(from, to).reduce((total, weight) => total + weight, 0);
	say(above, "↑", "above", sum(0, first));
	say(below, "↓", "below", sum(last, reads?.mean.length ?? 0));
	below.style.top = `${place.viewport - 22}px`;
}

function say(el: HTMLElement, arrow: string, where: string, weight: number): void {
	const text = Math.abs(weight) >= FEW_NUMBERS ? `${arrow} ${weight.toFixed(2)} ${where}` : "";
	if (el.textContent !== text) el.replaceChildren(...(text ? [make("span", {}, text)] : []));
}

/** What stands behind and beside the tokens of one side. */
function sideOf(scene: Scene, role: "query" | "key"): Side {
	const table = role === "query" ? scene.tokens.queries : scene.tokens.keys;
	const { focus, reads, readers, received, state, colours, description } = scene;
	const reading = role === "key" ? reads : readers;
	const on = (role === "key" ? focus.query : focus.key) !== null;
	const resting = role === "key" ? received : undefined;
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

function onKey(
	event: KeyboardEvent,
	{ state, focus, description }: Scene,
	actions: Actions,
	reveal: (index: number) => void,
): void {
	if (withModifier(event)) return;
	// From what is hovered, not from the pin: a pin stays where it is.
	const [query, key] = state.hovered ?? [focus.query, focus.key];
	const side = key !== null && query === null ? 1 : 0;
	const at = (side === 0 ? query : key) ?? -1;
	const pointer = (index: number, on: number): Pointer =>
		on === 0 ? [index, null] : [null, index];
	const move = (index: number, on: number) => {
		const last = (on === 0 ? description.queries : description.keys) - 1;
		const to = Math.max(0, Math.min(last, index));
		actions.hover(pointer(to, on), "token");
		reveal(to);
	};
	if (event.key === "ArrowDown") move(at + 1, side);
	else if (event.key === "ArrowUp") move(at - 1, side);
	else if (event.key === "ArrowRight") move(at, 1);
	else if (event.key === "ArrowLeft") move(at, 0);
	else if (event.key === "Enter" || event.key === " ") actions.pin(pointer(Math.max(0, at), side));
	else return;
	handled(event);
}
