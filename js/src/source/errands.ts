import type { Reply, Request } from "../protocol.gen";
import type { Fault } from "./source";
import type { Body } from "./wanted";

/** What is asked of the kernel beside numbers, in turn with them. */
export interface Errand {
	readonly kind: Request["kind"];
	/** What is to be sent, where it is its turn: numbers are asked for in between. */
	next(othersWait: boolean): Body | null;
	heard(reply: Reply, buffers: readonly DataView[]): void | Promise<void>;
	failed(fault: Fault): void;
	/** The kernel is gone, and with it all that was asked. */
	lost(fault: Fault): void;
}

/** What an errand needs of who runs it. */
export interface Errands {
	/** The errand of its kind, which `make` makes the first time. */
	errand<T extends Errand>(kind: T["kind"], make: (at: Errands) => T): T;
	/** A name that no other request has. */
	newId(): string;
	/** There is something to be asked, or something to be seen. */
	wake(): void;
}

/** Every other turn, where others wait. */
export class Turns {
	#waited = false;

	/** Whether it is one's turn. */
	take(othersWait: boolean): boolean {
		const turn = this.#waited || !othersWait;
		this.#waited = !turn;
		return turn;
	}

	/** Whoever comes new waits no more. */
	first(): void {
		this.#waited = true;
	}
}
