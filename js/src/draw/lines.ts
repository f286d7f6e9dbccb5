import type { Rgb } from "./colour";

/** A curve from one side of the picture to the other: where it begins and ends, in device pixels. */
export interface Curve {
	readonly from: number;
	readonly to: number;
	readonly thickness: number;
	readonly colour: Rgb;
	readonly alpha: number;
}

/** How far on its way a curve is at each pixel across: level at both ends. */
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

/** The pixels across at which a curve may be inside the picture; its way is monotone. */
function pixelsInView(
	way: Float32Array,
	start: number,
	rise: number,
	least: number,
	most: number,
): readonly [number, number] {
	if (Math.abs(rise) < 1) return [0, way.length];
	const inside = (x: number) => {
		const y = start + rise * (way[x] as number);
		return y > least && y < most;
	};
	let first = 0;
	while (first < way.length && !inside(first)) first++;
	let end = way.length;
	while (end > first && !inside(end - 1)) end--;
	return [first, end];
}

/** What is drawn on, used again from frame to frame: fresh memory costs more than the drawing. */
export class Sheet {
	#alpha = new Float32Array(0);
	#tint = new Float32Array(0);
	#image: ImageData | null = null;

	/** `tint`, of three colours a pixel, is there where these are `mixed`. */
	blank(width: number, height: number, mixed: boolean) {
		if (this.#image?.width !== width || this.#image.height !== height) {
			this.#image = new ImageData(width, height);
			this.#alpha = new Float32Array(width * height);
			this.#tint = new Float32Array(0);
		}
		const { length } = this.#alpha.fill(0);
		if (mixed && !this.#tint.length) this.#tint = new Float32Array(3 * length);
		else if (mixed) this.#tint.fill(0);
		return { alpha: this.#alpha, tint: this.#tint, image: this.#image };
	}
}

/**
 * Draw curves over each other, antialiased, into RGBA pixels: from the left to the right of a picture
 * that is `across` wide and `along` high, or, where they go `down`, from its top to its bottom, `along`
 * wide and `across` high.
 *
 * A rasteriser of our own because canvas strokes take ten times as long from some hundred lines on.
 */
export function drawCurves(
	curves: readonly Curve[],
	across: number,
	along: number,
	sheet = new Sheet(),
	down = false,
): ImageData {
	const { way, slope } = easing(across);
	// Curves of one colour, as most are, differ in how much covers a pixel alone.
	const mixed = curves.some(({ colour }) => colour !== curves[0]?.colour);
	const size = down ? ([along, across] as const) : ([across, along] as const);
	const { alpha: covered, tint, image } = sheet.blank(...size, mixed);
	const [stepAcross, stepAlong] = down ? [along, 1] : [1, across];
	for (const { from, to, thickness: wished, colour, alpha: opacity } of curves) {
		const rise = to - from;
		// Thinner than a pixel is paler instead: a thin steep curve would have gaps between columns.
		const thickness = Math.max(1, wished);
		const alpha = (opacity * wished) / thickness;
		const [r, g, b] = colour;
		const reach = (thickness / 2) * Math.sqrt(1 + ((1.5 * rise) / across) ** 2);
		const [first, end] = pixelsInView(way, from, rise, -reach, along + reach);
		for (let x = first; x < end; x++) {
			const centre = from + rise * (way[x] as number);
			// A steep curve covers more of a pixel column than its thickness.
			const steepness = Math.sqrt(1 + (rise * (slope[x] as number)) ** 2);
			const half = (thickness * steepness) / 2;
			const top = centre - half;
			const bottom = centre + half;
			if (bottom <= 0 || top >= along) continue;
			const last = Math.min(along - 1, Math.floor(bottom));
			for (let y = Math.max(0, Math.floor(top)); y <= last; y++) {
				const cover = (bottom < y + 1 ? bottom : y + 1) - (top > y ? top : y);
				const a = alpha * cover;
				const at = y * stepAlong + x * stepAcross;
				const rest = 1 - a;
				covered[at] = (covered[at] as number) * rest + a;
				if (!mixed) continue;
				tint[3 * at] = (tint[3 * at] as number) * rest + r * a;
				tint[3 * at + 1] = (tint[3 * at + 1] as number) * rest + g * a;
				tint[3 * at + 2] = (tint[3 * at + 2] as number) * rest + b * a;
			}
		}
	}
	const pixels = new Uint32Array(image.data.buffer);
	const [r, g, b] = curves[0]?.colour ?? [0, 0, 0];
	const plain = r | (g << 8) | (b << 16);
	for (let i = 0, at = 0; i < pixels.length; i++, at += 3) {
		const a = covered[i] as number;
		if (a === 0) {
			pixels[i] = 0;
			continue;
		}
		let colour = plain;
		if (mixed) {
			const [r, g, b] = [tint[at], tint[at + 1], tint[at + 2]] as [number, number, number];
			colour = (r / a + 0.5) | ((g / a + 0.5) << 8) | ((b / a + 0.5) << 16);
		}
		pixels[i] = colour | ((a * 255 + 0.5) << 24);
	}
	return image;
}

/** How much of a row has lines, as the traits of these names say. */
export interface Limits {
	readonly top_mass: number;
	readonly top_k: number | null;
	readonly threshold: number;
}

/** What of a row has lines, and the size of what has none, by what hides it. */
export interface Drawn {
	/** Largest weight first. */
	readonly indices: readonly number[];
	readonly hidden: Readonly<Record<keyof Limits | "between", number>>;
	readonly total: number;
}

/** The weights of a row that have lines: of those that may, the largest, within all limits. */
export function drawnOf(
	row: Float32Array,
	{ top_mass, top_k, threshold }: Limits,
	may: (index: number) => boolean = () => true,
): Drawn {
	let total = 0;
	let allowed = 0;
	for (let i = 0; i < row.length; i++) {
		const size = Math.abs(row[i] as number);
		total += size;
		if (size && may(i)) allowed += size;
	}
	const wanted = top_mass < 1 ? (top_mass - 1e-6) * allowed : Number.POSITIVE_INFINITY;
	const indices: number[] = [];
	let held = 0;
	let count = 0;
	let counted = 0;
	let drawn = 0;
	for (const i of largestFirst(row, wanted, may)) {
		if (held >= wanted) break;
		const size = Math.abs(row[i] as number);
		held += size;
		if (count++ >= (top_k ?? row.length)) continue;
		counted += size;
		if (size < threshold) continue;
		drawn += size;
		indices.push(i);
	}
	const hidden = {
		between: total - allowed,
		top_mass: allowed - held,
		top_k: held - counted,
		threshold: counted - drawn,
	};
	return { indices, hidden, total };
}

/** In rows longer than this, what can't be drawn isn't sorted. */
const SORTED_WHOLE = 512;
const BUCKETS = 2048;

/** What may be drawn, largest weight first, up to a sum that is wanted or a little beyond. */
function largestFirst(
	row: Float32Array,
	wanted: number,
	may: (index: number) => boolean,
): number[] {
	// Without their sign, the bits of floats are ordered as they are; the upper ones tell them apart well.
	const bits = new Uint32Array(row.buffer, row.byteOffset, row.length);
	const bucketOf = (i: number) => ((bits[i] as number) << 1) >>> 21;
	let lowest = 0;
	if (row.length > SORTED_WHOLE && wanted < Number.POSITIVE_INFINITY) {
		const sums = new Float64Array(BUCKETS);
		for (let i = 0; i < row.length; i++)
			if (may(i)) sums[bucketOf(i)] = (sums[bucketOf(i)] as number) + Math.abs(row[i] as number);
		lowest = BUCKETS - 1;
		for (let held = 0; lowest > 0; lowest--) {
			held += sums[lowest] as number;
			if (held >= wanted) break;
		}
	}
	// A weight and its place in one number: numbers by themselves are sorted ten times as fast.
	const ranks = new Float64Array(row.length);
	let count = 0;
	for (let i = 0; i < row.length; i++)
		if (row[i] !== 0 && bucketOf(i) >= lowest && may(i))
			ranks[count++] = ((bits[i] as number) & 0x7fffffff) * row.length + row.length - 1 - i;
	const sorted = ranks.subarray(0, count).sort().reverse();
	return Array.from(sorted, (rank) => row.length - 1 - (rank % row.length));
}

/** The indices of the largest weights of a row that together hold `mass` of its sum, largest first. */
export function topMass(row: Float32Array, mass: number): readonly number[] {
	return drawnOf(row, { top_mass: mass, top_k: null, threshold: 0 }).indices;
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
