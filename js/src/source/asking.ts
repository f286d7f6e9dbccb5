import type { AskRequest } from "../protocol.gen";
import type { Fault, Question } from "./source";

/** What was asked of the model: how far it is, or why there is no answer. */
export type Asking =
	| { readonly kind: "running"; readonly question: Question; readonly share: number }
	| { readonly kind: "failed"; readonly question: Question; readonly fault: Fault };

/** One question at a time; polled until it is answered, in turn with the requests for numbers. */
export class Asker {
	now: Asking | null = null;
	#run = "";
	#waited = false;

	/** Ask; what runs already is given up. */
	ask(run: string, question: Question): void {
		this.now = { kind: "running", question, share: 0 };
		this.#run = run;
		this.#waited = true;
	}

	/** The kernel gives up what nobody asks about any more. */
	stop(): void {
		this.now = null;
	}

	/** What is to be sent, where it is its turn: numbers are asked for in between. */
	next(othersWait: boolean): Omit<AskRequest, "id" | "shown"> | null {
		if (this.now?.kind !== "running") return null;
		const turn = this.#waited || !othersWait;
		this.#waited = !turn;
		return turn ? { kind: "ask", run: this.#run, ...this.now.question } : null;
	}

	/** How far it is; null: it is answered, and what is shown changes. */
	heard(share: number | null): void {
		if (this.now?.kind !== "running") return;
		this.now = share === null ? null : { ...this.now, share };
	}

	failed(fault: Fault): void {
		if (this.now?.kind === "running")
			this.now = { kind: "failed", question: this.now.question, fault };
	}
}
