import type { AnyModel } from "@anywidget/types";

type Listener = (...args: never[]) => void;

/** A model as hosts give it: traits, events, messages; no more than the contract. */
export class HostModel<T extends object> {
	saves = 0;
	/** Thrown by `send`: an old comm after a kernel's restart. */
	failing: Error | null = null;
	readonly sent: unknown[] = [];
	readonly others = new Map<string, unknown>();
	widget_manager = { get_model: async (id: string) => this.others.get(id) as never };
	readonly #state: T;
	readonly #listeners = new Map<string, Set<Listener>>();

	constructor(state: T) {
		this.#state = { ...state };
	}

	get<K extends keyof T>(name: K): T[K] {
		return this.#state[name];
	}

	set<K extends keyof T>(name: K, value: T[K]): void {
		if (JSON.stringify(this.#state[name]) === JSON.stringify(value)) return;
		this.#state[name] = value;
		this.emit(`change:${String(name)}`);
	}

	save_changes(): void {
		this.saves++;
	}

	on(name: string, listener: Listener): void {
		const listeners = this.#listeners.get(name) ?? new Set();
		this.#listeners.set(name, listeners.add(listener));
	}

	off(name?: string | null, listener?: Listener | null): void {
		if (name && listener) this.#listeners.get(name)?.delete(listener);
	}

	emit(name: string, ...args: unknown[]): void {
		for (const listener of this.#listeners.get(name) ?? []) listener(...(args as never[]));
	}

	listenerCount(): number {
		return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
	}

	send(content: unknown): void {
		if (this.failing) throw this.failing;
		this.sent.push(content);
		this.emit("sent", content);
	}

	/** As anywidget hands a model to a module: wrapped anew for every call. */
	wrapped(): AnyModel<T> {
		const bound = {
			get: this.get.bind(this),
			set: this.set.bind(this),
			save_changes: this.save_changes.bind(this),
			on: this.on.bind(this),
			off: this.off.bind(this),
			send: this.send.bind(this),
			widget_manager: this.widget_manager,
		};
		return bound as unknown as AnyModel<T>;
	}
}
