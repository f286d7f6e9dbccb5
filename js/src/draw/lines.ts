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

/**
 * Draw curves over each other, antialiased, into RGBA pixels of a `width` x `height` picture.
 *
 * A rasteriser of our own because canvas strokes take ten times as long from some hundred lines on.
 */
export function drawCurves(curves: readonly Curve[], width: number, height: number): ImageData {
	const { way, slope } = easing(width);
	const ink = new Float32Array(width * height * 4);
	for (const { y0, y1, thickness, colour, alpha } of curves) {
		const rise = y1 - y0;
		const [r, g, b] = colour;
		for (let x = 0; x < width; x++) {
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
	return unmultiplied(ink, width, height);
}

function unmultiplied(ink: Float32Array, width: number, height: number): ImageData {
	const image = new ImageData(width, height);
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
	while (count < order.length && held < mass * total - 1e-9)
		held += Math.abs(row[order[count++] as number] as number);
	return order.slice(0, count);
}
