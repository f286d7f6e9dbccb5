import type {
	EditInfo,
	EffectStudy,
	HeadStudy,
	PairStudy,
	ReadsStudy,
	Studied as StudiedOf,
	Study,
} from "../protocol.gen";
import type { Scene } from "../scene";
import type { TileSource } from "../source/source";
import type { Studied } from "../source/studies";
import { studiesOf } from "../source/studies";
import type { Draft } from "./evidence-draft";
import { switchedOn } from "./evidence-edits";
import { isFull, type Slots, slotsOfPins } from "./evidence-slots";
import type { Actions, HeadOf } from "./view";

/** All that the view's parts draw from: made anew for each frame, as the scene is. */
export interface Case {
	readonly scene: Scene;
	readonly source: TileSource;
	readonly actions: Actions;
	readonly draft: Draft;
	/** The first of the chosen heads: what is asked of one is asked of it. */
	readonly head: HeadOf;
	/** The one edge that is looked at. */
	readonly pair: readonly [query: number, key: number] | null;
	readonly slots: Slots;
	/** Why nothing is asked any more; "" where it may be. */
	readonly gone: string;
	/** Why nothing of this can be changed; "" where it may be. */
	readonly fixed: string;
	change(changes: Partial<Draft>): void;
}

type Parts = Pick<Case, "scene" | "source" | "actions" | "draft">;

export function caseOf({ scene, source, actions, draft }: Parts): Case {
	const { state, description, focus, status } = scene;
	const pinned = slotsOfPins(state, description);
	const [query, key] = [pinned.queries[0], pinned.keys[0]];
	return {
		scene,
		source,
		actions,
		draft,
		head: { layer: state.layer, head: state.heads[0] ?? 0 },
		// Of two pinned tokens, each in both roles, the first is the one that reads.
		pair: focus.pair ?? (query === undefined || key === undefined ? null : [query, key]),
		slots: draft.slots ?? pinned,
		gone: status.kind === "gone" ? "This takes the kernel, and it is gone." : "",
		fixed: fixedBy(scene),
		change(changes) {
			Object.assign(draft, changes);
			actions.redraw();
		},
	};
}

function fixedBy({ state, description }: Scene): string {
	if (state.unit === "segment")
		return "What is changed is a head or a token: show tokens or words to choose one.";
	if (description.measure !== "weights")
		return "What is changed is attention: show its weights to choose a head or an edge.";
	return "";
}

/** What is asked as soon as it is looked at. */
export function wantedBy({ head, pair, slots }: Case): {
	readonly pair: PairStudy | null;
	readonly reads: ReadsStudy | null;
	readonly head: HeadStudy;
} {
	return {
		pair: pair && { of: "pair", ...head, query: pair[0], key: pair[1] },
		reads: isFull(slots) ? { of: "reads", ...slots } : null,
		head: { of: "head", ...head },
	};
}

/** Running with what is switched on of some edits. */
export function effectOf({ draft }: Case, edits: readonly EditInfo[]): EffectStudy {
	return { of: "effect", edits: switchedOn(edits), at: draft.output };
}

type Of = StudiedOf["of"];

/** What came of a study, once something did. */
export function foundOf<K extends Of>(
	studied: Studied | undefined,
	of: K,
): Extract<StudiedOf, { of: K }> | undefined {
	if (studied?.kind !== "done" || studied.found.of !== of) return undefined;
	return studied.found as Extract<StudiedOf, { of: K }>;
}

/** Ask for it, once more where it failed. */
export function start(source: TileSource, study: Study): void {
	if (studiesOf(source).of(study)?.kind === "failed") studiesOf(source).again(study);
	else studiesOf(source).ask(study);
}
