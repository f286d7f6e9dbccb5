import type { LineKey, TermsInfo, TermsReply } from "../protocol.gen";
import { expectBytes } from "./codec";
import { Recent } from "./recent";

/** What all scores of a row are made of; none where `why` says so. */
export interface RowTerms {
	readonly query: Float32Array;
	readonly info: TermsInfo | null;
	readonly why: string;
	at(key: number): KeyTerms | undefined;
}

/** What one key adds: its vector, and its score term by term. */
export interface KeyTerms {
	readonly vector: Float32Array;
	/** The sum of the products of its vector and the query's. */
	readonly product: number;
	readonly bias: number;
	/** Minus infinity where it may not be read. */
	readonly score: number;
}

const MAX_NUMBERS = 4_000_000;

/** Scores' terms that have come from the kernel. */
export class TermsCache {
	readonly #rows = new Recent<RowTerms>(MAX_NUMBERS, ({ query }) => query.length);
	readonly #keys = new Recent<KeyTerms>(MAX_NUMBERS, ({ vector }) => vector.length + 3);

	row(line: LineKey): RowTerms | undefined {
		return this.#rows.get(`${line}`);
	}

	/** Which of the keys aren't here; undefined where nothing of the row is. */
	missing(line: LineKey, keys: readonly number[]): readonly number[] | undefined {
		const row = this.row(line);
		return row && keys.filter((key) => row.info && !row.at(key));
	}

	put({ line, keys, terms, why }: TermsReply, data: Uint8Array<ArrayBuffer>): void {
		const size = terms?.size ?? 0;
		const count = terms ? keys.length : 0;
		const biased = terms?.biased ? 1 : 0;
		expectBytes(data, 4 * (size + count * (size + 2 + biased)));
		const numbers = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
		const sums = size * (count + 1);
		for (let i = 0; i < count; i++)
			this.#keys.put(`${line},${keys[i]}`, {
				vector: numbers.slice(size * (i + 1), size * (i + 2)),
				product: numbers[sums + i] as number,
				score: numbers[sums + count + i] as number,
				bias: biased && (numbers[sums + 2 * count + i] as number),
			});
		const at = (key: number) => this.#keys.get(`${line},${key}`);
		this.#rows.put(`${line}`, { query: numbers.slice(0, size), info: terms, why, at });
	}
}
