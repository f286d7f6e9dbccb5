import { type Drawn, drawnOf, type Limits } from "./draw/lines";
import type { Axis } from "./protocol.gen";
import type { Reading, Scene } from "./scene";
import { percent } from "./ui/words";

/** What has lines of what a token reads, or of what reads it: head by head. */
export function linesDrawn(
	{ index, lines }: Reading,
	axis: Axis,
	{ state, tokens }: Pick<Scene, "state" | "tokens">,
): Drawn[] {
	const may = partners(axis, index, state.between, tokens);
	return lines.map(({ values }) => drawnOf(values, state, may));
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
export function limitsText(
	state: Scene["state"],
): Partial<Record<keyof Limits | "between", string>> {
	const { top_mass, top_k, threshold, between } = state;
	return {
		...(between.length && { between: "other segments" }),
		...(top_mass < 1 && { top_mass: `below top ${percent(top_mass)}` }),
		...(top_k !== null && {
			top_k: top_k === 1 ? "all but the largest" : `beyond the ${top_k} largest`,
		}),
		...(threshold > 0 && { threshold: `below ${Number(threshold.toPrecision(2))}` }),
	};
}
