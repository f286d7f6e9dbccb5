import type { Description } from "../protocol.gen";

const MAX_VIEWPORT = 520;
/** Tokens side by side: a column a token, and the height of labels, lines and labels together. */
const SIDE_BY_SIDE = { narrowest: 28, widest: 56, size: 420 } as const;

/** Where the lines begin and end across the view, in CSS pixels: labels, lines, labels. */
export interface Across {
	readonly size: number;
	readonly from: number;
	readonly to: number;
}

/** What of the head view is on screen, in CSS pixels; tokens follow each other along it. */
export interface Place {
	readonly across: Across;
	readonly sideBySide: boolean;
	/** What one token has along the view. */
	readonly step: number;
	readonly count: number;
	/** How far it is scrolled, and how much is in view. */
	readonly start: number;
	readonly viewport: number;
}

export function placeOf(
	{ queries, keys }: Description,
	sideBySide: boolean,
	width: number,
	start: number,
): Place {
	const count = Math.max(queries, keys);
	const { narrowest, widest, size } = SIDE_BY_SIDE;
	const below = count <= 16 ? 28 : count <= 40 ? 24 : 20;
	const step = sideBySide
		? Math.floor(Math.max(narrowest, Math.min(widest, width / count)))
		: below;
	return {
		across: acrossOf(sideBySide ? size : width),
		sideBySide,
		step,
		count,
		start,
		viewport: Math.min(sideBySide ? width : MAX_VIEWPORT, count * step),
	};
}

function acrossOf(size: number): Across {
	const label = Math.round(Math.min(190, Math.max(84, size * 0.26)));
	return { size, from: label + 8, to: size - label - 56 };
}

/** The tokens of one side that are in view: first and one past the last. */
export function tokensInView(
	{ step, start, viewport }: Place,
	count: number,
): readonly [number, number] {
	return [Math.floor(start / step), Math.min(count, Math.ceil((start + viewport) / step))];
}

/** Whose label is at a point of the content: 0 for the queries, 1 for the keys; and which. */
export function labelAt(
	{ across, sideBySide, step }: Place,
	x: number,
	y: number,
): readonly [side: 0 | 1, index: number] | null {
	const [along, over] = sideBySide ? [x, y] : [y, x];
	const index = Math.floor(along / step);
	if (over < across.from + 16) return [0, index];
	return over > across.to - 16 ? [1, index] : null;
}
