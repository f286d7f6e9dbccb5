/** An OKLCH colour as sRGB bytes (Ottosson 2020); out-of-gamut channels are clipped. */
function oklch(lightness: number, chroma: number, hue: number): [number, number, number] {
	const a = chroma * Math.cos((hue * Math.PI) / 180);
	const b = chroma * Math.sin((hue * Math.PI) / 180);
	const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
	const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
	const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
	const gamma = (x: number) => {
		const clipped = Math.min(1, Math.max(0, x));
		const v = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
		return Math.round(v * 255);
	};
	return [
		gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
		gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
		gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
	];
}

export type Rgb = readonly [number, number, number];

/** Everything that is coloured, for one theme. */
export interface Palette {
	readonly dark: boolean;
	/** Who reads (query): indigo. */
	readonly reader: Rgb;
	/** What is read (key): amber. */
	readonly read: Rgb;
	/** What is read less than nothing: blue. */
	readonly less: Rgb;
	/** 256 RGBA steps from nothing to the whole scale, lightness even in OKLab. */
	readonly ramp: Uint8ClampedArray;
	/** The same for weights below zero. */
	readonly coldRamp: Uint8ClampedArray;
	head(index: number): Rgb;
}

function ramp(dark: boolean, hue: (t: number) => number): Uint8ClampedArray {
	const bytes = new Uint8ClampedArray(256 * 4);
	for (let i = 0; i < 256; i++) {
		const t = i / 255;
		const lightness = dark ? 0.22 + 0.66 * t : 0.985 - 0.58 * t;
		const chroma = dark
			? 0.02 + 0.15 * t
			: 0.175 * Math.sin(Math.PI * Math.min(1, 0.04 + 0.62 * t));
		bytes.set(oklch(lightness, chroma, hue(t)), i * 4);
		// The lowest steps fade into whatever ground the host has.
		bytes[i * 4 + 3] = 255 * Math.min(1, t / 0.08);
	}
	return bytes;
}

const HEAD_LIGHTNESS = { light: [0.55, 0.42, 0.66], dark: [0.74, 0.62, 0.86] } as const;

/**
 * With three tiers of lightness a golden angle brings heads 1 and 22 together; at this one, found by
 * trying all, no two of 16 heads are closer than 0.08 in OKLab, of 32 than 0.035, of 64 than 0.015.
 */
const HEAD_ANGLE = 103.75;

/**
 * Head colours: neighbours differ in hue and take turns in lightness, so that heads that are compared
 * most often differ in both; the number beside each swatch tells the rest apart.
 */
function headColour(dark: boolean, index: number): Rgb {
	const tiers = HEAD_LIGHTNESS[dark ? "dark" : "light"];
	return oklch(tiers[index % tiers.length] as number, 0.15, (262 + index * HEAD_ANGLE) % 360);
}

export function palette(dark: boolean): Palette {
	return {
		dark,
		reader: dark ? oklch(0.75, 0.12, 277) : oklch(0.5, 0.2, 277),
		read: dark ? oklch(0.82, 0.16, 80) : oklch(0.66, 0.17, 58),
		less: dark ? oklch(0.78, 0.12, 230) : oklch(0.6, 0.14, 240),
		ramp: ramp(dark, dark ? (t) => 65 + 22 * t : (t) => 82 - 36 * t),
		coldRamp: ramp(dark, () => 230),
		head: (index) => headColour(dark, index),
	};
}

export function css(colour: Rgb, alpha = 1): string {
	return `rgb(${colour.join(" ")} / ${alpha})`;
}

/** Of the logarithmic scale: what share of the largest weight it starts at, and what is below shows. */
const LOG_FROM = 1e-4;
const LOWEST = 1 / 32;

/** How colour follows the share of the largest weight. */
const CURVES = {
	linear: (share: number) => share,
	/** Small weights show. */
	sqrt: Math.sqrt,
	/** Each power of ten has as much of the scale; what isn't nothing never looks like it. */
	log: (share: number) =>
		share === 0 ? 0 : Math.max(LOWEST, 1 - Math.log(share) / Math.log(LOG_FROM)),
} as const;

export type CurveName = keyof typeof CURVES;

/** Where a weight lies on the colour scale, 0 to 1, whatever its sign. */
export function onScale(weight: number, largest: number, curve: CurveName = "sqrt"): number {
	return CURVES[curve](Math.min(1, Math.abs(weight) / largest));
}

/** The colours of weights: of one theme, along one curve, up to one largest weight. */
export interface Ink {
	/** Another for every other ink. */
	readonly name: string;
	readonly curve: CurveName;
	readonly largest: number;
	/** Where a weight lies on the scale, 0 to 1. */
	at(weight: number): number;
	/** Its CSS colour, on the ramp of its sign. */
	of(weight: number): string;
	/** The colour of text that can be read on it; empty where the page's own can. */
	on(weight: number): string;
	/** Its colour as the four bytes of a pixel. */
	pixel(weight: number): number;
}

export function inkOf(colours: Palette, curve: CurveName, largest: number): Ink {
	const { ramp, coldRamp, dark } = colours;
	const warm = new Uint32Array(ramp.buffer);
	const cold = new Uint32Array(coldRamp.buffer);
	const at = (weight: number) => onScale(weight, largest, curve);
	const step = (weight: number) => Math.round(at(weight) * 255);
	return {
		name: `${dark},${curve},${largest}`,
		curve,
		largest,
		at,
		of: (weight) => stepColour(weight < 0 ? coldRamp : ramp, step(weight)),
		on(weight) {
			const t = at(weight);
			if (t < 0.06) return "";
			// Where black and white change places at 4.5:1, which only the two themselves reach.
			if (dark) return t > (weight < 0 ? 0.514 : 0.522) ? "#000" : "#fff";
			return t > (weight < 0 ? 0.77 : 0.7) ? "#fff" : "#000";
		},
		pixel: (weight) => (weight < 0 ? cold : warm)[step(weight)] as number,
	};
}

/** One of a ramp's 256 steps in CSS. */
export function stepColour(ramp: Uint8ClampedArray, step: number): string {
	const [r, g, b, a = 0] = ramp.subarray(step * 4);
	return `rgb(${r} ${g} ${b} / ${a / 255})`;
}
