export type Rgba = readonly [number, number, number, number];

/** The colour of a pixel, by its place in CSS pixels. */
export function pixelAt(canvas: HTMLCanvasElement, x: number, y: number): Rgba {
	const density = devicePixelRatio;
	const at = [Math.floor(x * density), Math.floor(y * density)] as const;
	return [...(contextOf(canvas).getImageData(...at, 1, 1).data as unknown as Rgba)];
}

/** How opaque each pixel of one column of a canvas is, top to bottom, 0 to 255. */
export function alphasInColumn(canvas: HTMLCanvasElement, x: number): number[] {
	const { data } = contextOf(canvas).getImageData(x, 0, 1, canvas.height);
	return Array.from({ length: canvas.height }, (_, y) => data[y * 4 + 3] as number);
}

/** The first and last row of a column that have ink, for each stretch of ink. */
export function stretches(alphas: readonly number[]): [number, number][] {
	const found: [number, number][] = [];
	for (const [y, alpha] of alphas.entries()) {
		if (alpha === 0) continue;
		const last = found.at(-1);
		if (last && last[1] === y - 1) last[1] = y;
		else found.push([y, y]);
	}
	return found;
}

export function hasInk(canvas: HTMLCanvasElement): boolean {
	const { width, height } = canvas;
	return contextOf(canvas)
		.getImageData(0, 0, width, height)
		.data.some((byte) => byte > 0);
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
	const context = canvas.getContext("2d");
	if (!context) throw new Error("the canvas has no 2D context");
	return context;
}

/** An opaque or translucent colour over an opaque ground. */
export function over([r, g, b, a]: Rgba, ground: readonly [number, number, number]) {
	const mix = (front: number, back: number) => (front * a + back * (255 - a)) / 255;
	return [mix(r, ground[0]), mix(g, ground[1]), mix(b, ground[2])] as const;
}

function linear(byte: number): number {
	const c = byte / 255;
	return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

/** OKLab of sRGB bytes (Ottosson 2020). */
export function oklab([r, g, b]: readonly [number, number, number]) {
	const [lr, lg, lb] = [linear(r), linear(g), linear(b)];
	const l = Math.cbrt(0.4122214708 * lr + 0.5363325363 * lg + 0.0514459929 * lb);
	const m = Math.cbrt(0.2119034982 * lr + 0.6806995451 * lg + 0.1073969566 * lb);
	const s = Math.cbrt(0.0883024619 * lr + 0.2817188376 * lg + 0.6299787005 * lb);
	return [
		0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
		1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
		0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
	] as const;
}

/** The contrast of two colours as WCAG 2 defines it, 1 to 21. */
export function contrast(
	a: readonly [number, number, number],
	b: readonly [number, number, number],
): number {
	const luminance = ([r, g, bl]: readonly [number, number, number]) =>
		0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(bl);
	const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
	return (high + 0.05) / (low + 0.05);
}
