import type { Reply, Studied as StudiedOf, Study, StudyRequest } from "../protocol.gen";
import { type Errand, type Errands, Turns } from "./errands";
import type { Fault } from "./source";

/** What became of a study. */
export type Studied =
	| { readonly kind: "running"; readonly study: Study; readonly share: number }
	| { readonly kind: "done"; readonly study: Study; readonly found: StudiedOf }
	| { readonly kind: "failed"; readonly study: Study; readonly fault: Fault };

/** Results that are kept, the ones that were asked for last. */
const KEPT = 200;

/** Studies that run the model: one of them at a time. */
const RUNS: readonly Study["of"][] = ["effect", "sweep", "text"];

/** Who studies what a source shows. */
export function studiesOf(source: Errands): Studies {
	return source.errand("study", (at) => new Studies(at));
}

interface Slot {
	readonly name: string;
	readonly run: string;
	now: Studied;
}

/**
 * What takes longer than a weight, polled until it is there, in turn with the requests for numbers. Of
 * each kind of study, and of those that run the model, the newest is worked on.
 */
export class Studies implements Errand {
	readonly kind = "study";
	readonly #at: Errands;
	readonly #turns = new Turns();
	readonly #slots = new Map<string, Slot>();
	readonly #found = new Map<string, Studied>();
	#sent: Slot | null = null;

	constructor(at: Errands) {
		this.#at = at;
	}

	/** What became of a study, if it was asked for. */
	of(study: Study): Studied | undefined {
		const name = JSON.stringify(study);
		const slot = this.#slots.get(laneOf(study));
		return this.#found.get(name) ?? (slot?.name === name ? slot.now : undefined);
	}

	/** The one that runs the model, if one does. */
	get running(): Studied | undefined {
		return this.#slots.get("run")?.now;
	}

	/** Ask, unless it is known or under way; one of its kind that runs already is given up. */
	ask(study: Study): void {
		const name = JSON.stringify(study);
		const lane = laneOf(study);
		if (this.#found.has(name) || this.#slots.get(lane)?.name === name) return;
		const run = this.#at.newId();
		this.#slots.set(lane, { name, run, now: { kind: "running", study, share: 0 } });
		this.#at.wake();
	}

	/** Ask once more for what is known, or failed. */
	again(study: Study): void {
		this.#found.delete(JSON.stringify(study));
		this.ask(study);
	}

	/** The kernel gives up the run that nobody asks about any more. */
	stop(): void {
		this.#slots.delete("run");
		this.#at.wake();
	}

	next(othersWait: boolean): Omit<StudyRequest, "id" | "shown"> | null {
		const [slot] = this.#slots.values();
		if (!slot || !this.#turns.take(othersWait)) return null;
		this.#sent = slot;
		return { kind: "study", run: slot.run, study: slot.now.study };
	}

	heard(reply: Reply): void {
		const slot = this.#answered();
		if (!slot || reply.kind !== "study") return;
		const { progress, studied } = reply;
		const { study } = slot.now;
		if (studied) this.#put(slot, { kind: "done", study, found: studied });
		else {
			slot.now = { kind: "running", study, share: progress };
			// To the end: others have their turn.
			const lane = laneOf(study);
			this.#slots.delete(lane);
			this.#slots.set(lane, slot);
		}
	}

	failed(fault: Fault): void {
		const slot = this.#answered();
		if (slot) this.#put(slot, { kind: "failed", study: slot.now.study, fault });
	}

	lost(fault: Fault): void {
		for (const slot of [...this.#slots.values()])
			this.#put(slot, { kind: "failed", study: slot.now.study, fault });
	}

	/** The slot that was sent, unless something newer took its place meanwhile. */
	#answered(): Slot | undefined {
		const slot = this.#sent;
		return slot && this.#slots.get(laneOf(slot.now.study)) === slot ? slot : undefined;
	}

	#put(slot: Slot, now: Studied): void {
		this.#slots.delete(laneOf(slot.now.study));
		this.#found.set(slot.name, now);
		for (const name of [...this.#found.keys()].slice(0, -KEPT)) this.#found.delete(name);
	}
}

function laneOf({ of }: Study): string {
	return RUNS.includes(of) ? "run" : of;
}
