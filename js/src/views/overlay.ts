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

/** What lies over the cells and follows the pointer: labels and the cross of what is looked at. */
export function drawOverlay(context: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
	if (frame.labelled) {
		drawLabels(context, scene, frame, "query", scene.tokens.queries);
		drawLabels(context, scene, frame, "key", scene.tokens.keys);
	}
	drawCross(context, scene, frame);
}

function textColour(colours: Palette, strong: boolean): string {
	return css(colours.dark ? [235, 235, 240] : [27, 27, 31], strong ? 1 : 0.72);
}

function drawLabels(
	context: CanvasRenderingContext2D,
	{ colours, focus }: Scene,
	frame: Frame,
	side: "query" | "key",
	table: TokenTable,
): void {
	const { x, y, cell } = frame;
	const [first, last] = tokensInView(frame, side, table.text.length);
	context.font = `${Math.min(13, cell)}px system-ui, sans-serif`;
	context.textBaseline = "middle";
	context.textAlign = side === "query" ? "right" : "left";
	for (let index = first; index < last; index++) {
		const middle = (index + 0.5 - (side === "query" ? frame.query : frame.key)) * cell;
		if (middle < 0 || middle > (side === "query" ? frame.height : frame.width)) continue;
		const focused = (side === "query" ? focus.query : focus.key) === index;
		context.fillStyle = textColour(colours, focused);
		context.save();
		if (side === "query") context.translate(x - 6, y + middle);
		else {
			context.translate(x + middle, y - 6);
			context.rotate(-Math.PI / 3);
		}
		context.fillText(short(table, index, LABEL_LENGTH), 0, 0);
		context.restore();
	}
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
