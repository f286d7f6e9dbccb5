import type { AnyModel } from "@anywidget/types";
import { fits, History, type Trait } from "./history";
import type { Pointer, QaInfo, ViewState } from "./protocol.gen";

/**
 * The border between synced and UI-only state: what is named here is a trait of the view model, seen
 * by Python, by linked widgets and by every other view of the same model. Everything else (scrolling,
 * sizes, what a pointer hovered it *as*) stays in the view that it belongs to.
 */
const SYNCED = [
	"kind",
	"measure",
	"unit",
	"hide",
	"hide_tokens",
	"renormalise",
	"layer",
	"heads",
	"view",
	"hovered",
	"selected",
	"also",
	"combine",
	"direction",
	"top_mass",
	"top_k",
	"threshold",
	"between",
	"orientation",
	"pooling",
	"scale",
	"scale_to",
	"sort",
	"paint",
	"answer",
	"edits",
	"theme",
] as const;

export type Synced = Pick<ViewState, (typeof SYNCED)[number]>;

/** Hovering moves faster than a kernel should be told. */
const HOVER_SYNC_MS = 60;

export function samePointer(a: Pointer | null, b: Pointer | null): boolean {
	return a === b || (a !== null && b !== null && a[0] === b[0] && a[1] === b[1]);
}

export class Store {
	readonly #model: AnyModel<ViewState>;
	readonly #history: History;
	#hoverTimer: ReturnType<typeof setTimeout> | undefined;

	constructor(model: AnyModel<ViewState>, signal: AbortSignal, history = new History()) {
		this.#model = model;
		this.#history = history;
		signal.addEventListener("abort", () => clearTimeout(this.#hoverTimer));
	}

	get<K extends keyof Synced>(name: K): Synced[K] {
		return this.#model.get(name);
	}

	/** What was asked and answered; it changes with what is shown. */
	get qa(): QaInfo | null {
		return this.#model.get("_qa") ?? null;
	}

	/** What the two traces are called that are compared; null where none are. */
	get compared(): readonly [first: string, second: string] | null {
		return this.#model.get("_compared") ?? null;
	}

	/** All of it, as one drawing sees it. */
	get state(): Synced {
		return Object.fromEntries(SYNCED.map((name) => [name, this.get(name)])) as unknown as Synced;
	}

	/** What a person does; `moving` while they drag a slider, whose way is one step to undo. */
	set<K extends keyof Synced>(name: K, value: Synced[K], moving = false): void {
		const was = this.get(name);
		if (JSON.stringify(was) === JSON.stringify(value)) return;
		if (name !== "hovered") this.#history.note(name as Trait, was, value, moving);
		this.#write(name, value);
	}

	/** Go back by a step of what was done in this view, or forth again. */
	go(way: "undo" | "redo"): void {
		const shown = this.#model.get("_description");
		for (const [name, value] of Object.entries(this.#history[way]() ?? {}))
			if (fits(name as Trait, value, shown)) this.#write(name as Trait, value as never);
	}

	#write<K extends keyof Synced>(name: K, value: Synced[K]): void {
		this.#model.set(name, value as ViewState[K]);
		if (name !== "hovered") this.#model.save_changes();
		else
			this.#hoverTimer ??= setTimeout(() => {
				this.#hoverTimer = undefined;
				this.#model.save_changes();
			}, HOVER_SYNC_MS);
	}

	onChange(listener: () => void, signal: AbortSignal): void {
		for (const name of SYNCED) {
			this.#model.on(`change:${name}`, listener);
			signal.addEventListener("abort", () => this.#model.off(`change:${name}`, listener));
		}
	}
}
