import { expect } from "vitest";
import type { Pointer, RoleInfo, Studied, Study, TokenTable } from "../src/protocol.gen";
import { frame } from "./events";
import { type Mounted, mount, type Options, type Shown } from "./host";
import { softmaxWeights, tokenTable, type Weights, weightsOf } from "./weights";

/** Two texts: a word in each alone at the beginning and near the end, one that changed between. */
export const FIRST = "[CLS] now the cat sat here . [SEP]".split(" ");
export const SECOND = "[CLS] the dog sat right there . [SEP]".split(" ");
export const PAIRS = [
	[0, 0],
	[2, 1],
	[3, 2],
	[4, 3],
	[6, 6],
	[7, 7],
] as const;
export const CHANGED = PAIRS.map(([i, j]) => FIRST[i] !== SECOND[j]);
export const SHOWN = PAIRS.map(([i, j]) =>
	FIRST[i] === SECOND[j] ? `${SECOND[j]}` : `${FIRST[i]} → ${SECOND[j]}`,
);
export const [LAYERS, HEADS] = [3, 4];

export interface Two {
	readonly first: Weights;
	readonly second: Weights;
	readonly words: readonly [first: readonly string[], second: readonly string[]];
	readonly pairs: readonly Pair[];
	/** What else than their texts is said of the words. */
	readonly table?: Partial<TokenTable>;
}

type Pair = readonly [first: number, second: number];

export const TWO: Two = {
	first: softmaxWeights(LAYERS, HEADS, FIRST.length, FIRST.length),
	// Other scores, as those of another text.
	second: weightsOf([LAYERS, HEADS, SECOND.length, SECOND.length], (l, h, q, k) =>
		softmaxWeights(LAYERS, HEADS, SECOND.length, SECOND.length).at(
			(l + 1) % LAYERS,
			(h + 2) % HEADS,
			q,
			k,
		),
	),
	words: [FIRST, SECOND],
	pairs: PAIRS,
};

/** What the second reads more of a key than the first, both counted by what both have. */
export function differenceOf({ first, second, pairs }: Two): Weights {
	const { layers, heads } = first;
	return weightsOf([layers, heads, pairs.length, pairs.length], (layer, head, q, k) => {
		const [query, key] = [pairs[q] as Pair, pairs[k] as Pair];
		return second.at(layer, head, query[1], key[1]) - first.at(layer, head, query[0], key[0]);
	});
}

export interface Opened extends Mounted {
	readonly view: Shown;
	asked(of: Study["of"]): Study[];
}

/** An explorer of two traces on its own view, once its code has come. */
export async function openCompare(
	{ state, description, ...options }: Options = {},
	width = 1100,
	two = TWO,
	answers: (study: Study) => Studied | string | undefined = () => undefined,
): Promise<Opened> {
	const shown = two.pairs.map(([i, j]) => {
		const [before, after] = [two.words[0][i], two.words[1][j]];
		return before === after ? `${after}` : `${before} → ${after}`;
	});
	const mounted = mount(differenceOf(two), shown, {
		...options,
		description: {
			kind: "difference",
			kinds: ["first", "second", "difference"],
			number: "difference",
			against: "first",
			encoding: "signed8",
			shares: false,
			...description,
		},
		state: {
			kind: "difference",
			view: ["compare"],
			_compared: ["first", "second"],
			...state,
		},
	});
	const { kernel } = mounted;
	kernel.studied = (study) => answers(study) ?? studiedOf(two, study);
	const view = await mounted.open(width);
	await expect.poll(() => view.all(".compared").length, { timeout: 5000 }).toBe(1);
	await mounted.settled();
	await frame();
	await mounted.settled();
	const asked = (of: Study["of"]) =>
		kernel.requests.flatMap((it) => (it.kind === "study" && it.study.of === of ? [it.study] : []));
	return { ...mounted, view, asked };
}

/** What Python would answer, by no method. */
function studiedOf(two: Two, study: Study): Studied | string {
	if (study.of === "sides")
		return { of: "sides", queries: roleOf(two), keys: null, labels: [[], []], labels_by: ["", ""] };
	if (study.of === "compare") {
		const rows = ([0, 1] as const).map((side) =>
			meanRow(side === 0 ? two.first : two.second, study.layer, study.heads, [
				...study.queries.map((query) => (two.pairs[query] as Pair)[side]),
			]),
		);
		return { of: "compare", first: rows[0] ?? [], second: rows[1] ?? [] };
	}
	if (study.of !== "differ") return "nothing else is studied here";
	const heads = Array.from({ length: two.first.layers * two.first.heads }, (_, at) => at);
	// Made up: the later the head, the more it differs, but the first not at all.
	const js = heads.map((at) => at / 100);
	const edges = heads
		.slice(-8)
		.reverse()
		.map((at) => edgeOf(two, Math.floor(at / two.first.heads), at % two.first.heads));
	return { of: "differ", js, edges, read: two.pairs.length };
}

export function roleOf({ words, pairs, table }: Two): RoleInfo {
	const [first, second] = words.map((side) => ({ ...tokenTable(side), ...table }));
	return {
		tables: [first as TokenTable, second as TokenTable],
		pairs,
		changed: pairs.map(([i, j]) => words[0][i] !== words[1][j]),
	};
}

/** What some queries read on average over heads. */
export function meanRow(
	weights: Weights,
	layer: number,
	heads: readonly number[],
	queries: readonly number[],
): number[] {
	return Array.from({ length: weights.keys }, (_, key) => {
		const all = heads.flatMap((head) =>
			queries.map((query) => weights.at(layer, head, query, key)),
		);
		return all.reduce((sum, weight) => sum + weight, 0) / all.length;
	});
}

function edgeOf(two: Two, layer: number, head: number) {
	const difference = differenceOf(two);
	let [query, key]: Pointer = [0, 0];
	for (let q = 0; q < two.pairs.length; q++)
		for (let k = 0; k < two.pairs.length; k++)
			if (
				Math.abs(difference.at(layer, head, q, k)) >
				Math.abs(difference.at(layer, head, query ?? 0, key ?? 0))
			)
				[query, key] = [q, k];
	const [at, to] = [two.pairs[query ?? 0] as Pair, two.pairs[key ?? 0] as Pair];
	return {
		layer,
		head,
		query: query ?? 0,
		key: key ?? 0,
		first: two.first.at(layer, head, at[0], to[0]),
		second: two.second.at(layer, head, at[1], to[1]),
	};
}
