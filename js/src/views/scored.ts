import { inkOf, type Palette } from "../draw/colour";
import type { Scene } from "../scene";
import { endsOf } from "../scores";
import { make } from "../ui/dom";
import { boxIn, cellsInView, type Grid, headIn, type Room } from "./grid";

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
	{ colours }: Scene,
	scores: Float32Array,
): void {
	const [least, greatest] = endsOf(scores) ?? [0, 0];
	const ink = scoreInk(colours);
	const isTall = grid.down >= TALL;
	const hasNumbers = grid.across >= (isTall ? TALL : WIDE) && grid.down >= TALL / 2;
	context.font = "11px system-ui, sans-serif";
	context.textBaseline = "middle";
	context.textAlign = isTall ? "center" : "right";
	for (const [row, column] of cellsInView(grid, room)) {
		const { layer, head } = headIn(grid, row, column);
		const score = scores[layer * grid.heads + head] as number;
		// A head without a score has no colour.
		if (Number.isNaN(score)) continue;
		const share = shareOf((score - least) / (greatest - least || 1));
		const [left, top, width, height] = boxIn(grid, row, column);
		context.fillStyle = ink.of(share);
		context.fillRect(left, top, width, height);
		if (!hasNumbers) continue;
		context.fillStyle = ink.on(share) || (colours.dark ? "#fff" : "#000");
		const x = isTall ? left + width / 2 : left + width - 4;
		context.fillText(score.toFixed(score < 10 ? 2 : 0), x, top + height * (isTall ? 0.6 : 0.5));
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
