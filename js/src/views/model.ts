import { density } from "../draw/noted";
import type { Scene } from "../scene";
import { endsOf, isSorted, scoresOf, showsScores } from "../scores";
import { fitCanvas, handled, make, setName, setText } from "../ui/dom";
import { gapsIn, headText, short } from "../ui/words";
import { ARROWS, zoomButtons, zoomOfKey } from "./gestures";
import { boxOf, type Grid, gridOf, headAt, headIn, orderBy, placeOf, type Room } from "./grid";
import { drawMarks, drawNames, drawNumbers } from "./map-marks";
import { remarkLine } from "./remark";
import { drawScores, scoreBar } from "./scored";
import { type Drawn, Thumbnails } from "./thumbnails";
import type { Actions, HeadOf, View } from "./view";

const SMALL_HEIGHT = 248;
const LARGE_HEIGHT = 540;
const MOST_ZOOM = 16;

/** Every head of every layer: to find one's way, and with a token looked at, what each reads for it. */
export function modelView(actions: Actions, signal: AbortSignal): View {
	const what = make("span");
	const caption = make("span", { class: "muted" });
	const sort = make("select", { "aria-label": "how heads are sorted" });
	const paint = make("input", { type: "checkbox" });
	const painting = make(
		"label",
		{ title: "colour heads by what sorts them" },
		paint,
		"colour by it",
	);
	const zooms = zoomButtons((factor) => zoomBy(factor), "the whole model", signal);
	const title = make("div", { class: "title" }, what, caption, sort, painting, zooms);
	const canvas = make("canvas");
	const marks = make("canvas");
	const drawing = make("div", { class: "drawing" }, canvas, marks);
	const content = make("div", { class: "content" }, drawing);
	const scroll = make(
		"div",
		{ class: "map", tabindex: 0, role: "application", "aria-label": "model view" },
		content,
	);
	const remark = remarkLine(actions, signal);
	const bar = scoreBar();
	remark.el.prepend(bar.el);
	const el = make(
		"section",
		{ class: "pane model", "aria-label": "model view" },
		title,
		scroll,
		remark.el,
	);
	const thumbnails = new Thumbnails();
	let scene: Scene | undefined;
	let grid: Grid | undefined;
	let zoom = 1;
	let view = { x: 0, y: 0, width: 0, height: 0 };
	let drawn = "";
	let drawnMarks = "";
	// Keys may come faster than frames, and each goes on from where the last one led.
	let pointed: HeadOf | null = null;
	let sorted: { by: string; order: readonly number[] } = { by: "layer", order: [] };
	let state: Drawn = { sampled: false, complete: false, level: 0 };

	function zoomBy(factor: number): void {
		zoom = factor === 0 ? 1 : Math.min(MOST_ZOOM, Math.max(1, zoom * factor));
		actions.redraw();
	}

	function peek(head: HeadOf | null): void {
		pointed = head;
		actions.peek(head);
	}

	const at = (event: MouseEvent): HeadOf | null => {
		if (!grid) return null;
		const box = content.getBoundingClientRect();
		return headAt(grid, event.clientX - box.left, event.clientY - box.top);
	};
	const choose = (head: HeadOf | null, also: boolean) => head && actions.choose(head, also);
	const options = { signal };
	scroll.addEventListener("pointermove", (event) => peek(at(event)), options);
	scroll.addEventListener("pointerleave", () => peek(null), options);
	scroll.addEventListener("blur", () => peek(null), options);
	scroll.addEventListener("click", (event) => choose(at(event), event.shiftKey), options);
	scroll.addEventListener("scroll", actions.redraw, options);
	scroll.addEventListener("keydown", (event) => onKey(event), options);
	sort.addEventListener("change", () => actions.set("sort", sort.value), options);
	paint.addEventListener(
		"change",
		() => actions.set("paint", paint.checked ? "score" : "weights"),
		options,
	);

	function onKey(event: KeyboardEvent): void {
		if (!scene || event.ctrlKey || event.metaKey || event.altKey) return;
		const { layer, head } = pointed ?? {
			layer: scene.state.layer,
			head: scene.state.heads[0] ?? 0,
		};
		const step = ARROWS[event.key];
		if (step && !event.shiftKey) reach({ layer, head }, step);
		else if (event.key === "Enter" || event.key === " ") choose({ layer, head }, event.shiftKey);
		else if (zoomOfKey(event.key) !== undefined) zoomBy(zoomOfKey(event.key) as number);
		else return;
		handled(event);
	}

	function reach(from: HeadOf, [down, right]: readonly [number, number]): void {
		if (!grid) return;
		const [row, column] = placeOf(grid, from);
		const next = headIn(
			grid,
			Math.min(grid.layers - 1, Math.max(0, row + down)),
			Math.min(grid.heads - 1, Math.max(0, column + right)),
		);
		peek(next);
		const [left, top, width, height] = boxOf(grid, next);
		scroll.scrollLeft = within(view.x, left, width, view.width);
		scroll.scrollTop = within(view.y, top, height, view.height);
	}

	function update(now: Scene): void {
		scene = now;
		if (view.width === 0) return;
		const large = now.state.view.length === 1;
		const room = [view.width, large ? LARGE_HEIGHT : SMALL_HEIGHT] as const;
		const scores = scoresOf(now);
		grid = gridOf(now.description, room, zoom, large, ordered(now.state.sort, scores));
		offer(now);
		const height = Math.min(large ? LARGE_HEIGHT : SMALL_HEIGHT, grid.height);
		scroll.style.height = `${height}px`;
		content.style.width = `${grid.width}px`;
		content.style.height = `${grid.height}px`;
		const shown = { ...view, height, width: Math.min(view.width, grid.width) };
		zooms.hidden = zoom === 1 && Math.min(grid.across, grid.down) > 24;
		setName(scroll, nameOf(now, scores));
		const scored = showsScores(now);
		const { focus, ink, colours } = now;
		const weights = [focus.query, focus.key, now.state.pooling, ink.name];
		const key = JSON.stringify([
			grid,
			shown,
			...(scored ? [now.state.sort, colours.dark, !scores] : weights),
			density(),
		]);
		// What is missing is wished for in every frame.
		if (key !== drawn || !state.complete) {
			const of = grid;
			const painted = (cells: (context: CanvasRenderingContext2D) => void) => {
				const context = inContent(canvas, shown);
				drawNumbers(context, of, shown, now);
				cells(context);
				if (!scored) drawNames(context, of, shown, now);
			};
			if (!scored) state = thumbnails.draw(now, grid, shown, key !== drawn, painted);
			else {
				painted((context) => scores && drawScores(context, of, shown, now, scores));
				state = { sampled: false, complete: scores !== undefined, level: 0 };
			}
			drawn = key;
		}
		bar.el.hidden = !scored;
		bar.colour(colours);
		title.classList.toggle("sorted", isSorted(now));
		setText(what, titleOf(now));
		setText(caption, captionOf(now, scores));
		remark.say(
			now.state.pooling,
			cellOf(now, state),
			scored ? endsText(now, scores) : remarksOf(now, state),
		);
		const marked = JSON.stringify([key, now.state.layer, now.state.heads, now.peek]);
		if (marked === drawnMarks) return;
		drawnMarks = marked;
		drawMarks(inContent(marks, shown), grid, now);
	}

	/** Sorted once for each score: they don't change once they are here. */
	function ordered(by: string, scores: Float32Array | undefined): readonly number[] | null {
		if (!scores) return null;
		if (by !== sorted.by) sorted = { by, order: orderBy(scores) };
		return sorted.order;
	}

	function offer(now: Scene): void {
		const { description, state } = now;
		const { scores } = description;
		if (sort.length !== scores.length + 1)
			sort.replaceChildren(
				make("option", { value: "layer" }, "by layer"),
				...scores.map((score) => {
					const [value, title] = score.split(": ") as [string, string];
					return make("option", { value, title }, `by ${value}`);
				}),
			);
		sort.value = state.sort;
		sort.title = sort.selectedOptions[0]?.title ?? "";
		painting.hidden = !isSorted(now);
		paint.checked = state.paint === "score";
	}

	const measure = () => {
		view = {
			x: scroll.scrollLeft,
			y: scroll.scrollTop,
			width: scroll.clientWidth,
			height: scroll.clientHeight,
		};
	};
	return { el, measure, update };
}

/** Where to scroll so that a stretch is in view, as little as that takes. */
function within(from: number, start: number, length: number, room: number): number {
	return Math.max(Math.min(from, start), start + length - room);
}

/** A canvas of the room's size whose context counts from the content's corner. */
function inContent(canvas: HTMLCanvasElement, view: Room) {
	const context = fitCanvas(canvas, view.width, view.height);
	context.translate(-view.x, -view.y);
	return context;
}

function captionOf(scene: Scene, scores: Float32Array | undefined): string {
	const { description, peek, state } = scene;
	if (!peek) return scores ? `highest ${state.sort} first` : "layers ↓ heads →";
	// Beside the score's name, which is chosen there.
	return [headText(description, peek), scoreOf(scene, peek, scores)].filter(Boolean).join(" · ");
}

/** A head's score, in words; "" where heads are sorted by none, and until it is here. */
function scoreOf({ description }: Scene, at: HeadOf, scores: Float32Array | undefined): string {
	return scores?.[at.layer * description.heads + at.head]?.toFixed(3) ?? "";
}

function titleOf(scene: Scene): string {
	const { focus, tokens } = scene;
	if (showsScores(scene)) return "every head";
	if (focus.query !== null) return `every head: what “${short(tokens.queries, focus.query)}” reads`;
	if (focus.key !== null) return `every head: what reads “${short(tokens.keys, focus.key)}”`;
	return "every head";
}

function nameOf(scene: Scene, scores: Float32Array | undefined): string {
	const { description, state, peek } = scene;
	const at = peek ?? { layer: state.layer, head: state.heads[0] ?? 0 };
	const score = scores ? `, ${state.sort} ${scoreOf(scene, at, scores)}` : "";
	return `model view, ${headText(description, at)}${score}; arrow keys move, Enter opens the head, Shift and Enter adds it`;
}

/** What the colours of scores say, once these are here. */
function endsText(scene: Scene, scores: Float32Array | undefined): string[] {
	if (!scores) return gapsIn(scene, false);
	const { state } = scene;
	const ends = endsOf(scores)?.map((end) => end.toFixed(3));
	return ends ? [`${state.sort} from ${ends.join(" to ")}`] : [`no head has ${state.sort} here`];
}

/** What one cell holds, where that is more than one weight. */
function cellOf({ focus }: Scene, { level }: Drawn): string {
	if (level === 0) return "";
	const span = 2 ** level;
	return focus.query === null && focus.key === null ? `${span} × ${span} tokens` : `${span} tokens`;
}

function remarksOf(scene: Scene, { sampled, complete }: Drawn): string[] {
	if (sampled) return ["previews, from a sample of the queries"];
	return gapsIn(scene, complete);
}
