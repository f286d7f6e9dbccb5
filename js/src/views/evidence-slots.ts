import { pinnedIn, pinsOf } from "../pins";
import type { Description } from "../protocol.gen";
import type { Synced } from "../store";

/** Whose reading is asked about, of what, and rather than of what. */
export interface Slots {
	readonly queries: readonly number[];
	readonly keys: readonly number[];
	readonly against: readonly number[];
}

export type SlotName = keyof Slots;

type Pinned = Pick<Synced, "selected" | "also">;

/** What is pinned in its order: who reads first, then what is read, then what else. */
export function slotsOfPins(
	state: Pinned,
	{ same_tokens }: Pick<Description, "same_tokens">,
): Slots {
	const slots: Record<SlotName, number[]> = { queries: [], keys: [], against: [] };
	const read = (key: number) => {
		const { keys, against } = slots;
		if (!keys.length) keys.push(key);
		else if (!against.length && !keys.includes(key)) against.push(key);
	};
	for (const [query, key] of pinsOf(state)) {
		const isToken = same_tokens && (query === key || key === null);
		if (query !== null && !slots.queries.length) {
			slots.queries.push(query);
			if (isToken) continue;
		}
		if (key !== null) read(key);
		else if (isToken && query !== null && !slots.queries.includes(query)) read(query);
	}
	return slots;
}

/** What is pinned and in no slot, in the role of one. */
export function addable(slots: Slots, name: SlotName, state: Pinned): number[] {
	const pinned = pinnedIn(pinsOf(state), name === "queries" ? 0 : 1);
	const taken = new Set([...slots.queries, ...slots.keys, ...slots.against]);
	return pinned.filter((token) => !taken.has(token));
}

export function isFull({ queries, keys }: Slots): boolean {
	return queries.length > 0 && keys.length > 0;
}
