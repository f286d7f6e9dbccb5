import { stepColour } from "../draw/colour";
import { pinsOf } from "../pins";
import { setText } from "../ui/dom";
import type { Case } from "./compare-case";
import type { Column } from "./compare-columns";

/** In which role a gloss shows its tokens. */
export type Role = "both" | "query" | "key";

/** What stands in one column. */
export interface Cell {
	readonly el: HTMLElement;
	readonly texts: readonly [HTMLElement | null, HTMLElement | null];
	readonly bar: HTMLElement;
	readonly number: HTMLElement;
	/** Names what is drawn: a hover over 500 tokens must not restyle 500 tokens. */
	drawn: string;
}

/** Weights and differences below these get no number. */
const NUMBER_FROM = 0.05;
const DIFFERENCE_FROM = 0.02;
/** A bar is full at the largest difference of a row, or at this. */
const FULL_FROM = 0.1;
/** A step of the ramps that is seen on either ground. */
const STRONG = 190;

/** What one column looks like in this frame: shaded by what is read of it in each text. */
export function lookOf(
	now: Case,
	role: Role,
	numbered: boolean,
): (column: Column, cell: Cell) => void {
	const { scene, rows, ink } = now;
	const { focus, colours } = scene;
	const looked = new Set([
		...(role === "key" ? [] : focus.queries),
		...(role === "query" ? [] : focus.keys),
	]);
	const partner = role === "query" ? undefined : focus.pair?.[1];
	const pinned = pinsOf(scene.state).length > 0;
	const [more, less] = [colours.ramp, colours.coldRamp].map((ramp) => stepColour(ramp, STRONG));
	const read = role === "query" ? undefined : rows;
	const most = Math.max(FULL_FROM, ...(read ? differencesOf(now, read) : []));
	return ({ ends, shared }, cell) => {
		const weights = ends.map((index, side) =>
			index === null || !read ? undefined : read[side as 0 | 1][index],
		);
		const [first, second] = weights;
		const by = first === undefined || second === undefined ? undefined : second - first;
		const ring =
			shared === null
				? ""
				: looked.has(shared)
					? pinned
						? "looked pinned"
						: "looked"
					: shared === partner
						? "partner"
						: "";
		const state = [ink.name, ring, first, second, most].join();
		if (state === cell.drawn) return;
		cell.drawn = state;
		const tells =
			numbered &&
			(Math.max(...weights.map((weight) => weight ?? 0)) >= NUMBER_FROM ||
				Math.abs(by ?? 0) >= DIFFERENCE_FROM);
		for (const [side, text] of cell.texts.entries()) {
			if (!text) continue;
			const weight = weights[side];
			text.style.backgroundColor = weight === undefined ? "" : ink.of(weight);
			text.style.color = weight === undefined ? "" : ink.on(weight);
			if (tells && weight !== undefined) text.dataset.weight = weight.toFixed(2);
			else delete text.dataset.weight;
			for (const name of ["looked", "pinned", "partner"])
				text.classList.toggle(name, ring.split(" ").includes(name));
		}
		const share = Math.abs(by ?? 0) / most;
		const { bar, number } = cell;
		bar.style.height = `${(50 * share).toFixed(1)}%`;
		bar.style.backgroundColor = (by ?? 0) < 0 ? (less ?? "") : (more ?? "");
		bar.className = (by ?? 0) < 0 ? "less" : "more";
		setText(number, tells && by !== undefined ? byText(by) : "");
		const told = weights.flatMap((weight, side) =>
			weight === undefined ? [] : [`${weight.toFixed(2)} in ${now.names[side]}`],
		);
		cell.el.ariaDescription = told.join(", ");
		cell.el.ariaSelected = String(ring.includes("pinned"));
	};
}

/** By how much what stands opposite each other is read differently. */
function differencesOf({ sides }: Case, [first, second]: NonNullable<Case["rows"]>): number[] {
	const { pairs } = sides.keys ?? sides.queries;
	return pairs.map(([i, j]) => Math.abs((second[j] as number) - (first[i] as number)));
}

/** A difference to two digits, with its sign, be it none. */
function byText(by: number): string {
	const text = Math.abs(by).toFixed(2);
	return text === "0.00" ? text : `${by < 0 ? "−" : "+"}${text}`;
}
