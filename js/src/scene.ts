import type { Ink, Palette } from "./draw/colour";
import { pinnedIn } from "./pins";
import { type Axis, type Combination, type Description, type Pointer, TILE } from "./protocol.gen";
import { type Line, tileKeys } from "./source/cache";
import type { Reader, Status, Tokens } from "./source/source";
import type { Synced } from "./store";
import type { HeadOf } from "./views/view";

/** What the person is looking at: rows, columns, and the one weight where a pair is meant. */
export interface Focus {
	/** The first of `queries`. */
	readonly query: number | null;
	readonly key: number | null;
	/** All whose reading is combined: several only where they are pinned. */
	readonly queries: readonly number[];
	readonly keys: readonly number[];
	readonly pair: readonly [query: number, key: number] | null;
	/** The side whose token in the pair stands for all that are pinned there, of several. */
	readonly together: "query" | "key" | null;
}

/** How the pointer met what it hovers: a token in its two roles, or one cell of a matrix. */
export type HoveredAs = "token" | "cell";

/**
 * A pin keeps its row and column; what is hovered meanwhile completes a pair with it. Without a pin,
 * what is hovered is looked at.
 */
export function focusOf(
	pins: readonly Pointer[],
	hovered: Pointer | null,
	hoveredAs: HoveredAs,
): Focus {
	const looked = (role: 0 | 1) => {
		const tokens = pinnedIn(pins, role);
		return tokens.length || !hovered ? tokens : pinnedIn([hovered], role);
	};
	const [queries, keys] = [looked(0), looked(1)];
	const [query, key] = [queries[0] ?? null, keys[0] ?? null];
	return { query, key, queries, keys, ...pairOf(pins, hovered, hoveredAs) };
}

function pairOf(pins: readonly Pointer[], hovered: Pointer | null, hoveredAs: HoveredAs) {
	const [q, k] = hovered ?? [null, null];
	const [queries, keys] = [pinnedIn(pins, 0), pinnedIn(pins, 1)];
	const [query, key] = [queries[0] ?? null, keys[0] ?? null];
	const of = (a: number | null, b: number | null, together: Focus["together"] = null) => ({
		pair: a === null || b === null ? null : ([a, b] as const),
		together,
	});
	const allQueries = queries.length > 1 ? "query" : null;
	const allKeys = keys.length > 1 ? "key" : null;
	if (hovered && (hoveredAs === "cell" || (q !== null && k !== null && q !== k))) return of(q, k);
	if (k !== null && query !== null) return of(query, k, allQueries);
	if (q !== null && key !== null) return of(q, key, allKeys);
	// Of several rows and several columns no one pair is meant.
	return query === key || (allQueries && allKeys)
		? of(null, null)
		: of(query, key, allQueries ?? allKeys);
}

/** One row or column over the chosen heads. */
export interface Reading {
	readonly index: number;
	/** One line a chosen head, in the order of `state.heads`. */
	readonly lines: readonly Line[];
	readonly mean: Float32Array;
	readonly exact: boolean;
	/** Where it is put together from several tokens': theirs. */
	readonly parts?: readonly Reading[];
}

/** All that one animation frame draws from; made anew for each, never stored. */
export interface Scene {
	readonly description: Description;
	readonly state: Synced;
	readonly tokens: Tokens;
	readonly focus: Focus;
	/** What `focus.queries` read, put together by `state.combine`; undefined until it is here. */
	readonly reads: Reading | undefined;
	/** What reads `focus.keys`. */
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

/** The readings of several tokens as one: head by head their mean or sum. */
export function combined(
	readings: readonly (Reading | undefined)[],
	combine: Combination,
): Reading | undefined {
	const parts = readings.filter((reading) => reading !== undefined);
	const [first] = parts;
	if (!first || parts.length < readings.length) return undefined;
	if (parts.length === 1) return first;
	const exact = parts.every((reading) => reading.exact);
	const lines = first.lines.map((_, head) => ({
		values: added(
			parts.map(({ lines }) => lines[head] as Line),
			combine === "mean" ? parts.length : 1,
		),
		exact,
	}));
	return { index: first.index, lines, mean: meanOf(lines), exact, parts };
}

function meanOf(lines: readonly Line[]): Float32Array {
	return lines.length === 1 && lines[0] ? lines[0].values : added(lines, lines.length);
}

function added(lines: readonly Line[], divisor: number): Float32Array {
	const sum = new Float32Array(lines[0]?.values.length ?? 0);
	for (const { values } of lines)
		for (let i = 0; i < sum.length; i++)
			sum[i] = (sum[i] as number) + (values[i] as number) / divisor;
	return sum;
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
