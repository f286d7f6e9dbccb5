import { css, type Rgb } from "../draw/colour";

/** The forms that dots have: labels are told apart by form as well as by colour. */
export type Form = "dot" | "ring" | "square" | "diamond" | "left" | "right" | "down" | "star" | "x";

/** How heads with a label look, on a light ground and on a dark one. */
export interface Mark {
	readonly form: Form;
	readonly light: Rgb;
	readonly dark: Rgb;
}

/**
 * After Okabe and Ito 2008, darker on light ground and lighter on dark, so that each stands out of
 * either by 3:1. What reads to the left points there.
 */
const MARKS: Readonly<Record<string, Mark>> = {
	"first token": { form: "square", light: [176, 112, 0], dark: [240, 173, 40] },
	delimiter: { form: "diamond", light: [128, 100, 84], dark: [196, 164, 146] },
	"previous token": { form: "left", light: [0, 98, 178], dark: [86, 176, 240] },
	"next token": { form: "right", light: [0, 134, 150], dark: [78, 206, 214] },
	self: { form: "square", light: [84, 84, 98], dark: [190, 190, 206] },
	local: { form: "down", light: [0, 128, 88], dark: [72, 196, 146] },
	punctuation: { form: "x", light: [150, 82, 60], dark: [226, 152, 124] },
	"duplicate token": { form: "dot", light: [190, 62, 132], dark: [244, 142, 196] },
	induction: { form: "star", light: [206, 76, 0], dark: [255, 138, 76] },
	broad: { form: "dot", light: [116, 84, 184], dark: [184, 158, 248] },
};
const OTHERS = Object.values(MARKS);
const UNMARKED: Mark = { form: "ring", light: [140, 140, 150], dark: [128, 128, 140] };

/** The mark of a label; of `place` among all labels where it isn't one of the known. */
export function markOf(label: string | undefined, place: number): Mark {
	if (label === undefined) return UNMARKED;
	return MARKS[label] ?? (OTHERS[place % OTHERS.length] as Mark);
}

function inkOfMark(mark: Mark, dark: boolean): Rgb {
	return dark ? mark.dark : mark.light;
}

/** Draw a mark whose area is that of a disc of this radius, about. */
export function drawMark(
	context: CanvasRenderingContext2D,
	{ form, ...mark }: Mark,
	[x, y]: readonly [number, number],
	radius: number,
	dark: boolean,
	alpha = 1,
): void {
	const colour = css(inkOfMark({ form, ...mark }, dark), alpha);
	context.beginPath();
	const corners = CORNERS[form];
	if (corners) {
		for (const [dx, dy] of corners) context.lineTo(x + dx * radius, y + dy * radius);
		context.closePath();
	} else context.arc(x, y, form === "ring" ? Math.max(1, radius - 0.75) : radius, 0, 2 * Math.PI);
	if (form === "ring") {
		context.strokeStyle = colour;
		context.lineWidth = 1.25;
		context.stroke();
		return;
	}
	context.fillStyle = colour;
	context.fill();
}

type Corner = readonly [number, number];

/** A cross whose arms lie aslant, and a star of five points. */
function around(count: number, radii: readonly number[], from: number): Corner[] {
	return Array.from({ length: count }, (_, i) => {
		const angle = ((i + from) / count) * 2 * Math.PI - Math.PI / 2;
		const radius = radii[i % radii.length] as number;
		return [radius * Math.cos(angle), radius * Math.sin(angle)];
	});
}

const CORNERS: Readonly<Partial<Record<Form, readonly Corner[]>>> = {
	square: [
		[-0.88, -0.88],
		[0.88, -0.88],
		[0.88, 0.88],
		[-0.88, 0.88],
	],
	diamond: around(4, [1.25], 0),
	left: around(3, [1.35], 2.25),
	right: around(3, [1.35], 0.75),
	down: around(3, [1.35], 1.5),
	star: around(10, [1.45, 0.62], 0),
	x: around(8, [1.3, 0.5], 1),
};
