import type { AnyModel } from "@anywidget/types";
import type { AtlasState, HeadKey } from "./protocol.gen";

/** What is chosen: each is a trait that Python sees. All else stays in its view. */
const SYNCED = [
	"plot",
	"x",
	"y",
	"score",
	"head",
	"layers",
	"labels",
	"least",
	"most",
	"exemplar",
	"theme",
] as const;
/** What Python alone says. */
const TOLD = ["_info", "_numbers", "_explorer", "_open"] as const;

export type Chosen = Pick<AtlasState, (typeof SYNCED)[number]>;

export function sameHead(a: HeadKey | null, b: HeadKey | null): boolean {
	return a === b || (a !== null && b !== null && a[0] === b[0] && a[1] === b[1]);
}

export class AtlasStore {
	readonly #model: AnyModel<AtlasState>;

	constructor(model: AnyModel<AtlasState>) {
		this.#model = model;
	}

	get<K extends keyof AtlasState>(name: K): AtlasState[K] {
		return this.#model.get(name);
	}

	/** All of it, as one drawing sees it. */
	get chosen(): Chosen {
		return Object.fromEntries(SYNCED.map((name) => [name, this.get(name)])) as unknown as Chosen;
	}

	set(changes: Partial<Chosen>): void {
		for (const [name, value] of Object.entries(changes))
			this.#model.set(name as keyof Chosen, value as never);
		this.#model.save_changes();
	}

	/** Another head has other exemplars; the same one again is let go. */
	choose(head: HeadKey | null): void {
		const isSame = sameHead(head, this.get("head"));
		this.set({ head: isSame ? null : head, exemplar: null });
	}

	onChange(listener: () => void, signal: AbortSignal): void {
		for (const name of [...SYNCED, ...TOLD]) {
			this.#model.on(`change:${name}`, listener);
			signal.addEventListener("abort", () => this.#model.off(`change:${name}`, listener));
		}
	}
}
