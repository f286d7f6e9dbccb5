import type { AskRequest, Reply } from "../protocol.gen";
import { type Errand, type Errands, Turns } from "./errands";
import type { Fault } from "./source";

/** What the model is to be asked; null where what is shown stays, or the best window is meant. */
export type Question = Pick<AskRequest, "question" | "context" | "window">;

/** What was asked of the model: how far it is, or why there is no answer. */
export type Asking =
	| { readonly kind: "running"; readonly question: Question; readonly share: number }
	| { readonly kind: "failed"; readonly question: Question; readonly fault: Fault };

/** Who asks a source's model. */
export function askerOf(source: Errands): Asker {
	return source.errand("ask", (at) => new Asker(at));
}

/** One question at a time; polled until it is answered, in turn with the requests for numbers. */
class Asker implements Errand {
	readonly kind = "ask";
	/** What was asked and isn't answered; null where nothing was. */
	now: Asking | null = null;
	readonly #at: Errands;
	readonly #turns = new Turns();
	#run = "";

	constructor(at: Errands) {
		this.#at = at;
	}

	/** Put a question to the model; what runs already is given up. */
	ask(question: Question): void {
		this.now = { kind: "running", question, share: 0 };
		this.#run = this.#at.newId();
		this.#turns.first();
		this.#at.wake();
	}

	/** The kernel gives up what nobody asks about any more. */
	stop(): void {
		this.now = null;
		this.#at.wake();
	}

	next(othersWait: boolean): Omit<AskRequest, "id" | "shown"> | null {
		if (this.now?.kind !== "running" || !this.#turns.take(othersWait)) return null;
		return { kind: "ask", run: this.#run, ...this.now.question };
	}

	/** How far it is; null: it is answered, and what is shown changes. */
	heard(reply: Reply): void {
		if (this.now?.kind !== "running" || reply.kind !== "ask") return;
		const { progress } = reply;
		this.now = progress === null ? null : { ...this.now, share: progress };
	}

	failed(fault: Fault): void {
		if (this.now?.kind === "running")
			this.now = { kind: "failed", question: this.now.question, fault };
	}

	lost(fault: Fault): void {
		this.failed(fault);
	}
}
