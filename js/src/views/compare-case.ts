import { type Ink, inkOf } from "../draw/colour";
import type {
	CompareStudied,
	CompareStudy,
	DifferStudied,
	EdgeInfo,
	RoleInfo,
	SidesStudied,
	Studied,
	Study,
} from "../protocol.gen";
import type { Scene } from "../scene";
import type { TileSource } from "../source/source";
import { studiesOf } from "../source/studies";
import { missingText, short } from "../ui/words";

/** All that the comparison draws from; made anew for each frame, as the scene is. */
export interface Case {
	readonly scene: Scene;
	readonly source: TileSource;
	readonly names: readonly [first: string, second: string];
	readonly sides: SidesStudied;
	/** What the tokens that are looked at read of all tokens of each text; undefined until it is here. */
	readonly rows: readonly [first: Float32Array, second: Float32Array] | undefined;
	readonly differ: DifferStudied | undefined;
	/** The colours of what is read in one text: those of the scene are of differences. */
	readonly ink: Ink;
}

/** Weights that aren't told of, and differences that two digits don't show. */
const TOLD_FROM = 0.01;
const SAME_BELOW = 0.005;

export const SIDES: Study = { of: "sides" };
export const DIFFER: Study = { of: "differ" };

/** Whether tokens of the difference are shown: what both texts have. */
export function isByToken({ description, state }: Scene): boolean {
	return description.against !== "" && state.unit === "token";
}

/** What is to be asked about the tokens that are looked at. */
export function rowsWanted({ state, focus }: Scene): CompareStudy | null {
	const { layer, heads } = state;
	return focus.queries.length ? { of: "compare", layer, heads, queries: focus.queries } : null;
}

export function caseOf(scene: Scene, source: TileSource, names: Case["names"]): Case | undefined {
	const sides = foundIn(source, SIDES, "sides");
	if (!sides) return undefined;
	const wanted = rowsWanted(scene);
	const rows = wanted ? foundIn(source, wanted, "compare") : undefined;
	const { description, state, colours } = scene;
	return {
		scene,
		source,
		names,
		sides,
		rows: rows && bothRows(rows, state.combine === "sum" ? scene.focus.queries.length : 1),
		differ: foundIn(source, DIFFER, "differ"),
		ink: inkOf(colours, state.scale, description.scale),
	};
}

function bothRows({ first, second }: CompareStudied, times: number) {
	const scaled = (row: readonly number[]) => Float32Array.from(row, (weight) => weight * times);
	return [scaled(first), scaled(second)] as const;
}

export function foundIn<Of extends Studied["of"]>(
	source: TileSource,
	study: Study,
	of: Of,
): Extract<Studied, { of: Of }> | undefined {
	const studied = studiesOf(source).of(study);
	if (studied?.kind !== "done" || studied.found.of !== of) return undefined;
	return studied.found as Extract<Studied, { of: Of }>;
}

/** What stands opposite each other, in words: “cat → dog” where it changed. */
export function pairText({ tables, pairs, changed }: RoleInfo, shared: number): string {
	const [before, after] = endsText({ tables, pairs }, shared);
	return changed[shared] ? `“${before} → ${after}”` : `“${after}”`;
}

function endsText(
	{ tables, pairs }: Pick<RoleInfo, "tables" | "pairs">,
	shared: number,
): readonly [string, string] {
	const [first, second] = pairs[shared] ?? [0, 0];
	return [short(tables[0], first), short(tables[1], second)];
}

/** What a token reads of another on both sides: “it” reads “cat” 0.71 → “dog” 0.32. */
export function edgeText(sides: SidesStudied, edge: EdgeInfo): string {
	return `${pairText(sides.queries, edge.query)} reads ${readText(sides, edge)}`;
}

function readText(
	{ queries, keys }: SidesStudied,
	{ key, first, second }: Pick<EdgeInfo, "key" | "first" | "second">,
): string {
	const read = keys ?? queries;
	const [before, after] = endsText(read, key);
	const then = read.changed[key] ? `“${after}” ` : "";
	return `“${before}” ${first.toFixed(2)} → ${then}${second.toFixed(2)}`;
}

/** Where what is looked at reads most differently, in words, and what it reads beside that. */
export function saidOf({ scene, sides, rows, names }: Case): string {
	const { focus, state } = scene;
	const [query, ...others] = focus.queries;
	if (query === undefined) return "Hover or pin a token to see what it reads in both.";
	if (!rows) return missingText(scene);
	const { pairs, tables } = sides.keys ?? sides.queries;
	const ends = pairs.map(([i, j]) => [rows[0][i] as number, rows[1][j] as number] as const);
	const by = ([first, second]: readonly [number, number]) => Math.abs(second - first);
	const key = ends.reduce((most, end, at) => (by(end) > by(ends[most] ?? [0, 0]) ? at : most), 0);
	const [first, second] = ends[key] ?? [0, 0];
	const who = others.length
		? `${pairText(sides.queries, query)} and ${others.length} more (${state.combine}) read`
		: `${pairText(sides.queries, query)} reads`;
	const alone = ([0, 1] as const).flatMap((side) => {
		const opposite = new Set(pairs.map((pair) => pair[side]));
		const left = tables[side].text.map((_, at) => (opposite.has(at) ? 0 : (rows[side][at] ?? 0)));
		const mass = left.reduce((sum, weight) => sum + weight, 0);
		return mass >= TOLD_FROM ? [` · what only ${names[side]} has ${mass.toFixed(2)}`] : [];
	});
	const most =
		by([first, second]) < SAME_BELOW
			? " the same in both"
			: ` most differently ${readText(sides, { key, first, second })}`;
	return `${who}${most}${alone.join("")}`;
}
