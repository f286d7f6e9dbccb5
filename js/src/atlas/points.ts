import { css, type Palette, type Rgb } from "../draw/colour";
import { drawNames } from "../draw/names";
import { tickText } from "../views/evidence-points";
import { type Frame, mapSides, type Side, sideOf } from "./axes";
import { drawMark } from "./marks";
import { type AtlasScene, type Dot, isMap } from "./scene";

const MARGIN = { left: 46, right: 14, top: 10, bottom: 24 } as const;
const FONT = "11px system-ui, sans-serif";
/** From this many heads on dots are smaller. */
const MANY = 300;
const LEAST_NAMED = 0.5;

/** Where dots lie, and what lies around them. */
export interface PointsLayout {
	readonly frame: Frame;
	readonly x: Side;
	readonly y: Side;
	readonly isMap: boolean;
	place(dot: Dot): readonly [left: number, top: number];
	radius(dot: Dot): number;
}

export function pointsLayout(scene: AtlasScene, width: number, height: number): PointsLayout {
	const onMap = isMap(scene.chosen.plot);
	const margin = onMap ? { left: 12, right: 12, top: 12, bottom: 12 } : MARGIN;
	const frame = {
		left: margin.left,
		right: width - margin.right,
		top: margin.top,
		bottom: height - margin.bottom,
	};
	const xs = scene.dots.map((dot) => dot.x);
	const ys = scene.dots.map((dot) => dot.y);
	const { x, y } = onMap
		? mapSides(xs, ys, frame)
		: {
				x: sideOf(xs, frame.left, frame.right),
				y: sideOf(ys, frame.bottom, frame.top),
			};
	const [least, more] = scene.dots.length > MANY ? [2, 2.6] : [3.2, 4.3];
	return {
		frame,
		x,
		y,
		isMap: onMap,
		place: (dot) => [x.at(dot.x), y.at(dot.y)],
		// The area says in what share of the texts the label holds.
		radius: (dot) => Math.sqrt(least ** 2 + dot.held * ((least + more) ** 2 - least ** 2)),
	};
}

interface Tones {
	readonly ink: Rgb;
	readonly muted: Rgb;
	readonly halo: string;
}

export function tonesOf({ dark }: Palette): Tones {
	return {
		ink: dark ? [235, 235, 240] : [27, 27, 31],
		muted: dark ? [154, 154, 166] : [107, 107, 118],
		halo: dark ? "rgb(20 20 23 / 0.85)" : "rgb(255 255 255 / 0.85)",
	};
}

/** Draw the heads as dots: those that are filtered out as a trace, the chosen and the pointed in front. */
export function drawPoints(
	context: CanvasRenderingContext2D,
	layout: PointsLayout,
	scene: AtlasScene,
	pointed: Dot | null,
	colours: Palette,
): void {
	const tones = tonesOf(colours);
	context.font = FONT;
	if (!layout.isMap) {
		drawTicks(context, layout, tones);
		drawUniform(context, layout, scene, tones);
	}
	context.fillStyle = css(tones.muted, 0.22);
	for (const dot of scene.dots) {
		if (dot.isIn || Number.isNaN(dot.x + dot.y)) continue;
		const [left, top] = layout.place(dot);
		context.fillRect(left - 1, top - 1, 2, 2);
	}
	// Those with a name lie over those without.
	for (const named of [false, true])
		for (const dot of scene.there)
			if ((dot.label !== undefined) === named)
				drawMark(context, dot.mark, layout.place(dot), layout.radius(dot), colours.dark, 0.85);
	const inFront = [scene.current, pointed].filter((dot) => dot && !Number.isNaN(dot.x + dot.y));
	for (const dot of inFront as Dot[]) {
		if (!layout.isMap) drawCross(context, layout, dot, css(tones.ink, 0.7));
		drawMark(context, dot.mark, layout.place(dot), layout.radius(dot), colours.dark);
		const [left, top] = layout.place(dot);
		context.strokeStyle = css(dot === scene.current ? colours.reader : tones.ink);
		context.lineWidth = 2;
		context.beginPath();
		context.arc(left, top, layout.radius(dot) + 3.5, 0, 2 * Math.PI);
		context.stroke();
	}
	context.strokeStyle = tones.halo;
	context.fillStyle = css(tones.ink);
	const named = [...(inFront as Dot[]).reverse(), ...mostOfEach(scene)];
	drawNames(
		context,
		[...new Set(named)].map((dot) => {
			const [left, top] = layout.place(dot);
			// Of a large dot it begins further away.
			return { name: dot.name, left: left + Math.max(0, layout.radius(dot) - 5), top };
		}),
		layout.frame.right,
	);
}

/** Of each label the head that has most of it. */
export function mostOfEach({ info, there }: AtlasScene): Dot[] {
	return info.names.flatMap((name) => {
		const of = (dot: Dot) => dot.labels.find((label) => label.name === name)?.score ?? -1;
		const [most] = [...there].sort((a, b) => of(b) - of(a));
		return most && most.label?.name === name && of(most) > LEAST_NAMED ? [most] : [];
	});
}

function drawTicks(
	context: CanvasRenderingContext2D,
	{ frame, x, y }: PointsLayout,
	{ ink, muted }: Tones,
): void {
	context.fillStyle = css(ink, 0.1);
	for (const tick of y.ticks)
		context.fillRect(frame.left, Math.round(y.at(tick)) - 0.5, frame.right - frame.left, 1);
	for (const tick of x.ticks)
		context.fillRect(Math.round(x.at(tick)) - 0.5, frame.top, 1, frame.bottom - frame.top);
	context.fillStyle = css(muted);
	context.textBaseline = "middle";
	context.textAlign = "right";
	for (const tick of y.ticks) context.fillText(tickText(tick), frame.left - 8, y.at(tick));
	context.textBaseline = "top";
	context.textAlign = "center";
	for (const tick of x.ticks) context.fillText(tickText(tick), x.at(tick), frame.bottom + 8);
}

/** What uniform attention has on these texts, where it lies in the plot. */
function drawUniform(
	context: CanvasRenderingContext2D,
	{ frame, x, y }: PointsLayout,
	{ info, chosen }: AtlasScene,
	{ muted }: Tones,
): void {
	const baseline = (name: string) => info.scores.find((it) => it.name === name)?.baseline ?? null;
	const [across, up] = [baseline(chosen.x), baseline(chosen.y)];
	context.strokeStyle = css(muted, 0.8);
	context.fillStyle = css(muted);
	context.lineWidth = 1;
	context.setLineDash([3, 3]);
	context.beginPath();
	const [left, top] = [across === null ? -1 : x.at(across), up === null ? -1 : y.at(up)];
	const [isAcross, isUp] = [
		left > frame.left && left < frame.right,
		top > frame.top && top < frame.bottom,
	];
	if (isAcross) {
		context.moveTo(left, frame.top);
		context.lineTo(left, frame.bottom);
	}
	if (isUp) {
		context.moveTo(frame.left, top);
		context.lineTo(frame.right, top);
	}
	context.stroke();
	context.setLineDash([]);
	context.textBaseline = "bottom";
	context.textAlign = "right";
	if (isUp) context.fillText("uniform", frame.right, top - 2);
	context.textAlign = "left";
	if (isAcross) context.fillText("uniform", left + 4, frame.top + 12);
}

function drawCross(
	context: CanvasRenderingContext2D,
	{ x, y }: PointsLayout,
	{ across, up }: Dot,
	ink: string,
): void {
	const [left, top] = [x.at(across.value), y.at(up.value)];
	context.strokeStyle = ink;
	context.lineWidth = 1.5;
	context.beginPath();
	if (across.half > 0) {
		context.moveTo(x.at(across.value - across.half), top);
		context.lineTo(x.at(across.value + across.half), top);
	}
	if (up.half > 0) {
		context.moveTo(left, y.at(up.value - up.half));
		context.lineTo(left, y.at(up.value + up.half));
	}
	context.stroke();
}
