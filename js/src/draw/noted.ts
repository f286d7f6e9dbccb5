import type { Curve } from "./lines";

/** Letters as a canvas was given them, from the canvas's corner in its own pixels. */
export interface Letters {
	readonly text: string;
	readonly x: number;
	/** Of the alphabetic baseline. */
	readonly y: number;
	readonly font: string;
	readonly colour: string;
	readonly align: CanvasTextAlign;
	readonly transform: DOMMatrix;
}

/** What isn't left to a canvas's pixels. */
export interface Noted {
	readonly context: CanvasRenderingContext2D;
	readonly letters: Letters[];
	readonly curves: { readonly curve: Curve; readonly length: number; readonly down: boolean }[];
}

/** Pixels of a picture that is taken away, for each CSS pixel. */
export const TAKEN_DENSITY = 2;

// Set only within one call of `whileNoting`, which draws at once.
let notes: Map<HTMLCanvasElement, Noted> | null = null;

/** How many pixels canvases have for each CSS pixel. */
export function density(): number {
	return notes ? TAKEN_DENSITY : devicePixelRatio;
}

/** Draw all anew with letters and curves noted rather than painted, use that, and draw as before. */
export function whileNoting<T>(
	draw: () => void,
	use: (notes: ReadonlyMap<Element, Noted>) => T,
): T {
	const noted = new Map<HTMLCanvasElement, Noted>();
	notes = noted;
	try {
		draw();
		return use(noted);
	} finally {
		notes = null;
		for (const { context } of noted.values()) Reflect.deleteProperty(context, "fillText");
		draw();
	}
}

/** A canvas is about to be drawn on. */
export function noteLetters(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D): void {
	if (!notes) return;
	const letters: Letters[] = [];
	notes.set(canvas, { context, letters, curves: [] });
	context.fillText = (text, x, y) => {
		const { font, fillStyle, textAlign: align, textBaseline } = context;
		const above = context.measureText(text).fontBoundingBoxAscent;
		context.textBaseline = "alphabetic";
		const down = context.measureText(text).fontBoundingBoxAscent - above;
		context.textBaseline = textBaseline;
		const transform = context.getTransform();
		letters.push({ text, x, y: y + down, font, colour: `${fillStyle}`, align, transform });
	};
}

/** Note curves, `length` pixels from side to side; returns whether they needn't be painted. */
export function noteCurves(
	canvas: HTMLCanvasElement,
	curves: readonly Curve[],
	length: number,
	down: boolean,
): boolean {
	const noted = notes?.get(canvas);
	noted?.curves.push(...curves.map((curve) => ({ curve, length, down })));
	return noted !== undefined;
}
