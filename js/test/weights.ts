import type { TokenTable } from "../src/protocol.gen";

/** Made-up attention that is computed where it is asked for. */
export interface Weights {
	readonly layers: number;
	readonly heads: number;
	readonly queries: number;
	readonly keys: number;
	at(layer: number, head: number, query: number, key: number): number;
}

type Shape = readonly [layers: number, heads: number, queries: number, keys: number];

/** The weights of a formula, rounded to float32 as a model's are. */
export function weightsOf([layers, heads, queries, keys]: Shape, at: Weights["at"]): Weights {
	return { layers, heads, queries, keys, at: (...place) => Math.fround(at(...place)) };
}

/** Rows of a softmax over made-up scores: each (layer, head) looks different, every row sums to 1. */
export function softmaxWeights(
	layers: number,
	heads: number,
	queries: number,
	keys: number,
): Weights {
	const matrices = new Map<number, Float32Array>();
	const matrixOf = (layer: number, head: number) => {
		const name = layer * heads + head;
		const known = matrices.get(name);
		if (known) return known;
		const matrix = new Float32Array(queries * keys);
		for (let query = 0; query < queries; query++)
			matrix.set(softmaxRow(layer, head, heads, query, keys), query * keys);
		matrices.set(name, matrix);
		return matrix;
	};
	return {
		layers,
		heads,
		queries,
		keys,
		at: (layer, head, query, key) => matrixOf(layer, head)[query * keys + key] as number,
	};
}

function softmaxRow(
	layer: number,
	head: number,
	heads: number,
	query: number,
	keys: number,
): Float32Array {
	const offset = head - Math.floor(heads / 2);
	const powers = Float32Array.from({ length: keys }, (_, key) =>
		Math.exp(
			3 * Math.sin(query * 12.9898 + key * 78.233 + layer * 3.1 + head) +
				(key === query + offset ? 4 : 0) +
				(key === 0 ? 2 : 0),
		),
	);
	const sum = powers.reduce((a, b) => a + b, 0);
	return powers.map((power) => power / sum);
}

/** What one query reads, key by key. */
export function rowOf(weights: Weights, layer: number, head: number, query: number): number[] {
	return Array.from({ length: weights.keys }, (_, key) => weights.at(layer, head, query, key));
}

/** What one key is read by, query by query. */
export function columnOf(weights: Weights, layer: number, head: number, key: number): number[] {
	return Array.from({ length: weights.queries }, (_, query) => weights.at(layer, head, query, key));
}

/** `count` words that tell their own place. */
export function numbered(count: number, word = "w"): string[] {
	return Array.from({ length: count }, (_, i) => `${word}${i}`);
}

export function tokenTable(words: readonly string[]): TokenTable {
	return {
		text: words,
		gap: words.map((_, i) => (i ? " " : "")),
		raw: words,
		special: words.map((word) => /^\[.*\]$/.test(word)),
		segment: words.map(() => 0),
		word: words.map((_, i) => i),
		count: [],
		segments: [],
	};
}
