import type { Rgb } from "../draw/colour";
import { type Curve, drawCurves, Sheet } from "../draw/lines";
import { density, noteCurves } from "../draw/noted";
import { linesDrawn } from "../drawn";
import type { Axis } from "../protocol.gen";
import { type Reading, readingOf, type Scene } from "../scene";
import { fitCanvas } from "../ui/dom";
import { type Place, tokensInView } from "./place";

/** Of the resting lines, those too faint to be seen are left out. */
const FAINTEST = 0.01;
/** Lines from a token that is scrolled away say where it is, and no more. */
const LEAVING = 0.4;
/** How far outside the line ends that stands for all tokens beyond an edge, in CSS pixels. */
const PAST_EDGE = 10;

/** What the queries in view read, of those whose rows are here. */
export function restCurves(scene: Scene, place: Place): { curves: Curve[]; complete: boolean } {
	const { state, reader, colours, description } = scene;
	const several = state.heads.length > 1;
	const ink: LineInk = {
		relative: false,
		// Many heads over each other are a haze unless each is lighter.
		strength: 1 / Math.sqrt(state.heads.length),
		colour: (head) => (several ? colours.head(head) : colours.reader),
	};
	const [first, last] = tokensInView(place, description.queries);
	const queries = Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
	const readings = queries.map((query) =>
		readingOf(reader, "row", state.layer, state.heads, query, false),
	);
	const here = readings.filter((reading) => reading !== undefined);
	return {
		curves: here.flatMap((reading) => curvesOf(reading, "row", scene, place, ink)),
		complete: here.length === readings.length,
	};
}

/** What is read by, and what reads, the tokens that are looked at. */
export function frontCurves(scene: Scene, place: Place): Curve[] {
	const { reads, readers, colours, state } = scene;
	const several = state.heads.length > 1;
	const curves = (reading: Reading | undefined, axis: Axis, plain: Rgb): Curve[] => {
		const ink: LineInk = {
			relative: true,
			strength: 1,
			colour: (head) => (several ? colours.head(head) : plain),
		};
		const parts = reading ? (reading.parts ?? [reading]) : [];
		return parts.flatMap((part) => curvesOf(part, axis, scene, place, ink));
	};
	return [...curves(readers, "column", colours.reader), ...curves(reads, "row", colours.read)];
}

function curvesOf(reading: Reading, axis: Axis, scene: Scene, place: Place, ink: LineInk): Curve[] {
	const { scale } = scene.description;
	const pixels = density();
	const here = (reading.index + 0.5) * place.step - place.start;
	const away = here >= 0 && here <= place.viewport ? 1 : LEAVING;
	return linesDrawn(reading, axis, scene).flatMap(({ indices }, i) => {
		const { values } = reading.lines[i] as Reading["lines"][number];
		const full = ink.relative ? Math.abs(values[indices[0] ?? 0] as number) : scale;
		const above = ink.colour(scene.state.heads[i] as number);
		const below = scene.state.heads.length > 1 ? above : scene.colours.less;
		return endsOf(indices, values, place, away === 1).flatMap(({ at, weight, less }): Curve[] => {
			const alpha = Math.min(1, away * ink.strength * (weight / full) ** 0.7);
			if (alpha < FAINTEST) return [];
			const [from, to] = axis === "row" ? [here, at] : [at, here];
			const thickness = (0.7 + 3.6 * Math.min(1, weight / scale)) * pixels;
			const colour = less ? below : above;
			return [{ from: from * pixels, to: to * pixels, thickness, colour, alpha }];
		});
	});
}

/** Where lines end: at each token in view and, for all those before or after together, past the edge. */
function endsOf(
	kept: readonly number[],
	values: Float32Array,
	{ step, start, viewport }: Place,
	summed: boolean,
): { at: number; weight: number; less: boolean }[] {
	const before = { at: -PAST_EDGE, weight: 0, less: false };
	const after = { at: viewport + PAST_EDGE, weight: 0, less: false };
	const ends: { at: number; weight: number; less: boolean }[] = [];
	for (const index of kept) {
		const weight = Math.abs(values[index] as number);
		const at = (index + 0.5) * step - start;
		if (at < 0) before.weight += weight;
		else if (at > viewport) after.weight += weight;
		else ends.push({ at, weight, less: (values[index] as number) < 0 });
	}
	return summed ? [...ends, before, after] : ends;
}

/** How lines are inked: looked-at ones by their share of the strongest, so that they show in long rows. */
interface LineInk {
	readonly relative: boolean;
	readonly strength: number;
	colour(head: number): Rgb;
}

/** A canvas of lines that is drawn anew only when what it shows has changed. */
export class LineCanvas {
	readonly el: HTMLCanvasElement;
	readonly #sheet = new Sheet();
	#drawn = "";
	#complete = false;
	#blank = "";

	constructor(el: HTMLCanvasElement) {
		this.el = el;
	}

	/** Draw what `curves` gives unless `shown`, which names it, is on the canvas already. */
	update(
		shown: string,
		{ across, viewport, sideBySide }: Place,
		curves: () => { curves: readonly Curve[]; complete: boolean },
	): void {
		// While rows are missing they are wished for in every frame.
		if (shown === this.#drawn && this.#complete) return;
		const made = curves();
		this.#drawn = shown;
		this.#complete = made.complete;
		const { el } = this;
		const size = [across.to - across.from, viewport] as const;
		// A canvas that is cleared is put on screen anew.
		const blank = made.curves.length ? "" : `${size}`;
		if (blank && blank === this.#blank) return;
		this.#blank = blank;
		const context = sideBySide ? fitCanvas(el, size[1], size[0]) : fitCanvas(el, ...size);
		el.style[sideBySide ? "top" : "left"] = `${across.from}px`;
		el.style[sideBySide ? "left" : "top"] = "0";
		if (!made.curves.length) return;
		if (noteCurves(el, made.curves, sideBySide ? el.height : el.width, sideBySide)) return;
		const pixels = sideBySide ? ([el.height, el.width] as const) : ([el.width, el.height] as const);
		context.putImageData(drawCurves(made.curves, ...pixels, this.#sheet, sideBySide), 0, 0);
	}
}
