import type { Studied as StudiedOf, Study, StudyReply, StudyRequest } from "../protocol.gen";
import type { Fault } from "./source";

/** What became of a study. */
export type Studied =
	| { readonly kind: "running"; readonly study: Study; readonly share: number }
	| { readonly kind: "done"; readonly study: Study; readonly found: StudiedOf }
	| { readonly kind: "failed"; readonly study: Study; readonly fault: Fault };

/** Results that are kept, the ones that were asked for last. */
const KEPT = 200;

/** Studies that run the model: one of them at a time. */
const RUNS: readonly Study["of"][] = ["effect", "sweep", "text", "measure"];

interface Slot {
	readonly name: string;
	readonly run: string;
	now: Studied;
}

/**
 * What takes longer than a weight, polled until it is there, in turn with the requests for numbers. Of
 * each kind of study, and of those that run the model, the newest is worked on.
 */
export class Studies {
	readonly #slots = new Map<string, Slot>();
	readonly #found = new Map<string, Studied>();
	#waited = false;
	#sent: Slot | null = null;

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

	/** Ask; one of its kind that runs already is given up. False where it is known or under way. */
	ask(study: Study, run: string): boolean {
		const name = JSON.stringify(study);
		const lane = laneOf(study);
		if (this.#found.has(name) || this.#slots.get(lane)?.name === name) return false;
		this.#slots.set(lane, { name, run, now: { kind: "running", study, share: 0 } });
		return true;
	}

	/** The kernel gives up what nobody asks about any more. */
	stop(): void {
		this.#slots.delete("run");
	}

	/** What is known no longer holds, or a person tries once more what failed. */
	forget(study: Study): void {
		this.#found.delete(JSON.stringify(study));
	}

	/** What is to be sent, where it is its turn: numbers are asked for in between. */
	next(othersWait: boolean): Omit<StudyRequest, "id" | "shown"> | null {
		const [slot] = this.#slots.values();
		if (!slot) return null;
		const turn = this.#waited || !othersWait;
		this.#waited = !turn;
		if (!turn) return null;
		this.#sent = slot;
		return { kind: "study", run: slot.run, study: slot.now.study };
	}

	heard({ progress, studied }: StudyReply): void {
		const slot = this.#answered();
		if (!slot) return;
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

	/** The kernel is gone, and with it all that was asked. */
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
