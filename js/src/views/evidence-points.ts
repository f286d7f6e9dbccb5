import type { SweepStudy } from "../protocol.gen";

/** One of many: its number of attention and what it changes. */
export interface Point {
	readonly x: number;
	readonly y: number;
}

/** Where numbers lie on a canvas, in CSS pixels. */
export interface Axes {
	readonly width: number;
	readonly height: number;
	readonly xTicks: readonly number[];
	readonly yTicks: readonly number[];
	x(value: number): number;
	y(value: number): number;
}

const MARGIN = { left: 48, right: 12, top: 10, bottom: 22 } as const;
/** Ticks of an axis, about. */
const TICKS = 4;

export function axesOf(
	width: number,
	height: number,
	points: readonly Point[],
	band: readonly [number, number] | null,
): Axes {
	const x = scaleOf(
		points.map((point) => point.x),
		MARGIN.left,
		width - MARGIN.right,
	);
	const y = scaleOf(
		[...points.map((point) => point.y), ...(band ?? [])],
		height - MARGIN.bottom,
		MARGIN.top,
	);
	return { width, height, x: x.at, y: y.at, xTicks: x.ticks, yTicks: y.ticks };
}

/** From 0 to the largest, or from the smallest where that is below. */
function scaleOf(values: readonly number[], from: number, to: number) {
	const [least, most] = values.reduce(
		([a, b], value) => [Math.min(a, value), Math.max(b, value)],
		[0, 0],
	);
	const span = most - least || 1;
	const step = stepOf(span / TICKS);
	const first = Math.ceil(least / step);
	const ticks = Array.from(
		{ length: Math.floor((least + span) / step) - first + 1 },
		(_, i) => (first + i) * step,
	);
	return { at: (value: number) => from + ((value - least) / span) * (to - from), ticks };
}

/** 1, 2 or 5 of a power of ten. */
export function stepOf(about: number): number {
	const power = 10 ** Math.floor(Math.log10(about));
	return power * ([1, 2, 5].find((times) => times * power >= about) ?? 10);
}

/** A tick's number, no longer than it has to be. */
export function tickText(value: number): string {
	const text = `${Number(value.toPrecision(3))}`;
	return text.replace("-", "−");
}

/** The point that is nearest to a place, within `reach`. */
export function nearest(
	axes: Pick<Axes, "x" | "y">,
	points: readonly Point[],
	[left, top]: readonly [number, number],
	reach: number,
): number | null {
	let found: number | null = null;
	let least = reach;
	for (const [i, point] of points.entries()) {
		const far = Math.hypot(axes.x(point.x) - left, axes.y(point.y) - top);
		if (far > least) continue;
		found = i;
		least = far;
	}
	return found;
}

/** The next point along an axis, by its number there; the same at the end. */
export function nextAlong(
	points: readonly Point[],
	from: number,
	axis: keyof Point,
	way: number,
): number {
	const order = points
		.map((_, i) => i)
		.sort((a, b) => (points[a] as Point)[axis] - (points[b] as Point)[axis] || a - b);
	return order[order.indexOf(from) + way] ?? from;
}

/** The points that lie highest, of those that differ from 0. */
export function highest(points: readonly Point[], count: number): number[] {
	return points
		.map((_, i) => i)
		.filter((i) => (points[i] as Point).y !== 0)
		.sort((a, b) => Math.abs((points[b] as Point).y) - Math.abs((points[a] as Point).y))
		.slice(0, count);
}

/** Up to which size a rank correlation is called so (Evans 1996). */
const SIZES = [
	[0.2, "says next to nothing of"],
	[0.4, "says little of"],
	[0.6, "says something of"],
	[0.8, "says much of"],
] as const;

/** What a rank correlation says of attention, in words. */
export function correlationText(correlation: number | null): string {
	if (correlation === null)
		return "Rank correlation: not known, as all have the same attention or the same effect.";
	const size = Math.abs(correlation);
	const says = SIZES.find(([upTo]) => size < upTo)?.[1] ?? "says nearly all of";
	const turned = correlation < 0 && size >= SIZES[0][0] ? ", the other way round" : "";
	const number = correlation.toFixed(2).replace("-", "−");
	return `Rank correlation ${number} (Spearman): how much attention ${says} how much it changes${turned}.`;
}

/** How many change more than random ones do. */
export function outsideText(
	effects: readonly (number | null)[],
	[low, high]: readonly [number, number],
	over: SweepStudy["over"],
): string {
	const known = effects.filter((effect) => effect !== null);
	const outside = known.filter((effect) => effect < low || effect > high).length;
	const what = over === "heads" ? "heads" : "keys";
	return `${outside} of ${known.length} lie outside of what random ${what} change (the band: the middle 95 %).`;
}
