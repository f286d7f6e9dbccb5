import { css, type Palette } from "../draw/colour";
import type { TokenTable } from "../protocol.gen";
import type { Scene } from "../scene";
import { short } from "../ui/words";
import { type Frame, tokensInView } from "./viewport";

const LABEL_LENGTH = 12;

/** The edge of the cells: most are as pale as the page. */
export function drawEdge(
	context: CanvasRenderingContext2D,
	{ colours }: Scene,
	{ x, y, width, height }: Frame,
): void {
	context.strokeStyle = css(colours.dark ? [255, 255, 255] : [0, 0, 0], 0.1);
	context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
}

/** Which token each row and column is, where there is room to say it. */
export function drawLabels(context: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
	for (const side of ["query", "key"] as const) {
		const [first, last] = tokensInView(frame, side, tableOf(scene, side).text.length);
		for (let index = first; index < last; index++)
			drawLabel(context, scene, frame, side, index, false);
	}
}

/** What lies over the cells and follows the pointer: the cross of what is looked at, and its labels. */
export function drawOverlay(context: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
	for (const side of ["query", "key"] as const)
		if (scene.focus[side] !== null) drawLabel(context, scene, frame, side, scene.focus[side], true);
	drawCross(context, scene, frame);
}

function tableOf({ tokens }: Scene, side: "query" | "key"): TokenTable {
	return side === "query" ? tokens.queries : tokens.keys;
}

function textColour(colours: Palette, strong: boolean): string {
	return css(colours.dark ? [235, 235, 240] : [27, 27, 31], strong ? 1 : 0.72);
}

function drawLabel(
	context: CanvasRenderingContext2D,
	scene: Scene,
	frame: Frame,
	side: "query" | "key",
	index: number,
	strong: boolean,
): void {
	const { x, y, cell } = frame;
	const down = side === "query";
	const middle = (index + 0.5 - (down ? frame.query : frame.key)) * cell;
	if (!frame.labelled || middle < 0 || middle > (down ? frame.height : frame.width)) return;
	context.font = `${Math.min(13, cell)}px system-ui, sans-serif`;
	context.textBaseline = "middle";
	context.textAlign = down ? "right" : "left";
	context.fillStyle = textColour(scene.colours, strong);
	context.save();
	context.translate(down ? x - 6 : x + middle, down ? y + middle : y - 6);
	if (!down) context.rotate(-Math.PI / 3);
	context.fillText(short(tableOf(scene, side), index, LABEL_LENGTH), 0, 0);
	context.restore();
}

function drawCross(
	context: CanvasRenderingContext2D,
	{ focus, colours }: Scene,
	frame: Frame,
): void {
	const { x, y, width, height, cell } = frame;
	const [query, key] = focus.pair ?? [focus.query, focus.key];
	// A cell of a few pixels would vanish between two lines of its frame: mark its middle instead.
	const thick = cell < 6 ? 0 : cell;
	const inset = (cell - thick) / 2;
	context.save();
	context.beginPath();
	context.rect(x - 1, y - 1, width + 2, height + 2);
	context.clip();
	context.lineWidth = thick ? 1.5 : 0.75;
	if (query !== null) {
		context.strokeStyle = css(colours.reader, 0.9);
		context.strokeRect(x, y + (query - frame.query) * cell + inset, width, thick);
	}
	if (key !== null) {
		context.strokeStyle = css(colours.read, 0.95);
		context.strokeRect(x + (key - frame.key) * cell + inset, y, thick, height);
	}
	context.restore();
}
