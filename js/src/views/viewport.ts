import type { Description, SpanKey } from "../protocol.gen";

const MAX_SIDE = 568;
/** A host that opens a panel passes through widths of some pixels. */
const MIN_SIDE = 20;
const MAX_CELL = 28;
/** Labels this far apart can be read. */
export const LABEL_PITCH = 11;

/** Room for labels left of and above the cells, and for sums right of and below them. */
interface Margins {
	readonly left: number;
	readonly top: number;
	readonly sums: number;
}

/** They are the same at every zoom, or the picture would jump. */
const EACH_LABELLED: Margins = { left: 84, top: 84, sums: 48 };
const SOME_LABELLED: Margins = { left: 68, top: 52, sums: 48 };
const BARE: Margins = { left: 1, top: 1, sums: 1 };
/** In a narrower room there are cells only. */
const BARE_BELOW = 240;

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
	/** The room beside the cells for sums. */
	readonly sums: number;
	/** Whether less than the whole is in view. */
	readonly zoomed: boolean;
	/** The whole at its largest, and the closest look. */
	readonly cells: readonly [smallest: number, largest: number];
	/** Cells are pooled by 2 ** level, so that none is smaller than a pixel. */
	readonly level: number;
}

/** The frame for a room of some width: the whole matrix, or what was zoomed to. */
export function frameOf(
	{ queries, keys }: Pick<Description, "queries" | "keys">,
	width: number,
	viewport: Viewport | null,
	largest = MAX_CELL,
): Frame {
	const room = Math.min(MAX_SIDE, Math.max(MIN_SIDE, width));
	const fitted = ({ left, top, sums }: Margins) =>
		Math.min(largest, (room - left - sums) / keys, (MAX_SIDE - top - sums) / queries);
	const labelled = fitted(EACH_LABELLED) >= LABEL_PITCH ? EACH_LABELLED : SOME_LABELLED;
	const margins = room < BARE_BELOW ? BARE : labelled;
	const { left, top, sums } = margins;
	const whole = fitted(margins);
	const cell = Math.max(whole, viewport?.cell ?? whole);
	const zoomed = cell > whole;
	const inside = { width: keys * whole, height: queries * whole };
	const start = (wanted: number, count: number, length: number) =>
		zoomed ? Math.min(Math.max(0, wanted), Math.max(0, count - length / cell)) : 0;
	return {
		query: start(viewport?.query ?? 0, queries, inside.height),
		key: start(viewport?.key ?? 0, keys, inside.width),
		cell,
		x: left,
		y: top,
		...inside,
		size: [left + inside.width + sums, top + inside.height + sums],
		sums,
		zoomed,
		cells: [whole, largest],
		level: Math.max(0, Math.ceil(-Math.log2(cell * devicePixelRatio))),
	};
}

/** The closest look at all of some queries and keys. */
export function lookAt(frame: Frame, [q0, q1, k0, k1]: SpanKey): Viewport {
	const cell = Math.min(frame.cells[1], frame.height / (q1 - q0), frame.width / (k1 - k0));
	return { query: q0, key: k0, cell };
}

/** Zoom by a factor around a point of the canvas, which keeps its token under it; 0: to the whole. */
export function zoomAt(frame: Frame, x: number, y: number, factor: number): Viewport | null {
	const [smallest, largest] = frame.cells;
	const cell = Math.min(largest, frame.cell * factor);
	if (cell <= smallest) return null;
	const closer = 1 / frame.cell - 1 / cell;
	return {
		cell,
		query: frame.query + (y - frame.y) * closer,
		key: frame.key + (x - frame.x) * closer,
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
