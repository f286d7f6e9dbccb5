type Listener = (...args: never[]) => void;

/** Events by name, as a model of a host has them. */
export class Events {
	readonly #listeners = new Map<string, Set<Listener>>();

	on(name: string, listener: Listener): void {
		const known = this.#listeners.get(name) ?? new Set();
		this.#listeners.set(name, known.add(listener));
	}

	off(name: string, listener?: Listener): void {
		if (listener) this.#listeners.get(name)?.delete(listener);
		else this.#listeners.delete(name);
	}

	emit(name: string, ...args: unknown[]): void {
		for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(...(args as never[]));
	}
}
