import type { Rgb } from "./colour";

/** A curve from (0, y0) to (width, y1), in device pixels. */
export interface Curve {
	readonly y0: number;
	readonly y1: number;
	readonly thickness: number;
	readonly colour: Rgb;
	readonly alpha: number;
}

/** How far along its way from y0 to y1 a curve is at each pixel column: level at both ends. */
function easing(width: number): { way: Float32Array; slope: Float32Array } {
	const way = new Float32Array(width);
	const slope = new Float32Array(width);
	for (let x = 0; x < width; x++) {
		const t = (x + 0.5) / width;
		way[x] = t * t * (3 - 2 * t);
		slope[x] = (6 * t * (1 - t)) / width;
	}
	return { way, slope };
}

/** The pixel columns in which a curve may be inside the picture; its way is monotone. */
function columnsInView(
	way: Float32Array,
	y0: number,
	rise: number,
	top: number,
	bottom: number,
): readonly [number, number] {
	if (Math.abs(rise) < 1) return [0, way.length];
	const inside = (x: number) => {
		const y = y0 + rise * (way[x] as number);
		return y > top && y < bottom;
	};
	let from = 0;
	while (from < way.length && !inside(from)) from++;
	let to = way.length;
	while (to > from && !inside(to - 1)) to--;
	return [from, to];
}

/** What is drawn on, used again from frame to frame: fresh memory costs more than the drawing. */
export class Sheet {
	#ink = new Float32Array(0);
	#image: ImageData | null = null;

	blank(width: number, height: number): { ink: Float32Array; image: ImageData } {
		if (this.#image?.width !== width || this.#image.height !== height) {
			this.#image = new ImageData(width, height);
			this.#ink = new Float32Array(width * height * 4);
		} else {
			this.#image.data.fill(0);
			this.#ink.fill(0);
		}
		return { ink: this.#ink, image: this.#image };
	}
}

/**
 * Draw curves over each other, antialiased, into RGBA pixels of a `width` x `height` picture.
 *
 * A rasteriser of our own because canvas strokes take ten times as long from some hundred lines on.
 */
export function drawCurves(
	curves: readonly Curve[],
	width: number,
	height: number,
	sheet = new Sheet(),
): ImageData {
	const { way, slope } = easing(width);
	const { ink, image } = sheet.blank(width, height);
	for (const { y0, y1, thickness: wished, colour, alpha: opacity } of curves) {
		const rise = y1 - y0;
		// Thinner than a pixel is paler instead: a thin steep curve would have gaps between columns.
		const thickness = Math.max(1, wished);
		const alpha = (opacity * wished) / thickness;
		const [r, g, b] = colour;
		const reach = (thickness / 2) * Math.hypot(1, (1.5 * rise) / width);
		const [from, to] = columnsInView(way, y0, rise, -reach, height + reach);
		for (let x = from; x < to; x++) {
			const centre = y0 + rise * (way[x] as number);
			// A steep curve covers more of a pixel column than its thickness.
			const steepness = Math.hypot(1, rise * (slope[x] as number));
			const half = (thickness * steepness) / 2;
			const top = centre - half;
			const bottom = centre + half;
			if (bottom <= 0 || top >= height) continue;
			const last = Math.min(height - 1, Math.floor(bottom));
			for (let y = Math.max(0, Math.floor(top)); y <= last; y++) {
				const cover = Math.min(bottom, y + 1) - Math.max(top, y);
				if (cover <= 0) continue;
				const a = alpha * Math.min(1, cover);
				const at = (y * width + x) * 4;
				const rest = 1 - a;
				ink[at] = (ink[at] as number) * rest + r * a;
				ink[at + 1] = (ink[at + 1] as number) * rest + g * a;
				ink[at + 2] = (ink[at + 2] as number) * rest + b * a;
				ink[at + 3] = (ink[at + 3] as number) * rest + a;
			}
		}
	}
	return unmultiplied(ink, image);
}

function unmultiplied(ink: Float32Array, image: ImageData): ImageData {
	const pixels = image.data;
	for (let at = 0; at < ink.length; at += 4) {
		const a = ink[at + 3] as number;
		if (a === 0) continue;
		pixels[at] = (ink[at] as number) / a;
		pixels[at + 1] = (ink[at + 1] as number) / a;
		pixels[at + 2] = (ink[at + 2] as number) / a;
		pixels[at + 3] = a * 255;
	}
	return image;
}

/** The indices of the largest weights of a row that together hold `mass` of its sum, largest first. */
export function topMass(row: Float32Array, mass: number): number[] {
	const order = Array.from(row.keys())
		.filter((i) => row[i] !== 0)
		.sort((a, b) => Math.abs(row[b] as number) - Math.abs(row[a] as number));
	if (mass >= 1) return order;
	const total = order.reduce((sum, i) => sum + Math.abs(row[i] as number), 0);
	let held = 0;
	let count = 0;
	while (count < order.length && held < mass * total - 1e-6 * total)
		held += Math.abs(row[order[count++] as number] as number);
	return order.slice(0, count);
}

/** The indices of the `count` largest weights, largest first. */
export function strongest(row: Float32Array, count: number): number[] {
	const best: number[] = [];
	for (let i = 0; i < row.length; i++) {
		const weight = Math.abs(row[i] as number);
		if (weight === 0) continue;
		if (best.length === count && weight <= Math.abs(row[best[count - 1] as number] as number))
			continue;
		const at = best.findIndex((other) => weight > Math.abs(row[other] as number));
		best.splice(at < 0 ? best.length : at, 0, i);
		best.length = Math.min(best.length, count);
	}
	return best;
}
