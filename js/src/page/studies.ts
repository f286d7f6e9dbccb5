import type { CompareStudy, RecordedRows, RecordedVariant, Studied, Study } from "../protocol.gen";
import { Floats } from "./bytes";

const DECIMALS = 1e6;

/** What was studied, and what follows from weights that a file holds of both sides. */
export class RecordedStudies {
	readonly #found = new Map<string, Studied>();
	readonly #rows = new Map<number, RecordedRows>();
	readonly #floats = new Floats();
	readonly #heads: number;
	readonly #queries: number;

	constructor({ description, studies, rows }: RecordedVariant) {
		for (const { study, studied } of studies) this.#found.set(nameOf(study), studied);
		for (const one of rows) this.#rows.set(one.layer, one);
		this.#heads = description.heads;
		this.#queries = description.queries;
	}

	async of(study: Study): Promise<Studied | undefined> {
		if (study.of === "compare") return this.#compared(study);
		return this.#found.get(nameOf(study));
	}

	/** Both rows on average over heads and queries, as rows_info of compared.py has them. */
	async #compared({ layer, heads, queries }: CompareStudy): Promise<Studied | undefined> {
		const rows = this.#rows.get(layer);
		if (!rows) return undefined;
		const weights = await this.#floats.of(rows.buffer);
		const count = heads.length * queries.length;
		const mean = (size: number, first: number) =>
			Array.from({ length: size }, (_, key) => {
				let sum = 0;
				for (const head of heads)
					for (const query of queries)
						sum += weights[first + (head * this.#queries + query) * size + key] as number;
				return Math.round((sum / count) * DECIMALS) / DECIMALS;
			});
		const [one, other] = rows.sizes;
		const second = this.#heads * this.#queries * one;
		return { of: "compare", first: mean(one, 0), second: mean(other, second) };
	}
}

/** A study by what it asks, in whatever order its fields are. */
function nameOf(study: Study): string {
	return JSON.stringify(study, (_, value: unknown) =>
		typeof value === "object" && value !== null && !Array.isArray(value)
			? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
			: value,
	);
}
