import type { Rgb } from "../draw/colour";
import { type Curve, drawCurves, Sheet, topMass } from "../draw/lines";
import { type Reading, readingOf, type Scene } from "../scene";
import { fitCanvas } from "../ui/dom";

/** Of the resting lines, those too faint to be seen are left out. */
const FAINTEST = 0.01;
/** Lines from a token that is scrolled away say where it is, and no more. */
const LEAVING = 0.4;
/** How far outside the line ends that stands for all tokens beyond an edge, in CSS pixels. */
const PAST_EDGE = 10;
/** Where the three parts lie across the view's width: labels, lines, labels. */
export interface Across {
	readonly width: number;
	readonly left: number;
	readonly right: number;
}

/** What of the head view is on screen, in CSS pixels. */
export interface Place {
	readonly across: Across;
	readonly height: number;
	readonly top: number;
	readonly viewport: number;
}

/** The tokens of one side that are in view: first and one past the last. */
export function rowsInView(
	{ height, top, viewport }: Place,
	count: number,
): readonly [number, number] {
	return [Math.floor(top / height), Math.min(count, Math.ceil((top + viewport) / height))];
}

/** What the queries in view read, of those whose rows are here. */
export function restCurves(scene: Scene, place: Place): { curves: Curve[]; complete: boolean } {
	const { state, reader, colours, description } = scene;
	const several = state.heads.length > 1;
	const ink: Ink = {
		relative: false,
		// Many heads over each other are a haze unless each is lighter.
		strength: 1 / Math.sqrt(state.heads.length),
		colour: (head) => (several ? colours.head(head) : colours.reader),
	};
	const [first, last] = rowsInView(place, description.queries);
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

/** What is read by, and what reads, the token that is looked at. */
export function frontCurves(scene: Scene, place: Place): Curve[] {
	const { focus, reads, readers, colours, state } = scene;
	const several = state.heads.length > 1;
	const inkOf = (plain: Rgb): Ink => ({
		relative: true,
		strength: 1,
		colour: (head) => (several ? colours.head(head) : plain),
	});
	const curves: Curve[] = [];
	if (readers && focus.key !== null)
		curves.push(...curvesOf(readers, "column", scene, place, inkOf(colours.reader)));
	if (reads && focus.query !== null)
		curves.push(...curvesOf(reads, "row", scene, place, inkOf(colours.read)));
	return curves;
}

function curvesOf(
	reading: Reading,
	axis: "row" | "column",
	{ state, description }: Scene,
	place: Place,
	ink: Ink,
): Curve[] {
	const density = devicePixelRatio;
	const here = (reading.index + 0.5) * place.height - place.top;
	const away = here >= 0 && here <= place.viewport ? 1 : LEAVING;
	return reading.lines.flatMap(({ values }, i) => {
		const kept = topMass(values, state.top_mass);
		const full = ink.relative ? Math.abs(values[kept[0] ?? 0] as number) : description.scale;
		return endsOf(kept, values, place, away === 1).flatMap(({ y, weight }): Curve[] => {
			const alpha = Math.min(1, away * ink.strength * (weight / full) ** 0.7);
			if (alpha < FAINTEST) return [];
			const [from, to] = axis === "row" ? [here, y] : [y, here];
			const thickness = 0.7 + 3.6 * Math.min(1, weight / description.scale);
			return [
				{
					y0: from * density,
					y1: to * density,
					thickness: thickness * density,
					colour: ink.colour(state.heads[i] as number),
					alpha,
				},
			];
		});
	});
}

/** Where lines end: at each token in view and, for all those above or below together, past the edge. */
function endsOf(
	kept: readonly number[],
	values: Float32Array,
	{ height, top, viewport }: Place,
	summed: boolean,
): { y: number; weight: number }[] {
	const above = { y: -PAST_EDGE, weight: 0 };
	const below = { y: viewport + PAST_EDGE, weight: 0 };
	const ends: { y: number; weight: number }[] = [];
	for (const index of kept) {
		const weight = Math.abs(values[index] as number);
		const y = (index + 0.5) * height - top;
		if (y < 0) above.weight += weight;
		else if (y > viewport) below.weight += weight;
		else ends.push({ y, weight });
	}
	return summed ? [...ends, above, below] : ends;
}

/** How lines are inked: looked-at ones by their share of the strongest, so that they show in long rows. */
interface Ink {
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

	constructor(el: HTMLCanvasElement) {
		this.el = el;
	}

	/** Draw what `curves` gives unless `shown`, which names it, is on the canvas already. */
	update(
		shown: string,
		place: Place,
		curves: () => { curves: readonly Curve[]; complete: boolean },
	): void {
		// While rows are missing they are wished for in every frame.
		if (shown === this.#drawn && this.#complete) return;
		const made = curves();
		this.#drawn = shown;
		this.#complete = made.complete;
		const { across, viewport } = place;
		const context = fitCanvas(this.el, across.right - across.left, viewport);
		this.el.style.left = `${across.left}px`;
		if (!made.curves.length) return;
		const { width, height } = this.el;
		context.putImageData(drawCurves(made.curves, width, height, this.#sheet), 0, 0);
	}
}
