import type { Ink, Palette } from "./draw/colour";
import { type Axis, type Description, type Pointer, TILE } from "./protocol.gen";
import { type Line, tileKeys } from "./source/cache";
import type { Reader, Status, Tokens } from "./source/source";
import type { Synced } from "./store";
import type { HeadOf } from "./views/view";

/** What the person is looking at: a row, a column, and the one weight where a pair is meant. */
export interface Focus {
	readonly query: number | null;
	readonly key: number | null;
	readonly pair: readonly [query: number, key: number] | null;
}

/** How the pointer met what it hovers: a token in its two roles, or one cell of a matrix. */
export type HoveredAs = "token" | "cell";

/**
 * A pin keeps its row and column; what is hovered meanwhile completes a pair with it. Without a pin,
 * what is hovered is looked at.
 */
export function focusOf(
	selected: Pointer | null,
	hovered: Pointer | null,
	hoveredAs: HoveredAs,
): Focus {
	const query = selected?.[0] ?? hovered?.[0] ?? null;
	const key = selected?.[1] ?? hovered?.[1] ?? null;
	return { query, key, pair: pairOf(selected, hovered, hoveredAs) };
}

function pairOf(selected: Pointer | null, hovered: Pointer | null, hoveredAs: HoveredAs) {
	const [q, k] = hovered ?? [null, null];
	if (hovered && (hoveredAs === "cell" || (q !== null && k !== null && q !== k)))
		return bothOf(q, k);
	if (selected && hovered) {
		if (k !== null && selected[0] !== null) return bothOf(selected[0], k);
		if (q !== null && selected[1] !== null) return bothOf(q, selected[1]);
	}
	const [pinnedQuery, pinnedKey] = selected ?? [null, null];
	return pinnedQuery === pinnedKey ? null : bothOf(pinnedQuery, pinnedKey);
}

function bothOf(query: number | null, key: number | null) {
	return query === null || key === null ? null : ([query, key] as const);
}

/** One row or column over the chosen heads. */
export interface Reading {
	readonly index: number;
	/** One line a chosen head, in the order of `state.heads`. */
	readonly lines: readonly Line[];
	readonly mean: Float32Array;
	readonly exact: boolean;
}

/** All that one animation frame draws from; made anew for each, never stored. */
export interface Scene {
	readonly description: Description;
	readonly state: Synced;
	readonly tokens: Tokens;
	readonly focus: Focus;
	/** What `focus.query` reads; undefined until it is here. */
	readonly reads: Reading | undefined;
	/** What reads `focus.key`. */
	readonly readers: Reading | undefined;
	/** While nothing is looked at: the mean weight that each key receives, in texts short enough. */
	readonly received: Float32Array | undefined;
	/** The head that the map's pointer is on. */
	readonly peek: HeadOf | null;
	readonly reader: Reader;
	readonly status: Status;
	readonly table: Float32Array;
	readonly colours: Palette;
	/** How weights are coloured, in every view. */
	readonly ink: Ink;
}

export function readingOf(
	reader: Reader,
	axis: Axis,
	layer: number,
	heads: readonly number[],
	index: number,
	exact: boolean,
): Reading | undefined {
	const lines = heads.map((head) => reader.line(axis, [layer, head, index], exact));
	if (!lines.every((line) => line !== undefined)) return undefined;
	return { index, lines, mean: meanOf(lines), exact: lines.every((line) => line.exact) };
}

function meanOf(lines: readonly Line[]): Float32Array {
	const [first] = lines;
	if (lines.length === 1 && first) return first.values;
	const mean = new Float32Array(first?.values.length ?? 0);
	for (const { values } of lines)
		for (let i = 0; i < mean.length; i++)
			mean[i] = (mean[i] as number) + (values[i] as number) / lines.length;
	return mean;
}

/** Beyond this many tokens the whole matrix isn't asked for to draw what is in view. */
const WHOLE_UP_TO = 1024;

/** The mean weight that each key receives, over queries and chosen heads. */
export function receivedBy(
	reader: Reader,
	description: Description,
	table: Float32Array,
	layer: number,
	heads: readonly number[],
): Float32Array | undefined {
	const { queries, keys } = description;
	if (Math.max(queries, keys) > WHOLE_UP_TO) return undefined;
	const sums = new Float32Array(keys);
	let complete = true;
	for (const key of heads.flatMap((head) => tileKeys(description, layer, head, 0))) {
		const tile = reader.tile(key);
		complete &&= tile !== undefined;
		if (!tile) continue;
		const { codes, exact, columns } = tile;
		for (let at = 0; at < codes.length; at++) {
			const to = key[4] * TILE + (at % columns);
			const weight = exact ? exact[at] : table[codes[at] as number];
			sums[to] = (sums[to] as number) + (weight as number);
		}
	}
	return complete ? sums.map((sum) => sum / (queries * heads.length)) : undefined;
}
