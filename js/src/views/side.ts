import { css } from "../draw/colour";
import type { Scene } from "../scene";
import { shown } from "../ui/words";
import type { Marks, Side } from "./column";

/** More heads than this make bars too thin to be told apart: then each has a cell. */
const HEADS_WITH_BARS = 4;
const NONE: Marks = { bars: [], cells: [] };

/** What stands behind and beside the tokens of one side. */
export function sideOf(scene: Scene, role: "query" | "key"): Side {
	const asKey = role === "key";
	const table = asKey ? scene.tokens.keys : scene.tokens.queries;
	const { focus, received, state, colours, description, ink } = scene;
	const reading = asKey ? scene.reads : scene.readers;
	const focused = new Set(asKey ? focus.keys : focus.queries);
	const resting = asKey ? received : undefined;
	const [above, below] = [asKey ? colours.read : colours.reader, colours.less].map((colour) =>
		css(colour, 0.3),
	) as [string, string];
	const barOf = (weight: number) => ({
		share: Math.abs(weight) / description.scale,
		colour: weight < 0 ? below : above,
	});
	const colourOf = (i: number, alpha: number) => css(colours.head(state.heads[i] as number), alpha);
	return {
		count: asKey ? description.keys : description.queries,
		focused: (index) => focused.has(index),
		marks(index) {
			if (resting) return { ...NONE, bars: [barOf(resting[index] as number)] };
			if (!reading) return NONE;
			const weights = reading.lines.map(({ values }) => values[index] as number);
			const [only, second] = weights;
			if (second === undefined) return { ...NONE, bars: [barOf(only as number)] };
			return weights.length > HEADS_WITH_BARS
				? { ...NONE, cells: weights.map((weight, i) => colourOf(i, round(ink.at(weight)))) }
				: {
						...NONE,
						bars: weights.map((weight, i) => ({ ...barOf(weight), colour: colourOf(i, 0.9) })),
					};
		},
		number: (index) => (resting ?? reading?.mean)?.[index],
		label: (index) => shown(table, index),
		special: (index) => table.special[index] === true,
	};
}

function round(opacity: number): number {
	return Math.round(100 * opacity) / 100;
}
