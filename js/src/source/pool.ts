import type { Pooling } from "../protocol.gen";

/** Pools weights by 2 ** level each way, as blocks.py does: the largest in size, or the mean. */
export class Pool {
	readonly #sums: Float32Array;
	readonly #counts: Float32Array;
	readonly #columns: number;
	readonly #level: number;
	readonly #mean: boolean;

	constructor(rows: number, columns: number, level: number, pooling: Pooling) {
		this.#sums = new Float32Array(rows * columns);
		this.#counts = new Float32Array(rows * columns).fill(1);
		this.#columns = columns;
		this.#level = level;
		this.#mean = pooling.startsWith("mean");
		if (this.#mean) this.#counts.fill(0);
	}

	/** Add a block of weights whose upper left corner is at (row, column). */
	add(weights: Float32Array, width: number, row: number, column: number): void {
		const [sums, counts, level] = [this.#sums, this.#counts, this.#level];
		for (let at = 0; at < weights.length; at++) {
			const weight = weights[at] as number;
			const down = (row + Math.floor(at / width)) >> level;
			const cell = down * this.#columns + ((column + (at % width)) >> level);
			const sum = sums[cell] as number;
			if (this.#mean) {
				sums[cell] = sum + weight;
				counts[cell] = (counts[cell] as number) + 1;
			} else if (weight >= Math.abs(sum) || -weight > Math.abs(sum)) sums[cell] = weight;
		}
	}

	cells(): Float32Array {
		return this.#sums.map((sum, cell) => sum / (this.#counts[cell] as number));
	}
}
