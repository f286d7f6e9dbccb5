import { css } from "../draw/colour";
import type { Description } from "../protocol.gen";
import type { Scene } from "../scene";
import { boxIn, boxOf, cellsInView, type Grid, headIn, inView, labelStep, type Room } from "./grid";
import type { HeadOf } from "./view";

/** From this width on a head has room for its name. */
const NAMED_FROM = 30;

/** The numbers of heads above, and of layers beside them. */
export function drawNumbers(
	context: CanvasRenderingContext2D,
	grid: Grid,
	view: Room,
	{ colours, description }: Scene,
): void {
	// Sorted, a row is no layer; the head under the pointer is named above.
	if (grid.order) return;
	context.fillStyle = css(colours.dark ? [154, 154, 166] : [107, 107, 118]);
	context.font = "11px system-ui, sans-serif";
	context.textBaseline = "middle";
	context.textAlign = "center";
	const [head0, head1] = inView(view.x, view.width, grid.left, grid.across, grid.heads);
	for (let head = head0; head < head1; head++)
		if (head % labelStep(grid.across, 20) === 0)
			context.fillText(`${head}`, grid.left + (head + 0.5) * grid.across, grid.top / 2);
	context.textAlign = "right";
	const [layer0, layer1] = inView(view.y, view.height, grid.top, grid.down, grid.layers);
	for (let layer = layer0; layer < layer1; layer++)
		if (layer % labelStep(grid.down, 13) === 0)
			context.fillText(
				`${description.layers[layer]}`,
				grid.left - 6,
				grid.top + (layer + 0.5) * grid.down,
			);
}

/** Sorted heads have their names on them, where there is room. */
export function hasNames({ order, across, down }: Grid): boolean {
	return order !== null && across >= NAMED_FROM && down >= NAMED_FROM / 2;
}

export function nameIn({ layers }: Description, { layer, head }: HeadOf): string {
	return `${layers[layer]}.${head}`;
}

export function drawNames(
	context: CanvasRenderingContext2D,
	grid: Grid,
	room: Room,
	{ colours, description }: Scene,
): void {
	if (!hasNames(grid)) return;
	context.font = "10px system-ui, sans-serif";
	context.textAlign = "left";
	for (const [row, column] of cellsInView(grid, room)) {
		const name = nameIn(description, headIn(grid, row, column));
		const [left, top] = boxIn(grid, row, column);
		context.fillStyle = css(colours.dark ? [20, 20, 23] : [255, 255, 255], 0.8);
		context.fillRect(left, top, context.measureText(name).width + 4, 12);
		context.fillStyle = css(colours.dark ? [235, 235, 240] : [27, 27, 31]);
		context.fillText(name, left + 2, top + 6);
	}
}

/** The chosen heads, and the one under the pointer. */
export function drawMarks(
	context: CanvasRenderingContext2D,
	grid: Grid,
	{ state, peek, colours }: Scene,
): void {
	const mark = (head: HeadOf, colour: string) => {
		const [left, top, width, height] = boxOf(grid, head);
		context.strokeStyle = colour;
		context.strokeRect(left - 1, top - 1, width + 2, height + 2);
	};
	context.lineWidth = 2;
	for (const head of state.heads) mark({ layer: state.layer, head }, css(colours.reader));
	if (peek) mark(peek, css(colours.dark ? [235, 235, 240] : [27, 27, 31]));
}
