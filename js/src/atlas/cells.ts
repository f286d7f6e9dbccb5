import { css, inkOf, type Palette, stepColour } from "../draw/colour";
import { drawMark } from "./marks";
import { tonesOf } from "./points";
import type { AtlasScene, Dot } from "./scene";

const LEFT = 30;
const TOP = 20;
const GAP = 2;
const TALLEST = 36;
const LEAST = 8;
/** A cell of this width has its number in it. */
const NUMBER_FROM = 30;
/** A cell of these sides has its label's mark in its corner. */
const MARK_FROM = 22;
const FONT = "11px system-ui, sans-serif";

/** Where cells lie: a layer a row, a head a column. */
export interface CellsLayout {
	readonly height: number;
	readonly cell: readonly [width: number, height: number];
	place(dot: Dot): readonly [left: number, top: number];
	at(left: number, top: number): readonly [layer: number, head: number] | null;
}

export function cellsLayout({ info }: AtlasScene, width: number): CellsLayout {
	const across = (width - LEFT) / info.heads;
	const down = Math.max(LEAST, Math.min(TALLEST, across));
	return {
		height: TOP + down * info.layers.length,
		cell: [across - GAP, down - GAP],
		place: ({ head: [layer, head] }) => [LEFT + head * across, TOP + layer * down],
		at(left, top) {
			const layer = Math.floor((top - TOP) / down);
			const head = Math.floor((left - LEFT) / across);
			const isThere = layer >= 0 && layer < info.layers.length && head >= 0 && head < info.heads;
			return isThere ? [layer, head] : null;
		},
	};
}

/** From the least to the greatest of all heads. */
export function scoreEnds({ dots }: AtlasScene): readonly [least: number, most: number] {
	const known = dots.map(({ score }) => score.value).filter((value) => !Number.isNaN(value));
	return known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
}

/** A score as short as a cell is. */
export function cellText(value: number): string {
	const text = value.toFixed(Math.abs(value) < 10 ? 2 : 0);
	return text.replace("-", "−").replace(/^(−?)0\./, "$1.");
}

export function drawCells(
	context: CanvasRenderingContext2D,
	layout: CellsLayout,
	scene: AtlasScene,
	pointed: Dot | null,
	colours: Palette,
): void {
	const { info } = scene;
	const tones = tonesOf(colours);
	const [least, most] = scoreEnds(scene);
	const ink = inkOf(colours, "linear", most - least || 1);
	const [width, height] = layout.cell;
	const hasNumbers = width >= NUMBER_FROM && height >= 16;
	context.font = FONT;
	context.textAlign = "center";
	context.textBaseline = "middle";
	context.fillStyle = css(tones.muted);
	const each = Math.ceil(14 / (width + GAP));
	for (let head = 0; head < info.heads; head += each)
		context.fillText(`${head}`, LEFT + (head + 0.5) * (width + GAP) - GAP / 2, TOP / 2);
	const every = Math.ceil(12 / (height + GAP));
	context.textAlign = "right";
	for (let layer = 0; layer < info.layers.length; layer += every)
		context.fillText(
			`${info.layers[layer]}`,
			LEFT - 8,
			TOP + (layer + 0.5) * (height + GAP) - GAP / 2,
		);
	context.textAlign = "center";
	for (const dot of scene.dots) {
		const [left, top] = layout.place(dot);
		const { value } = dot.score;
		if (!dot.isIn || Number.isNaN(value)) {
			context.fillStyle = css(tones.muted, 0.12);
			context.fillRect(left, top + height / 2 - 0.5, width, 1);
			continue;
		}
		// The least of all has a colour too: it isn't left out.
		context.fillStyle = css(tones.muted, 0.06);
		context.fillRect(left, top, width, height);
		context.fillStyle = ink.of(value - least);
		context.fillRect(left, top, width, height);
		if (hasNumbers) {
			context.fillStyle = ink.on(value - least) || css(tones.ink);
			context.fillText(cellText(value), left + width / 2, top + height / 2 + 0.5);
		}
		if (dot.label && width > MARK_FROM && height > MARK_FROM) {
			const corner = [left + width - 6, top + 6] as const;
			context.fillStyle = tones.halo;
			context.beginPath();
			context.arc(...corner, 5, 0, 2 * Math.PI);
			context.fill();
			drawMark(context, dot.mark, corner, 3, colours.dark);
		}
	}
	for (const dot of [pointed, scene.current]) {
		if (!dot) continue;
		const [left, top] = layout.place(dot);
		context.lineWidth = 2;
		context.strokeStyle = css(dot === scene.current ? colours.reader : tones.ink);
		context.strokeRect(left - 1, top - 1, width + 2, height + 2);
	}
}

/** The ramp of the scores, as a CSS image. */
export function rampImage({ ramp }: Palette): string {
	const stops = [0, 64, 128, 192, 255].map((step) => stepColour(ramp, step));
	return `linear-gradient(to right, ${stops.join(", ")})`;
}
