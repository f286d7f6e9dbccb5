import type { Description } from "../protocol.gen";

const MAX_SIDE = 520;
/** A host that opens a panel passes through widths of some pixels. */
const MIN_SIDE = 20;
const MAX_CELL = 28;
/** Labels need room: below this a cell is too low for a line of text. */
const LABELLED_CELL = 12;
const LABEL_ROOM = 84;
/** The slanted labels of the last keys lean out to the right. */
const LEAN = 40;

/** What a person zoomed to: the token at the upper left corner, and CSS pixels a token. */
export interface Viewport {
	readonly query: number;
	readonly key: number;
	readonly cell: number;
}

/** Where the matrix lies on its canvas, in CSS pixels, and what of it is in view, in tokens. */
export interface Frame extends Viewport {
	/** The upper left corner of the cells. */
	readonly x: number;
	readonly y: number;
	/** The size of the cells in view. */
	readonly width: number;
	readonly height: number;
	/** The size of the whole canvas. */
	readonly size: readonly [number, number];
	readonly labelled: boolean;
	/** Whether less than the whole is in view. */
	readonly zoomed: boolean;
	/** The whole at its largest, and the closest look. */
	readonly cells: readonly [smallest: number, largest: number];
	/** Cells are pooled by 2 ** level, so that none is smaller than a pixel. */
	readonly level: number;
}

function margins(labelled: boolean) {
	return labelled ? { before: LABEL_ROOM, after: LEAN } : { before: 1, after: 1 };
}

/** The frame for a room of some width: the whole matrix, or what was zoomed to. */
export function frameOf(
	{ queries, keys }: Pick<Description, "queries" | "keys">,
	width: number,
	viewport: Viewport | null,
): Frame {
	const room = Math.min(MAX_SIDE, Math.max(MIN_SIDE, width));
	const fitted = (labelled: boolean) => {
		const { before, after } = margins(labelled);
		return Math.min(MAX_CELL, (room - before - after) / keys, (MAX_SIDE - before - 1) / queries);
	};
	const labelledWhole = fitted(true) >= LABELLED_CELL;
	const whole = fitted(labelledWhole);
	const around = margins(labelledWhole);
	const size = [
		around.before + keys * whole + around.after,
		around.before + queries * whole + 1,
	] as const;
	const cell = Math.max(whole, viewport?.cell ?? whole);
	const zoomed = cell > whole;
	const labelled = zoomed ? cell >= LABELLED_CELL : labelledWhole;
	const { before, after } = margins(labelled);
	const inside = {
		width: Math.min(size[0] - before - after, keys * cell),
		height: Math.min(size[1] - before - 1, queries * cell),
	};
	const start = (wanted: number, count: number, length: number) =>
		zoomed ? Math.min(Math.max(0, wanted), Math.max(0, count - length / cell)) : 0;
	return {
		query: start(viewport?.query ?? 0, queries, inside.height),
		key: start(viewport?.key ?? 0, keys, inside.width),
		cell,
		x: before,
		y: before,
		...inside,
		size,
		labelled,
		zoomed,
		cells: [whole, MAX_CELL],
		level: Math.max(0, Math.ceil(-Math.log2(cell * devicePixelRatio))),
	};
}

/** Zoom by a factor around a point of the canvas, which keeps its token under it; 0: to the whole. */
export function zoomAt(frame: Frame, x: number, y: number, factor: number): Viewport | null {
	const [smallest, largest] = frame.cells;
	const cell = Math.min(largest, frame.cell * factor);
	if (cell <= smallest) return null;
	const { before } = margins(cell >= LABELLED_CELL);
	return {
		cell,
		query: frame.query + (y - frame.y) / frame.cell - (y - before) / cell,
		key: frame.key + (x - frame.x) / frame.cell - (x - before) / cell,
	};
}

/** Move what is in view by CSS pixels. */
export function panBy(frame: Frame, dx: number, dy: number): Viewport | null {
	if (!frame.zoomed) return null;
	return {
		cell: frame.cell,
		query: frame.query - dy / frame.cell,
		key: frame.key - dx / frame.cell,
	};
}

/** Move as little as brings a cell into view. */
export function reveal(frame: Frame, query: number | null, key: number | null): Viewport {
	const moved = (start: number, token: number | null, length: number) =>
		token === null ? start : Math.max(Math.min(start, token), token + 1 - length / frame.cell);
	return {
		cell: frame.cell,
		query: moved(frame.query, query, frame.height),
		key: moved(frame.key, key, frame.width),
	};
}

/** The tokens in view of one side: first and one past the last. */
export function tokensInView(
	frame: Frame,
	side: "query" | "key",
	count: number,
): readonly [number, number] {
	const [start, length] = side === "query" ? [frame.query, frame.height] : [frame.key, frame.width];
	return [Math.floor(start), Math.min(count, Math.ceil(start + length / frame.cell - 1e-6))];
}
