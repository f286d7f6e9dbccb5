import type { Pointer } from "./protocol.gen";
import { type Synced, samePointer } from "./store";

/** All that is pinned; the first is `selected`, as far as there is one. */
export function pinsOf({ selected, also }: Pick<Synced, "selected" | "also">): readonly Pointer[] {
	return selected ? [selected, ...also] : also;
}

/** The tokens that are pinned in one role, each once: token 5 may be pinned as [5, 5] and as [5, null]. */
export function pinnedIn(pins: readonly Pointer[], role: 0 | 1): number[] {
	return [...new Set(pins.flatMap((pin) => pin[role] ?? []))];
}

/** What is pinned once a pointer was chosen, by itself or with the others; chosen again it is released. */
export function pinned(pins: readonly Pointer[], pointer: Pointer, also: boolean): Pointer[] {
	const same = (pin: Pointer) => samePointer(pin, pointer);
	if (!also) return pins.length === 1 && pins.every(same) ? [] : [pointer];
	const [query, key] = pointer;
	const isCell = query !== null && key !== null && query !== key;
	const covered = isCell
		? pins.some(same)
		: ([0, 1] as const).every((role) => pointer[role] === null || has(pins, pointer, role));
	if (!covered) return [...pins, pointer];
	if (isCell) return pins.filter((pin) => !same(pin));
	// What another view pinned in both roles may be released in one.
	return pins
		.map((pin): Pointer => [pin[0] === query ? null : pin[0], pin[1] === key ? null : pin[1]])
		.filter((pin) => pin[0] !== null || pin[1] !== null);
}

function has(pins: readonly Pointer[], pointer: Pointer, role: 0 | 1): boolean {
	return pins.some((pin) => pin[role] === pointer[role]);
}
