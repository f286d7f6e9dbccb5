import { h, render } from "preact";
import { density } from "../draw/noted";
import type { Description, Pointer } from "../protocol.gen";
import type { Scene } from "../scene";
import { handled, isEnter, make, setName, setText, withModifier } from "../ui/dom";
import { LineControls } from "../ui/lines";
import { FEW_NUMBERS, headsText } from "../ui/words";
import { tokenColumn } from "./column";
import { frontCurves, LineCanvas, restCurves } from "./curves";
import { labelAt, type Place, placeOf, tokensInView } from "./place";
import { sideOf } from "./side";
import type { Actions, View } from "./view";

/** Queries left, keys right, a line per weight; several heads at once, each in its colour. */
export function headsView(actions: Actions, signal: AbortSignal): View {
	const what = make("span", { class: "muted" });
	const controls = make("div", { class: "line-controls" });
	const title = make("div", { class: "title" }, what, controls);
	const querySide = make("span", { class: "side query-side" });
	const keySide = make("span", { class: "side key-side" });
	const rest = new LineCanvas(make("canvas", { class: "lines rest" }));
	const front = new LineCanvas(make("canvas", { class: "lines" }));
	const beyond = [make("div", { class: "beyond" }), make("div", { class: "beyond" })] as const;
	const drawing = make("div", { class: "drawing" }, rest.el, front.el, ...beyond);
	const queries = tokenColumn("query");
	const keys = tokenColumn("key");
	const content = make("div", { class: "content" }, drawing, queries.el, keys.el);
	const scroll = make("div", { class: "scroll", tabindex: 0, role: "application" }, content);
	const el = make(
		"section",
		{ class: "pane heads", "aria-label": "head view" },
		title,
		querySide,
		keySide,
		scroll,
	);
	let scene: Scene | undefined;
	let place: Place | undefined;
	let width = 0;
	let scrolled = { top: 0, left: 0 };
	let open = false;

	const pointerOf = (event: MouseEvent): Pointer | null => {
		if (!scene || !place) return null;
		const box = content.getBoundingClientRect();
		const [side, index] = labelAt(place, event.clientX - box.left, event.clientY - box.top) ?? [];
		return side === undefined || (index ?? 0) >= countOf(scene.description, side)
			? null
			: pointerAt(index ?? 0, side);
	};
	const options = { signal };
	scroll.addEventListener(
		"pointermove",
		(event) => actions.hover(pointerOf(event), "token"),
		options,
	);
	scroll.addEventListener("pointerleave", () => actions.hover(null, "token"), options);
	scroll.addEventListener(
		"click",
		(event) => {
			const pointer = pointerOf(event);
			if (pointer) actions.pin(pointer, event.shiftKey);
		},
		options,
	);
	scroll.addEventListener("scroll", () => actions.redraw(), options);
	scroll.addEventListener("keydown", (event) => scene && onKey(event, scene), options);
	signal.addEventListener("abort", () => render(null, controls));

	function update(now: Scene): void {
		scene = now;
		const { description, state } = now;
		if (width === 0) return;
		const sideBySide = state.orientation === "horizontal";
		place = placeOf(description, sideBySide, width, sideBySide ? scrolled.left : scrolled.top);
		lay(place);
		say(now);
		drawControls(now);
		drawLines(now, place);
		sayBeyond(beyond, now, place);
		queries.update(sideOf(now, "query"), place);
		keys.update(sideOf(now, "key"), place);
		followFocus(now);
	}

	let laid = "";
	/** Sizes are written where they change: a hover must not lay the page out anew. */
	function lay({ across, count, step, viewport, sideBySide }: Place): void {
		const sizes = [across.size, count * step, viewport, sideBySide].join();
		if (sizes === laid) return;
		laid = sizes;
		el.classList.toggle("side-by-side", sideBySide);
		scroll.style.height = sideBySide ? "" : `${viewport}px`;
		content.style.height = `${sideBySide ? across.size : count * step}px`;
		content.style.width = sideBySide ? `${count * step}px` : "";
		// What a side is called stands over its labels.
		el.style.gridTemplateColumns = `minmax(${across.from - 8}px, max-content) 1fr ${across.size - across.to - 8}px`;
		drawing.style.width = `${sideBySide ? viewport : across.size}px`;
		const [before, after] = beyond;
		before.style.cssText = sideBySide ? `left:0;top:${across.from}px` : "";
		after.style.cssText = sideBySide ? `right:0;top:${across.from}px` : `top:${viewport - 22}px`;
	}

	function say(now: Scene): void {
		const { state, focus, received } = now;
		const over = ({ length }: readonly number[]) =>
			length > 1 ? ` · ${state.combine} over ${length}` : "";
		setText(what, headsText(now));
		setText(querySide, `query reads …${over(focus.keys)}`);
		setText(
			keySide,
			received ? `… key · mean ${now.description.number}` : `… key${over(focus.queries)}`,
		);
		const [token, side] =
			state.orientation === "horizontal"
				? ["left and right", "up and down"]
				: ["up and down", "left and right"];
		setName(
			scroll,
			`head view, ${headsText(now)}; ${token} move the token, ${side} the side, Enter pins, Shift+Enter pins several`,
		);
	}

	let controlled = "";
	function drawControls({ state, description, tokens }: Scene): void {
		const { top_mass, top_k, threshold, between, orientation } = state;
		const shown = JSON.stringify([top_mass, top_k, threshold, between, orientation, open]);
		if (shown === controlled) return;
		controlled = shown;
		const toggle = () => {
			open = !open;
			actions.redraw();
		};
		const { set } = actions;
		render(h(LineControls, { state, description, tokens, open, toggle, set }), controls);
	}

	/** The resting lines change with the layer, heads or scrolling, never with a hover. */
	function drawLines(now: Scene, place: Place): void {
		const { state, colours, focus, reads, readers } = now;
		const { layer, heads, top_mass, top_k, threshold, between } = state;
		const { queries, keys } = focus;
		rest.el.classList.toggle("behind", queries.length + keys.length > 0);
		const limits = [top_mass, top_k, threshold, between];
		const shown = [place, layer, heads, limits, colours.dark, density()];
		rest.update(JSON.stringify(shown), place, () => restCurves(now, place));
		front.update(JSON.stringify([...shown, queries, keys]), place, () => ({
			curves: frontCurves(now, place),
			complete: (!queries.length || !!reads) && (!keys.length || !!readers),
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
		if (!place) return;
		const { step, start, viewport, sideBySide } = place;
		const at = index * step;
		if (at >= start && at + step <= start + viewport) return;
		scroll[sideBySide ? "scrollLeft" : "scrollTop"] = at - viewport / 2;
	}

	function onKey(event: KeyboardEvent, { state, focus, description }: Scene): void {
		if (withModifier(event) && !isEnter(event)) return;
		// From what is hovered, not from the pin: a pin stays where it is.
		const [query, key] = state.hovered ?? [focus.query, focus.key];
		const side = key !== null && query === null ? 1 : 0;
		const at = (side === 0 ? query : key) ?? -1;
		const move = (index: number, on: 0 | 1) => {
			const to = Math.max(0, Math.min(countOf(description, on) - 1, index));
			actions.hover(pointerAt(to, on), "token");
			reveal(to);
		};
		const arrows = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];
		const arrow = arrows.indexOf(event.key);
		const along = state.orientation === "horizontal" ? arrow - 2 : arrow;
		if (event.key === "Enter" || event.key === " ")
			actions.pin(pointerAt(Math.max(0, at), side), event.shiftKey);
		else if (arrow < 0) return;
		else if (along === 0) move(at - 1, side);
		else if (along === 1) move(at + 1, side);
		else move(at, arrow % 2 === 0 ? 0 : 1);
		handled(event);
	}

	const measure = () => {
		width = scroll.clientWidth;
		scrolled = { top: scroll.scrollTop, left: scroll.scrollLeft };
	};
	return { el, measure, update };
}

function pointerAt(index: number, side: 0 | 1): Pointer {
	return side === 0 ? [index, null] : [null, index];
}

function countOf({ queries, keys }: Description, side: 0 | 1): number {
	return side === 0 ? queries : keys;
}

/** Say how much of what is read lies before and after what is in view. */
function sayBeyond(
	[before, after]: readonly [HTMLElement, HTMLElement],
	{ focus, reads }: Scene,
	place: Place,
): void {
	const count = reads?.mean.length ?? 0;
	const [first, last] = tokensInView(place, count);
	const sum = (from: number, to: number) =>
		focus.query === null || !reads
			? 0
			: reads.mean.subarray(from, to).reduce((total, weight) => total + weight, 0);
	const { sideBySide } = place;
	sayWeight(before, sideBySide ? "←" : "↑", sideBySide ? "before" : "above", sum(0, first));
	sayWeight(after, sideBySide ? "→" : "↓", sideBySide ? "after" : "below", sum(last, count));
}

function sayWeight(el: HTMLElement, arrow: string, where: string, weight: number): void {
	const text = Math.abs(weight) >= FEW_NUMBERS ? `${arrow} ${weight.toFixed(2)} ${where}` : "";
	if (el.textContent !== text) el.replaceChildren(...(text ? [make("span", {}, text)] : []));
}
