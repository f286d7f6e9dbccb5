import { whyNot } from "./measures";
import type { Description } from "./protocol.gen";
import type { Synced } from "./store";

/** What is undone at most; and how soon after each other moves of a slider are one. */
const KEPT = 100;
const ONE_MOVE_MS = 500;

export type Trait = Exclude<keyof Synced, "hovered">;
type Values = Partial<Record<Trait, unknown>>;

interface Step {
	readonly was: Values;
	readonly now: Values;
	readonly moving: boolean;
	at: number;
}

/**
 * What a person did in one view, step by step. What Python or another view changes is no step: undoing
 * gives back only what the person's own changed.
 */
export class History {
	#done: Step[] = [];
	#undone: Step[] = [];
	#sameAct = false;

	/** What is noted in one turn of the event loop is one step; so are a slider's quick moves. */
	note(name: Trait, was: unknown, now: unknown, moving: boolean, at = performance.now()): void {
		const last = this.#done.at(-1);
		const moves = moving && last?.moving && name in last.was && at - last.at < ONE_MOVE_MS;
		if (last && (this.#sameAct || moves)) {
			if (!(name in last.was)) last.was[name] = was;
			last.now[name] = now;
			last.at = at;
		} else {
			this.#done.push({ was: { [name]: was }, now: { [name]: now }, moving, at });
			this.#done = this.#done.slice(-KEPT);
		}
		this.#undone = [];
		this.#sameAct = true;
		queueMicrotask(() => {
			this.#sameAct = false;
		});
	}

	/** What the latest step changed, as it was; undefined where nothing is left. */
	undo(): Values | undefined {
		return moved(this.#done, this.#undone)?.was;
	}

	/** What the step that was undone last made of it. */
	redo(): Values | undefined {
		return moved(this.#undone, this.#done)?.now;
	}
}

function moved(from: Step[], to: Step[]): Step | undefined {
	const step = from.pop();
	// Another move of the slider doesn't go on with one that was undone.
	if (step) to.push({ ...step, at: Number.NEGATIVE_INFINITY });
	return step;
}

/** Whether a value is one of what is shown now: Python may have changed that meanwhile. */
export function fits(name: Trait, value: unknown, shown: Description): boolean {
	const { layers, heads, queries, keys, kinds } = shown;
	const isPointer = ([query, key]: readonly (number | null)[]) =>
		(query ?? 0) < queries && (key ?? 0) < keys;
	switch (name) {
		case "kind":
			return kinds.includes(value as Synced["kind"]);
		case "measure":
			return !whyNot(shown, value as Synced["measure"]);
		case "layer":
			return (value as number) < layers.length;
		case "heads":
			return (value as Synced["heads"]).every((head) => head < heads);
		case "selected":
			return value === null || isPointer(value as NonNullable<Synced["selected"]>);
		case "also":
			return (value as Synced["also"]).every(isPointer);
		case "hide_tokens":
			return (value as Synced["hide_tokens"]).every((key) => key < keys);
		default:
			return true;
	}
}

/** Which way a key leads through what was done; none for a key that means something else. */
export function wayOf({
	key,
	code,
	ctrlKey,
	metaKey,
	altKey,
	shiftKey,
}: KeyboardEvent): "undo" | "redo" | undefined {
	if (altKey || ctrlKey === metaKey) return undefined;
	// Where letters aren't Latin, by the key's place.
	const letter = /^[a-z]$/i.test(key) ? key.toLowerCase() : code;
	if (letter === "z" || letter === "KeyZ") return shiftKey ? "redo" : "undo";
	return !shiftKey && (letter === "y" || letter === "KeyY") ? "redo" : undefined;
}

/** Whether the key is typed into a text field, which undoes by itself. */
export function isTyping({ target }: Event): boolean {
	return (target as Element).matches("textarea, [type=search], [type=text]");
}
