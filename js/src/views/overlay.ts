import { css } from "../draw/colour";
import type { Scene } from "../scene";
import { drawAxes } from "./axes";
import type { Frame } from "./viewport";

/** The edge of the cells: most are as pale as the page. */
export function drawEdge(
	context: CanvasRenderingContext2D,
	{ colours }: Scene,
	{ x, y, width, height }: Frame,
): void {
	context.strokeStyle = css(colours.dark ? [255, 255, 255] : [0, 0, 0], 0.1);
	context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
}

/** What lies over the cells and follows the pointer: the axes, and the cross of what is looked at. */
export function drawOverlay(context: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
	drawAxes(context, scene, frame);
	drawCross(context, scene, frame);
}

function drawCross(
	context: CanvasRenderingContext2D,
	{ focus, colours }: Scene,
	frame: Frame,
): void {
	const { x, y, width, height, cell } = frame;
	const { pair, together, queries, keys } = focus;
	const rows = pair && together !== "query" ? [pair[0]] : queries;
	const columns = pair && together !== "key" ? [pair[1]] : keys;
	// A cell of a few pixels would vanish between two lines of its frame: mark its middle instead.
	const thick = cell < 6 ? 0 : cell;
	const inset = (cell - thick) / 2;
	context.save();
	context.beginPath();
	context.rect(x - 1, y - 1, width + 2, height + 2);
	context.clip();
	// A thin line is one row of pixels, not two that are half as strong.
	const at = (place: number) => (thick ? place : Math.floor(place) + 0.5);
	// On the ground's own colour: a line has to be seen on every shade, its own among them.
	const ground = css(colours.dark ? [0, 0, 0] : [255, 255, 255], 0.7);
	for (const around of [1.5, 0]) {
		context.lineWidth = (thick ? 1.5 : 1) + around;
		context.strokeStyle = around ? ground : css(colours.reader);
		for (const query of rows)
			context.strokeRect(x, at(y + (query - frame.query) * cell + inset), width, thick);
		context.strokeStyle = around ? ground : css(colours.read);
		for (const key of columns)
			context.strokeRect(at(x + (key - frame.key) * cell + inset), y, thick, height);
	}
	context.restore();
}
