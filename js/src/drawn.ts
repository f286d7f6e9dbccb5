import { type Drawn, drawnOf, type Limits } from "./draw/lines";
import type { Axis } from "./protocol.gen";
import type { Reading, Scene } from "./scene";
import { percent } from "./ui/words";

/** By weights, for as long as these are kept: a row in view is drawn in many frames, and read out in each. */
const known = new WeakMap<Float32Array, { limits: string; drawn: Drawn }>();

/** What has lines of what a token reads, or of what reads it: head by head. */
export function linesDrawn(
	{ index, lines }: Reading,
	axis: Axis,
	{ state, tokens }: Pick<Scene, "state" | "tokens">,
): Drawn[] {
	const { top_mass, top_k, threshold, between } = state;
	const limits = JSON.stringify([top_mass, top_k, threshold, between]);
	const may = partners(axis, index, between, tokens);
	return lines.map(({ values }) => {
		const before = known.get(values);
		if (before?.limits === limits) return before.drawn;
		const drawn = drawnOf(values, state, may);
		known.set(values, { limits, drawn });
		return drawn;
	});
}

/** Of a filter by segments: which tokens of the other side a token's lines may go to. */
function partners(
	axis: Axis,
	index: number,
	between: Scene["state"]["between"],
	{ queries, keys }: Scene["tokens"],
): ((other: number) => boolean) | undefined {
	if (!between.length) return undefined;
	const [own, others, role] = axis === "row" ? [queries, keys, 0] : [keys, queries, 1];
	const segment = own.segment[index];
	const wanted = new Set(between.flatMap((pair) => (pair[role] === segment ? pair[1 - role] : [])));
	return (other) => wanted.has(others.segment[other]);
}

/** What keeps weights from having lines, in words: each limit that is set. */
export function limitsText({
	state,
	description,
}: Pick<Scene, "state" | "description">): Partial<Record<keyof Limits | "between", string>> {
	const { top_mass, top_k, threshold, between } = state;
	const sum = description.shares ? "" : " of a row’s sum";
	return {
		...(between.length && { between: "other segments" }),
		...(top_mass < 1 && { top_mass: `below top ${percent(top_mass)}${sum}` }),
		...(top_k !== null && {
			top_k: top_k === 1 ? "all but the largest" : `beyond the ${top_k} largest`,
		}),
		...(threshold > 0 && { threshold: `below ${Number(threshold.toPrecision(2))}` }),
	};
}
