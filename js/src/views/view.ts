import type { Pointer, SegmentPair, SpanKey, ViewName } from "../protocol.gen";
import type { Scene } from "../scene";
import type { TileSource } from "../source/source";
import type { Store } from "../store";
import type { Kept } from "../ui/kept";
import type { Finder } from "./find";

/** A mounted view: an element, and a way to bring it up to a new scene. */
export interface View {
	readonly el: HTMLElement;
	/** Read sizes before anything of this frame is written: a read after a write forces a layout. */
	measure(): void;
	update(scene: Scene): void;
}

/** A head of a layer, both counted from 0. */
export interface HeadOf {
	readonly layer: number;
	readonly head: number;
}

/** What a view may do to the shared state. */
export interface Actions {
	hover(pointer: readonly [number | null, number | null] | null, as: "token" | "cell"): void;
	/** Pin what is hovered, or release it where it is pinned already; `also`: with what is pinned. */
	pin(pointer: Pointer, also: boolean): void;
	set: Store["set"];
	/** Look at another head for as long as the pointer is on it; null: at the chosen ones again. */
	peek(head: HeadOf | null): void;
	/** Choose a head; `also` adds it to those of its layer that are chosen, or takes it away. */
	choose(head: HeadOf, also: boolean): void;
	/** Go from segments to the tokens of one's reading of another. */
	open(block: SpanKey, between: readonly SegmentPair[]): void;
	/** Draw again: something outside the synced state changed (a size, a scroll). */
	redraw(): void;
}

/** A view that only some explorers have, and what it is mounted with. */
export interface ExtraView {
	readonly name: ViewName;
	readonly css: string;
	mount(parts: Parts): View;
}

export interface Parts {
	readonly actions: Actions;
	readonly finder: Finder;
	readonly source: TileSource;
	readonly store: Store;
	readonly kept: Kept;
	readonly signal: AbortSignal;
}
