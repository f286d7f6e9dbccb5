/** Entries up to so many values together; beyond, the least recently used go first. */
export class Recent<T> {
	readonly #entries = new Map<string, T>();
	readonly #most: number;
	readonly #valuesOf: (entry: T) => number;
	#values = 0;

	constructor(most: number, valuesOf: (entry: T) => number) {
		this.#most = most;
		this.#valuesOf = valuesOf;
	}

	get(name: string): T | undefined {
		const entry = this.#entries.get(name);
		// Keeping order costs, and pays only where something may soon have to go.
		if (entry && this.#values > this.#most / 2) {
			this.#entries.delete(name);
			this.#entries.set(name, entry);
		}
		return entry;
	}

	put(name: string, entry: T): void {
		this.#remove(name);
		this.#entries.set(name, entry);
		this.#values += this.#valuesOf(entry);
		for (const oldest of this.#entries.keys()) {
			if (this.#values <= this.#most) break;
			this.#remove(oldest);
		}
	}

	#remove(name: string): void {
		const entry = this.#entries.get(name);
		if (entry === undefined) return;
		this.#entries.delete(name);
		this.#values -= this.#valuesOf(entry);
	}
}
