import type { Description, RecordedTerms, RecordedVariant, TermsRequest } from "../protocol.gen";
import { deflate, Floats } from "./bytes";
import type { Answer } from "./source";

/** What scores are made of, put together for a row from what a file holds of its head. */
export class RecordedRowTerms {
	readonly #description: Description;
	readonly #heads = new Map<string, RecordedTerms>();
	readonly #why: string;
	readonly #floats = new Floats();

	constructor({ description, terms, no_terms }: RecordedVariant) {
		this.#description = description;
		this.#why = no_terms;
		for (const head of terms) this.#heads.set(`${head.layer},${head.head}`, head);
	}

	async terms({ id, line, keys }: TermsRequest): Promise<Answer> {
		const [layer, head, query] = line;
		const of = this.#heads.get(`${layer},${head}`);
		const reply = { id, kind: "terms", line, keys, terms: null, why: this.#why } as const;
		if (!of) return { reply, buffers: [] };
		const { size, steps, sink } = of;
		const numbers = await this.#floats.of(of.buffer);
		const [from, stepsOf, sums] = this.#places(of);
		const vectors = keys.flatMap((key) => {
			const [at, scores] = [from + key * size, stepsOf(query) + key * steps.length];
			return [numbers.subarray(at, at + size), numbers.subarray(scores, scores + steps.length)];
		});
		const sum = sums + query * 3;
		const [log_sum = 0, keyMost = 0, productMost = 0] = numbers.subarray(sum, sum + 3);
		const info = { size, steps, log_sum, sink, largest: [keyMost, productMost] } as const;
		const asks = numbers.subarray(query * size, (query + 1) * size);
		return {
			reply: { ...reply, terms: info, why: "" },
			buffers: [await deflate([asks, ...vectors])],
		};
	}

	/** Where keys begin, the steps of a query, and what is of queries alone. */
	#places({ size, steps }: RecordedTerms) {
		const { queries, keys } = this.#description;
		const from = queries * size;
		const first = from + keys * size;
		const row = keys * steps.length;
		return [from, (query: number) => first + query * row, first + queries * row] as const;
	}
}
