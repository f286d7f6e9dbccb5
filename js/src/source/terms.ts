import type { LineKey, TermsInfo, TermsReply } from "../protocol.gen";
import { expectBytes } from "./codec";

/** What the scores of a row are made of. */
export interface RowTerms {
	readonly query: Float32Array;
	/** Null where `why` says that there is nothing to show. */
	readonly info: TermsInfo | null;
	readonly why: string;
	/** Each key's vector, and its score step by step. */
	readonly keys: Map<number, Float32Array>;
}

const MAX_ROWS = 64;
const MAX_KEYS = 4096;

/** Scores' terms that have come from the kernel, of the rows that were looked at last. */
export class TermsCache {
	readonly rows = new Map<string, RowTerms>();

	/** Which of the keys aren't here. */
	missing(line: LineKey, keys: readonly number[]): readonly number[] {
		const row = this.rows.get(`${line}`);
		return row && !row.info ? [] : keys.filter((key) => !row?.keys.has(key));
	}

	put({ line, keys, terms: info, why }: TermsReply, data: Uint8Array<ArrayBuffer>): void {
		const size = info?.size ?? 0;
		const step = size + (info?.steps.length ?? 0);
		const count = info ? keys.length : 0;
		expectBytes(data, 4 * (size + count * step));
		const numbers = new Float32Array(data.buffer);
		const known = this.rows.get(`${line}`)?.keys;
		const row = known && known.size < MAX_KEYS ? known : new Map<number, Float32Array>();
		for (let i = 0; i < count; i++)
			row.set(keys[i] as number, numbers.subarray(size + i * step, size + (i + 1) * step));
		this.rows.delete(`${line}`);
		this.rows.set(`${line}`, { query: numbers.subarray(0, size), info, why, keys: row });
		for (const oldest of this.rows.keys()) if (this.rows.size > MAX_ROWS) this.rows.delete(oldest);
	}
}
