import { stepOf } from "../views/evidence-points";

/** Where numbers lie along one side of a plot, in CSS pixels. */
export interface Side {
	readonly ticks: readonly number[];
	at(value: number): number;
}

export interface Frame {
	readonly left: number;
	readonly right: number;
	readonly top: number;
	readonly bottom: number;
}

const TICKS = 5;
/** What stays free at either end, as a share of the numbers' span. */
const FREE = 0.05;

/** A side that holds all numbers that are known; and 0, where they come near it. */
export function sideOf(values: readonly number[], from: number, to: number): Side {
	const known = values.filter((value) => !Number.isNaN(value));
	let [least, most] = known.length
		? known.reduce(
				([a, b], v) => [Math.min(a, v), Math.max(b, v)],
				[known[0] as number, known[0] as number],
			)
		: [0, 1];
	if (least > 0 && least < (most - least) / 2) least = 0;
	const span = most - least || 1;
	const start = least - FREE * span;
	const scale = (to - from) / (span * (1 + 2 * FREE));
	const step = stepOf(span / TICKS);
	const first = Math.ceil(least / step - 1e-9);
	const count = Math.floor((least + span) / step + 1e-9) - first + 1;
	return {
		ticks: Array.from({ length: count }, (_, i) => (first + i) * step),
		at: (value) => from + (value - start) * scale,
	};
}

/** Two sides on which a length is as long as on the other: distances of heads mean the same on both. */
export function mapSides(
	xs: readonly number[],
	ys: readonly number[],
	frame: Frame,
): { readonly x: Side; readonly y: Side } {
	const [left, right] = ends(xs);
	const [low, high] = ends(ys);
	const scale = Math.min(
		(frame.right - frame.left) / ((right - left) * (1 + 2 * FREE)),
		(frame.bottom - frame.top) / ((high - low) * (1 + 2 * FREE)),
	);
	const [centre, middle] = [(frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2];
	return {
		x: { ticks: [], at: (value) => centre + (value - (left + right) / 2) * scale },
		y: { ticks: [], at: (value) => middle - (value - (low + high) / 2) * scale },
	};
}

function ends(values: readonly number[]): readonly [number, number] {
	const known = values.filter((value) => !Number.isNaN(value));
	if (!known.length) return [0, 1];
	const [least, most] = [Math.min(...known), Math.max(...known)];
	return most > least ? [least, most] : [least - 0.5, most + 0.5];
}
