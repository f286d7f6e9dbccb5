import { css, type Palette } from "../draw/colour";
import { paintCells } from "../draw/matrix";
import type { Description, Pointer, TokenTable } from "../protocol.gen";
import type { Scene } from "../scene";
import { fitCanvas, handled, make, withModifier } from "../ui/dom";
import { headsText, short } from "../ui/words";
import { type Picture, pictureOf } from "./picture";
import type { Actions, View } from "./view";

const MAX_SIDE = 520;
/** A host that opens a panel passes through widths of some pixels. */
const MIN_SIDE = 20;
const MAX_CELL = 28;
/** Labels need room: below this a cell is too low for a line of text. */
const LABELLED_CELL = 12;
const LABEL_LENGTH = 12;
const LABEL_ROOM = 84;
/** The slanted labels of the last keys lean out to the right. */
const LEAN = 40;

/** Where the matrix lies on its canvas, in CSS pixels. */
interface Frame {
	readonly x: number;
	readonly y: number;
	readonly lean: number;
	readonly cell: number;
	readonly labelled: boolean;
	readonly level: number;
}

function frameOf({ queries, keys }: Description, width: number): Frame {
	const room = Math.min(MAX_SIDE, Math.max(MIN_SIDE, width));
	const cells = Math.max(queries, keys);
	const labelled = (room - LABEL_ROOM - LEAN) / cells >= LABELLED_CELL;
	const margin = labelled ? LABEL_ROOM : 1;
	const lean = labelled ? LEAN : 1;
	const cell = Math.min(MAX_CELL, (room - margin - lean) / keys, (MAX_SIDE - margin - 1) / queries);
	// Pool until a cell is no smaller than a pixel: dropping rows would drop weights unsaid.
	const level = Math.max(0, Math.ceil(-Math.log2(cell * devicePixelRatio)));
	return { x: margin, y: margin, lean, cell, labelled, level };
}

/** The whole of the chosen heads, a cell per weight; rows read, columns are read. */
export function matrixView(actions: Actions, signal: AbortSignal): View {
	const title = make("div", { class: "title" });
	const canvas = make("canvas");
	const cross = make("canvas", { class: "cross" });
	const stage = make("div", { class: "stage", tabindex: 0, role: "application" }, canvas, cross);
	const el = make("section", { class: "pane matrix", "aria-label": "matrix view" }, title, stage);
	let scene: Scene | undefined;
	let frame: Frame | undefined;
	let drawn = "";
	let width = 0;

	const pointerOf = (event: MouseEvent): Pointer | null => {
		if (!scene || !frame) return null;
		const box = stage.getBoundingClientRect();
		const key = Math.floor((event.clientX - box.left - frame.x) / frame.cell);
		const query = Math.floor((event.clientY - box.top - frame.y) / frame.cell);
		const { queries, keys } = scene.description;
		const onQuery = query >= 0 && query < queries;
		const onKey = key >= 0 && key < keys;
		if (onQuery && onKey) return [query, key];
		if (onQuery && key < 0) return [query, null];
		if (onKey && query < 0) return [null, key];
		return null;
	};
	stage.addEventListener("pointermove", (event) => actions.hover(pointerOf(event), "cell"), {
		signal,
	});
	stage.addEventListener("pointerleave", () => actions.hover(null, "cell"), { signal });
	stage.addEventListener(
		"click",
		(event) => {
			const pointer = pointerOf(event);
			if (pointer) actions.pin(pointer);
		},
		{ signal },
	);
	stage.addEventListener("keydown", (event) => scene && onKey(event, scene, actions), { signal });

	function update(now: Scene): void {
		scene = now;
		if (width === 0) return;
		const { description, state } = now;
		frame = frameOf(description, width);
		const size = [
			frame.x + description.keys * frame.cell + frame.lean,
			frame.y + description.queries * frame.cell + 1,
		] as const;
		stage.style.width = `${size[0]}px`;
		stage.style.height = `${size[1]}px`;
		stage.ariaLabel = `matrix view, ${headsText(now)}: rows are queries, columns are keys; arrow keys move, Enter pins`;
		const picture = pictureOf(now, frame.level);
		title.replaceChildren(...titleOf(now, picture.level));
		const key = JSON.stringify([
			frame,
			size,
			picture.level,
			picture.here,
			state.layer,
			state.heads,
			now.colours.dark,
			devicePixelRatio,
		]);
		if (key !== drawn) {
			drawn = key;
			drawMatrix(fitCanvas(canvas, ...size), picture, now, frame);
		}
		const front = fitCanvas(cross, ...size);
		drawLabels(front, now, frame);
		drawCross(front, now, frame);
	}
	const measure = () => {
		width = el.clientWidth;
	};
	return { el, measure, update };
}

function drawMatrix(
	context: CanvasRenderingContext2D,
	{ level, cells: put }: Picture,
	scene: Scene,
	frame: Frame,
): void {
	const { description, colours } = scene;
	const cells = put();
	const bitmap = new OffscreenCanvas(cells.columns, cells.rows);
	bitmap.getContext("2d")?.putImageData(paintCells(cells, colours, description.scale), 0, 0);
	context.imageSmoothingEnabled = false;
	const { x, y, cell } = frame;
	const side = cell * 2 ** level;
	context.strokeStyle = css(colours.dark ? [255, 255, 255] : [0, 0, 0], 0.1);
	context.drawImage(bitmap, x, y, cells.columns * side, cells.rows * side);
	context.strokeRect(x + 0.5, y + 0.5, description.keys * cell - 1, description.queries * cell - 1);
}

function drawLabels(context: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
	if (!frame.labelled) return;
	const { description, tokens } = scene;
	for (let q = 0; q < description.queries; q++)
		drawLabel(context, scene, frame, "query", q, tokens.queries);
	for (let k = 0; k < description.keys; k++)
		drawLabel(context, scene, frame, "key", k, tokens.keys);
}

function textColour(colours: Palette, strong: boolean): string {
	return css(colours.dark ? [235, 235, 240] : [27, 27, 31], strong ? 1 : 0.72);
}

function drawLabel(
	context: CanvasRenderingContext2D,
	{ colours, focus }: Scene,
	{ x, y, cell }: Frame,
	side: "query" | "key",
	index: number,
	table: TokenTable,
): void {
	const focused = (side === "query" ? focus.query : focus.key) === index;
	context.font = `${Math.min(13, cell)}px system-ui, sans-serif`;
	context.fillStyle = textColour(colours, focused);
	context.textBaseline = "middle";
	const label = short(table, index, LABEL_LENGTH);
	context.save();
	if (side === "query") {
		context.textAlign = "right";
		context.translate(x - 6, y + (index + 0.5) * cell);
	} else {
		context.textAlign = "left";
		context.translate(x + (index + 0.5) * cell, y - 6);
		context.rotate(-Math.PI / 3);
	}
	context.fillText(label, 0, 0);
	context.restore();
}

function drawCross(
	context: CanvasRenderingContext2D,
	{ focus, colours, description }: Scene,
	{ x, y, cell }: Frame,
): void {
	// A cell of a few pixels would vanish between two lines of its frame: mark its middle instead.
	const thick = cell < 6 ? 0 : cell;
	const inset = (cell - thick) / 2;
	const [query, key] = focus.pair ?? [focus.query, focus.key];
	context.lineWidth = thick ? 1.5 : 0.75;
	if (query !== null && query < description.queries) {
		context.strokeStyle = css(colours.reader, 0.9);
		context.strokeRect(x, y + query * cell + inset, description.keys * cell, thick);
	}
	if (key !== null && key < description.keys) {
		context.strokeStyle = css(colours.read, 0.95);
		context.strokeRect(x + key * cell + inset, y, thick, description.queries * cell);
	}
}

function titleOf(scene: Scene, level: number): Node[] {
	const span = 2 ** level;
	const pooled = level > 0 ? ` · max-pooled: 1 cell = ${span} × ${span} tokens` : "";
	const mean = scene.state.heads.length > 1 ? ` · mean over ${scene.state.heads.length} heads` : "";
	return [
		make("span", {}, "query ↓ reads key →"),
		make("span", { class: "muted" }, `${headsText(scene)}${mean}${pooled}`),
	];
}

function onKey(event: KeyboardEvent, { focus, description }: Scene, actions: Actions): void {
	if (withModifier(event)) return;
	const [query, key] = focus.pair ?? [focus.query ?? 0, focus.key ?? 0];
	const steps: Readonly<Record<string, readonly [number, number]>> = {
		ArrowDown: [1, 0],
		ArrowUp: [-1, 0],
		ArrowRight: [0, 1],
		ArrowLeft: [0, -1],
	};
	const step = steps[event.key];
	if (step) {
		const within = (index: number, count: number) => Math.min(count - 1, Math.max(0, index));
		actions.hover(
			[within(query + step[0], description.queries), within(key + step[1], description.keys)],
			"cell",
		);
	} else if (event.key === "Enter" || event.key === " ") actions.pin([query, key]);
	else return;
	handled(event);
}
