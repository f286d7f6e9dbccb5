import { css, inkOf, type Palette } from "../draw/colour";
import type { Scene } from "../scene";
import { endsOf } from "../scores";
import { make } from "../ui/dom";
import { boxIn, cellsInView, type Grid, headIn, type Room } from "./grid";
import { hasNames, nameIn } from "./map-marks";

/** The least score is seen, too: the ramp's lowest steps are nearly the ground. */
const LOWEST = 0.1;
/** Room for a number: below a head's name, or beside it. */
const TALL = 30;
const WIDE = 64;

const STEPS = 16;

const shareOf = (place: number) => LOWEST + (1 - LOWEST) * place;
const scoreInk = (colours: Palette) => inkOf(colours, "linear", 1);

/** Every head in view in its score's colour, from the least to the greatest of all heads. */
export function drawScores(
	context: CanvasRenderingContext2D,
	grid: Grid,
	room: Room,
	{ colours, description }: Pick<Scene, "colours" | "description">,
	scores: Float32Array,
): void {
	const [least, greatest] = endsOf(scores) ?? [0, 0];
	const ink = scoreInk(colours);
	const page = css(colours.dark ? [235, 235, 240] : [27, 27, 31]);
	const isTall = grid.down >= TALL;
	const hasNumbers = hasNames(grid) && (isTall || grid.across >= WIDE);
	context.textBaseline = "middle";
	for (const [row, column] of cellsInView(grid, room)) {
		const at = headIn(grid, row, column);
		const score = scores[at.layer * grid.heads + at.head] as number;
		const [left, top, width, height] = boxIn(grid, row, column);
		const isKnown = !Number.isNaN(score);
		// A head without a score has no colour.
		const share = isKnown ? shareOf((score - least) / (greatest - least || 1)) : 0;
		context.fillStyle = ink.of(share);
		context.fillRect(left, top, width, height);
		context.fillStyle = ink.on(share) || page;
		const write = (text: string, align: CanvasTextAlign, x: number, y: number) => {
			context.textAlign = align;
			context.fillText(text, left + x, top + y);
		};
		context.font = "10px system-ui, sans-serif";
		if (hasNames(grid)) write(nameIn(description, at), "left", 3, isTall ? 8 : height / 2);
		context.font = "600 11px system-ui, sans-serif";
		if (hasNumbers && isKnown)
			write(
				score.toFixed(score < 10 ? 2 : 0),
				"right",
				width - 3,
				height - (isTall ? 8 : height / 2),
			);
	}
}

/** The colours from the least score to the greatest. */
export function scoreBar(): { el: HTMLElement; colour(colours: Palette): void } {
	const el = make("span", { class: "scores" });
	let coloured: Palette | undefined;
	return {
		el,
		colour(colours) {
			if (colours === coloured) return;
			coloured = colours;
			const ink = scoreInk(colours);
			const stops = Array.from({ length: STEPS + 1 }, (_, i) => ink.of(shareOf(i / STEPS)));
			el.style.background = `linear-gradient(to right, ${stops})`;
		},
	};
}
