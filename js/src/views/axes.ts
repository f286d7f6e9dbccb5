import { css } from "../draw/colour";
import type { Scene } from "../scene";
import { short } from "../ui/words";
import { type Frame, LABEL_PITCH, tokensInView } from "./viewport";

type Side = "query" | "key";

const MOST_LETTERS = 12;
const SLANT = Math.PI / 3;
/** Where fewer than each so-many-th token has room, tokens say little: positions do. */
const TOKENS_UP_TO = 5;
/** How far apart positions stand, down and along. */
const POSITION_PITCH = { query: 32, key: 64 } as const;
/** The label of what is looked at has this much room to itself, on both sides. */
const CLEAR = { token: 16, query: 16, key: 64 } as const;

/** Which tokens have labels: the multiples of a round number, so that they stay while one pans. */
export function labelStep(cell: number, pitch: number): number {
	for (let power = 1; ; power *= 10)
		for (const times of [1, 2, 5]) if (times * power * cell >= pitch) return times * power;
}

/** Say which rows and columns these are, as closely as there is room; always where the focus is. */
export function drawAxes(context: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
	if (frame.x < LABEL_PITCH) return;
	const [query, key] = scene.focus.pair ?? [scene.focus.query, scene.focus.key];
	drawAxis(context, scene, frame, "query", query);
	drawAxis(context, scene, frame, "key", key);
}

function drawAxis(
	context: CanvasRenderingContext2D,
	scene: Scene,
	frame: Frame,
	side: Side,
	focus: number | null,
): void {
	const { description, tokens, colours } = scene;
	const table = side === "query" ? tokens.queries : tokens.keys;
	const [first, last] = tokensInView(
		frame,
		side,
		side === "query" ? description.queries : description.keys,
	);
	const { cell } = frame;
	const here = focus !== null && focus >= first && focus < last;
	const near = labelStep(cell, LABEL_PITCH);
	const positions = near > TOKENS_UP_TO;
	const step = positions ? labelStep(cell, POSITION_PITCH[side]) : near;
	const clear = CLEAR[positions ? side : "token"];
	context.font = `${positions ? 11 : Math.min(13, Math.max(10, step * cell - 1))}px system-ui, sans-serif`;
	const ink = (alpha: number) => css(colours.dark ? [235, 235, 240] : [27, 27, 31], alpha);
	context.fillStyle = ink(0.72);
	for (let index = Math.ceil(first / step) * step; index < last; index += step) {
		if (here && Math.abs(index - focus) * cell < clear) continue;
		const text = positions ? String(index) : fitted(context, frame, side, table, index);
		drawLabel(context, frame, side, index, text, !positions);
	}
	if (!here) return;
	context.fillStyle = ink(1);
	context.font = `600 ${context.font}`;
	drawLabel(context, frame, side, focus, fitted(context, frame, side, table, focus), true);
}

/** A token cut to its room. */
function fitted(
	context: CanvasRenderingContext2D,
	frame: Frame,
	side: Side,
	table: Parameters<typeof short>[0],
	index: number,
): string {
	const room = side === "query" ? frame.x - 8 : (frame.y - 13) / Math.sin(SLANT);
	const text = short(table, index, MOST_LETTERS);
	const share = room / context.measureText(text).width;
	return share < 1
		? short(table, index, Math.max(1, Math.floor(Array.from(text).length * share)))
		: text;
}

function drawLabel(
	context: CanvasRenderingContext2D,
	{ x, y, width, height, cell, query, key }: Frame,
	side: Side,
	index: number,
	text: string,
	slanted: boolean,
): void {
	const down = side === "query";
	const middle = (index + 0.5 - (down ? query : key)) * cell;
	if (middle < 0 || middle > (down ? height : width)) return;
	const slant = !down && slanted;
	context.textBaseline = "middle";
	context.textAlign = down ? "right" : slant ? "left" : "center";
	context.save();
	context.translate(down ? x - 6 : x + middle, down ? y + middle : y - (slant ? 6 : 9));
	if (slant) context.rotate(-SLANT);
	context.fillText(text, 0, 0);
	context.restore();
}
