import { css, type Palette } from "../draw/colour";
import { drawNames } from "../draw/names";
import { fitCanvas, handled, isEnter, make, setName, setText, withModifier } from "../ui/dom";
import {
	type Axes,
	axesOf,
	highest,
	nearest,
	nextAlong,
	type Point,
	tickText,
} from "./evidence-points";
import { ARROWS } from "./gestures";

const HEIGHT = 240;
const REACH = 14;
const NAMED = 3;
const LINE = 16;
const FONT = "11px system-ui, sans-serif";
/** From this many dots on they are smaller. */
const MANY = 200;

export interface Dot extends Point {
	/** Which of the heads or keys it is. */
	readonly of: number;
	readonly name: string;
	/** Whether it is chosen, or pinned. */
	readonly on: boolean;
}

export interface Plot {
	readonly dots: readonly Dot[];
	/** What the numbers are. */
	readonly x: string;
	readonly y: string;
	readonly band: readonly [number, number] | null;
	readonly bandName: string;
	readonly colours: Palette;
	look(dot: Dot | null): void;
	go(dot: Dot, also: boolean): void;
}

/** One dot for each of many, by attention and effect; a pointer or arrow keys name them. */
export function scatter(redraw: () => void, signal: AbortSignal) {
	const canvas = make("canvas");
	const stage = make("div", { class: "plot", tabindex: 0, role: "application" }, canvas);
	const above = make("div", { class: "muted axis" });
	const below = make("div", { class: "muted axis below" });
	const said = make("span");
	const across = make("span");
	below.append(said, across);
	const el = make("div", { class: "scatter" }, above, stage, below);
	el.hidden = true;
	let width = 0;
	let plot: Plot | undefined;
	let axes: Axes | undefined;
	let pointed: number | null = null;

	const dotAt = (index: number | null) => (index === null ? null : (plot?.dots[index] ?? null));

	function point(index: number | null): void {
		if (index === pointed) return;
		pointed = index;
		plot?.look(dotAt(index));
		redraw();
	}

	const at = (event: MouseEvent) => {
		const { left, top } = stage.getBoundingClientRect();
		const place = [event.clientX - left, event.clientY - top] as const;
		return plot && axes ? nearest(axes, plot.dots, place, REACH) : null;
	};
	const onKey = (event: KeyboardEvent) => {
		if (!plot?.dots.length) return;
		const start =
			pointed ??
			Math.max(
				0,
				plot.dots.findIndex(({ on }) => on),
			);
		const step = ARROWS[event.key];
		if (step && !withModifier(event)) {
			const [down, right] = step;
			point(
				down ? nextAlong(plot.dots, start, "y", -down) : nextAlong(plot.dots, start, "x", right),
			);
		} else if (isEnter(event)) plot.go(plot.dots[start] as Dot, event.shiftKey);
		else return;
		handled(event);
	};
	const options = { signal };
	stage.addEventListener("pointermove", (event) => point(at(event)), options);
	stage.addEventListener("pointerleave", () => point(null), options);
	stage.addEventListener("blur", () => point(null), options);
	stage.addEventListener("keydown", onKey, options);
	stage.addEventListener(
		"click",
		(event) => {
			const dot = dotAt(at(event));
			if (dot) plot?.go(dot, event.shiftKey);
		},
		options,
	);

	return {
		el,
		measure() {
			width = stage.clientWidth;
		},
		update(now: Plot | undefined) {
			const shown = plot;
			plot = now;
			el.hidden = !now;
			if (!now) return;
			if (pointed !== null && shown?.dots.length !== now.dots.length) pointed = null;
			const dot = dotAt(pointed);
			setText(above, `↑ ${now.y}`);
			setText(across, `${now.x} →`);
			setText(said, dot ? dotText(dot, now) : "");
			setName(stage, nameOf(now, dot));
			// Its size is known from the next frame on.
			if (width === 0) redraw();
			else {
				axes = axesOf(width, HEIGHT, now.dots, now.band);
				draw(fitCanvas(canvas, width, HEIGHT), axes, now, pointed);
			}
		},
	};
}

function dotText({ name, x, y }: Dot, plot: Plot): string {
	return `${name}: ${plot.x} ${tickText(x)}, ${plot.y} ${tickText(y)}`;
}

function nameOf(plot: Plot, dot: Dot | null): string {
	const at = dot ? `${dotText(dot, plot)}; ` : "";
	return `${at}${plot.dots.length} dots, ${plot.x} against ${plot.y}; arrow keys move along either, Enter goes there`;
}

function draw(
	context: CanvasRenderingContext2D,
	axes: Axes,
	plot: Plot,
	pointed: number | null,
): void {
	const { dark, read, reader } = plot.colours;
	const ink = dark ? ([235, 235, 240] as const) : ([27, 27, 31] as const);
	const muted = css(dark ? [154, 154, 166] : [107, 107, 118]);
	context.font = FONT;
	drawBand(context, axes, plot, css(ink, 0.07), muted);
	drawTicks(context, axes, css(ink, 0.12), muted);
	const radius = plot.dots.length > MANY ? 2.5 : 4;
	context.fillStyle = css(read, 0.7);
	for (const dot of plot.dots) disc(context, axes, dot, radius);
	const ring = (dot: Dot, colour: string) => {
		context.strokeStyle = colour;
		context.lineWidth = 2;
		context.beginPath();
		context.arc(axes.x(dot.x), axes.y(dot.y), radius + 2.5, 0, 2 * Math.PI);
		context.stroke();
	};
	const chosen = plot.dots.flatMap(({ on }, i) => (on ? [i] : []));
	for (const i of chosen) ring(plot.dots[i] as Dot, css(reader));
	if (pointed !== null) ring(plot.dots[pointed] as Dot, css(ink));
	const first = pointed === null ? chosen : [pointed, ...chosen];
	context.strokeStyle = dark ? "rgb(20 20 23 / 0.8)" : "rgb(255 255 255 / 0.8)";
	context.fillStyle = css(ink);
	const named = [...new Set([...first, ...highest(plot.dots, NAMED)])];
	drawNames(
		context,
		named.map((i) => {
			const { name, x, y } = plot.dots[i] as Dot;
			return { name, left: axes.x(x), top: axes.y(y) };
		}),
		axes.width,
	);
}

function disc(
	context: CanvasRenderingContext2D,
	axes: Axes,
	{ x, y }: Point,
	radius: number,
): void {
	context.beginPath();
	context.arc(axes.x(x), axes.y(y), radius, 0, 2 * Math.PI);
	context.fill();
}

function drawBand(
	context: CanvasRenderingContext2D,
	axes: Axes,
	{ band, bandName }: Plot,
	fill: string,
	muted: string,
): void {
	if (!band) return;
	const [left, right] = [axes.x(0), axes.width];
	const [top, bottom] = [axes.y(band[1]), axes.y(band[0])];
	context.fillStyle = fill;
	context.fillRect(left, top, right - left, Math.max(2, bottom - top));
	context.fillStyle = muted;
	context.textAlign = "right";
	const isAbove = top > LINE;
	context.textBaseline = isAbove ? "bottom" : "top";
	context.fillText(bandName, right - 4, isAbove ? top - 2 : top + 4);
}

function drawTicks(
	context: CanvasRenderingContext2D,
	axes: Axes,
	line: string,
	muted: string,
): void {
	const [left, bottom] = [axes.x(0), axes.y(0)];
	context.textBaseline = "middle";
	context.textAlign = "right";
	for (const tick of axes.yTicks) {
		const y = Math.round(axes.y(tick));
		context.fillStyle = line;
		context.fillRect(left, y - 0.5, axes.width - left, 1);
		context.fillStyle = muted;
		context.fillText(tickText(tick), left - 8, y);
	}
	context.textBaseline = "top";
	context.textAlign = "center";
	context.fillStyle = muted;
	for (const tick of axes.xTicks) context.fillText(tickText(tick), axes.x(tick), bottom + 8);
}
