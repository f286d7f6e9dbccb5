import { density } from "../draw/noted";
import type { Pointer, SpanKey, TokenTable } from "../protocol.gen";
import type { Scene } from "../scene";
import { fitCanvas, handled, isEnter, make, setName, setText, withModifier } from "../ui/dom";
import { gapsIn, headsText, numberText } from "../ui/words";
import { BLOCK_CELL, drawBlocks } from "./blocks";
import { ARROWS, onGestures, zoomButtons, zoomOfKey } from "./gestures";
import { drawEdge, drawOverlay } from "./overlay";
import { TilePainter } from "./picture";
import { remarkLine } from "./remark";
import { drawSums, Summing, type Sums } from "./sums";
import type { Actions, View } from "./view";
import {
	type Frame,
	frameOf,
	lookAt,
	panBy,
	reveal,
	tokensInView,
	type Viewport,
	zoomAt,
} from "./viewport";

/** The chosen heads, a cell per weight; rows read, columns are read; zoomed from the whole to one cell. */
export function matrixView(
	actions: Actions,
	signal: AbortSignal,
	block: SpanKey | null = null,
): View {
	const caption = make("span", { class: "muted" });
	const zooms = zoomButtons((factor) => zoomMiddle(factor), "the whole matrix", signal);
	const title = make(
		"div",
		{ class: "title" },
		make("span", {}, "query ↓ reads key →"),
		caption,
		zooms,
	);
	const remark = remarkLine(actions, signal);
	const cellLine = make("div", { class: "at muted" });
	const canvas = make("canvas");
	const margins = make("canvas", { class: "margins" });
	const cross = make("canvas", { class: "cross" });
	const stage = make(
		"div",
		{ class: "stage", tabindex: 0, role: "application" },
		canvas,
		margins,
		cross,
	);
	const el = make(
		"section",
		{ class: "pane matrix", "aria-label": "matrix view" },
		title,
		stage,
		remark.el,
		cellLine,
	);
	const painter = new TilePainter();
	const summing = new Summing();
	let scene: Scene | undefined;
	let frame: Frame | undefined;
	let viewport: Viewport | null = null;
	let opened = block;
	let drawn = "";
	let painted = { coarsest: 0, complete: false };
	/** Sums stay through a hover, and what lies over the cells through a scroll of another view. */
	let drawnSums: { key: string; sums: Sums | undefined } = { key: "", sums: undefined };
	let drawnOver = "";
	let followed: Pointer | null = null;
	let width = 0;

	const pointerAt = (x: number, y: number): Pointer | null => {
		if (!scene || !frame) return null;
		const key = Math.floor((x - frame.x) / frame.cell + frame.key);
		const query = Math.floor((y - frame.y) / frame.cell + frame.query);
		const { queries, keys } = scene.description;
		const onQuery = y >= frame.y && y < frame.y + frame.height && query < queries;
		const onKey = x >= frame.x && x < frame.x + frame.width && key < keys;
		if (onQuery && onKey) return [query, key];
		if (onQuery) return [query, null];
		return onKey ? [null, key] : null;
	};
	const zoom = (x: number, y: number, factor: number) => {
		if (!frame) return;
		viewport = zoomAt(frame, x, y, factor);
		actions.redraw();
	};
	const zoomMiddle = (factor: number) =>
		frame && zoom(frame.x + frame.width / 2, frame.y + frame.height / 2, factor);
	onGestures(
		stage,
		{
			hover: (x, y) => actions.hover(pointerAt(x, y), "cell"),
			leave: () => actions.hover(null, "cell"),
			click: (x, y, also) => {
				const pointer = pointerAt(x, y);
				if (pointer) actions.pin(pointer, also);
			},
			pan: (dx, dy) => {
				viewport = frame ? panBy(frame, dx, dy) : null;
				actions.redraw();
			},
			zoom,
		},
		signal,
	);
	stage.addEventListener(
		"dblclick",
		({ clientX, clientY }) => {
			const { left, top } = stage.getBoundingClientRect();
			open(pointerAt(clientX - left, clientY - top));
		},
		{ signal },
	);
	stage.addEventListener("keydown", (event) => onKey(event), { signal });

	/** Go to the cells of a block of segments; false where there are none to go to. */
	function open(cell: Pointer | null): boolean {
		const [query, key] = cell ?? [null, null];
		if (!scene || !hasBlocks(scene) || query === null || key === null) return false;
		const { queries, keys } = scene.tokens;
		const [from, to] = [queries.segment[query] ?? -1, keys.segment[key] ?? -1];
		actions.open(
			[...tokensOf(queries, query), ...tokensOf(keys, key)],
			from < 0 || to < 0 ? [] : [[from, to]],
		);
		return true;
	}

	function onKey(event: KeyboardEvent): void {
		const factor = zoomOfKey(event.key);
		if (factor !== undefined) zoomMiddle(factor);
		else if (withModifier(event) && !isEnter(event)) return;
		else if (!scene || !frame) return;
		else {
			const cell = cellFor(event.key, scene);
			if (!cell) return;
			const enter = event.key === "Enter";
			if (!enter && event.key !== " ") {
				viewport = frame.zoomed ? reveal(frame, ...cell) : viewport;
				actions.hover(cell, "cell");
			} else if (!enter || event.shiftKey || !open(cell)) actions.pin(cell, event.shiftKey);
		}
		handled(event);
	}

	/** A pin that was set elsewhere is brought into view, once. */
	function follow(now: Frame, selected: Pointer | null): void {
		if (now.zoomed && selected && `${selected}` !== `${followed}`)
			viewport = reveal(now, ...selected);
		followed = selected;
	}

	function update(now: Scene): void {
		scene = now;
		if (width === 0) return;
		const { description, state } = now;
		const largest = state.unit === "segment" ? BLOCK_CELL : undefined;
		const framed = () => frameOf(description, width, viewport, largest);
		if (opened) viewport = lookAt(frameOf(description, width, null), opened);
		opened = null;
		follow(framed(), state.selected);
		frame = framed();
		stage.style.width = `${frame.size[0]}px`;
		stage.style.height = `${frame.size[1]}px`;
		const name = `matrix view, ${headsText(now)}: rows are queries, columns are keys; arrow keys move, ${hasBlocks(now) ? "Enter opens a block's cells, Space" : "Enter"} pins, + and − zoom, 0 shows the whole`;
		setName(stage, name);
		zooms.hidden = frame.cells[0] >= frame.cells[1];
		const key = JSON.stringify([
			frame,
			state.layer,
			state.heads,
			state.pooling,
			now.ink.name,
			density(),
		]);
		// While tiles are missing they are wished for in every frame, or they would no longer be computed.
		if (key !== drawn || !painted.complete) {
			drawn = key;
			const context = fitCanvas(canvas, ...frame.size);
			painted = painter.draw(context, now, frame);
			drawEdge(context, now, frame);
			if (!drawBlocks(context, now, frame)) painted = { ...painted, complete: false };
		}
		setText(caption, headsText(now));
		const span = 2 ** painted.coarsest;
		const cell = span > 1 ? `${span} × ${span} tokens` : "";
		remark.say(state.pooling, cell, remarksOf(now, frame, painted.complete));
		// The cells first.
		const sums = painted.complete ? summing.of(now, frame) : undefined;
		if (key !== drawnSums.key || sums !== drawnSums.sums) {
			const around = fitCanvas(margins, ...frame.size);
			if (sums) drawSums(around, now, frame, sums);
		}
		const over = JSON.stringify([key, now.focus, painted.complete]);
		if (over === drawnOver && sums === drawnSums.sums) return;
		drawnOver = over;
		drawnSums = { key, sums };
		drawOverlay(fitCanvas(cross, ...frame.size), now, frame);
		setText(cellLine, cellText(now, frame, painter, sums));
	}
	const measure = () => {
		width = el.clientWidth;
	};
	return { el, measure, update };
}

/** The cell that a key moves to or acts on. */
function cellFor(
	key: string,
	{ focus, description }: Scene,
): readonly [number, number] | undefined {
	const [query, at] = focus.pair ?? [focus.query ?? 0, focus.key ?? 0];
	const step = key === "Enter" || key === " " ? ([0, 0] as const) : ARROWS[key];
	if (!step) return undefined;
	const within = (index: number, count: number) => Math.min(count - 1, Math.max(0, index));
	return [within(query + step[0], description.queries), within(at + step[1], description.keys)];
}

/** Whether a cell is of two segments, whose tokens can be had. */
function hasBlocks({ state, status }: Scene): boolean {
	return state.unit === "segment" && status.kind !== "gone";
}

/** Where the tokens of a segment lie: the first, and one past the last. */
function tokensOf({ count }: TokenTable, index: number): [number, number] {
	const first = count.slice(0, index).reduce((sum, length) => sum + length, 0);
	return [first, first + (count[index] ?? 1)];
}

/** What was done to what is shown: averaged, a part of the whole. */
function remarksOf(scene: Scene, frame: Frame, complete: boolean): string[] {
	const { description, state } = scene;
	const parts = gapsIn(scene, complete);
	if (hasBlocks(scene)) parts.push("double click or Enter opens a block's cells");
	if (state.heads.length > 1) parts.push(`mean over ${state.heads.length} heads`);
	if (frame.zoomed) {
		const [q0, q1] = tokensInView(frame, "query", description.queries);
		const [k0, k1] = tokensInView(frame, "key", description.keys);
		parts.push(`queries ${q0}–${q1 - 1}, keys ${k0}–${k1 - 1}`);
	}
	return parts;
}

/** What is under the pointer: a pooled cell's own value, and the sums of its row and column in view. */
function cellText(
	scene: Scene,
	frame: Frame,
	painter: TilePainter,
	sums: Sums | undefined,
): string {
	const { focus, state } = scene;
	const [query, key] = focus.pair ?? [focus.query, focus.key];
	const parts: string[] = [];
	const span = 2 ** frame.level;
	if (query !== null && key !== null && span > 1) {
		const weight = painter.valueAt(scene, frame.level, query, key);
		const pooled = `${state.pooling} of ${span} × ${span}`;
		if (weight !== undefined) parts.push(`${pooled} weights here: ${numberText(weight, false)}`);
	}
	const row = query === null ? undefined : sums?.rows.of(query);
	const column = key === null ? undefined : sums?.columns.of(key);
	const exact = sums?.exact === true;
	const part = frame.zoomed ? " in view" : "";
	if (row !== undefined) parts.push(`row sum${part} ${numberText(row, exact)}`);
	if (column !== undefined) parts.push(`column mean${part} ${numberText(column, exact)}`);
	return parts.join(" · ");
}
