import type { AnyModel } from "@anywidget/types";
import { modelOf, onKernelLost } from "../source/host";
import type { Fault } from "../source/source";
import type { AtlasReply, AtlasRequest, AtlasState } from "./protocol.gen";

/** What is asked, before it has an id. */
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
export type Body = WithoutId<AtlasRequest>;

export interface Waiting {
	heard(reply: AtlasReply, buffers: readonly DataView[]): void;
	failed(fault: Fault): void;
}

export const LOST = {
	message: "No kernel: run the cell again for exemplars, maps and texts.",
	detail: "",
} as const;

/** Requests to the data model, on which Python only ever replies: each is answered by its id. */
export class Requests {
	readonly #waiting = new Map<string, Waiting>();
	readonly #session = Math.random().toString(36).slice(2);
	/** What was asked before the data model was there; null where it is, or is gone. */
	#early: AtlasRequest[] | null = [];
	#model: AnyModel | null = null;
	#count = 0;

	constructor(view: AnyModel<AtlasState>, signal: AbortSignal) {
		// Not awaited: a model that isn't ready within two seconds silently never gets updates.
		modelOf(view, view.get("_source")).then(
			(model) => this.#listen(model, signal),
			() => this.#lost(),
		);
	}

	/** A name that no other request has, and no other tab's. */
	newId(): string {
		return `${this.#session}-${this.#count++}`;
	}

	ask(body: Body, waiting: Waiting): void {
		const request = { ...body, id: this.newId() } as AtlasRequest;
		this.#waiting.set(request.id, waiting);
		if (this.#early) this.#early.push(request);
		else this.#send(request);
	}

	#send(request: AtlasRequest): void {
		try {
			if (!this.#model) throw new Error("there is no kernel");
			this.#model.send(request);
		} catch {
			// Gone, or a restarted kernel, which leaves its old comms unusable.
			this.#lost();
		}
	}

	#listen(model: AnyModel, signal: AbortSignal): void {
		if (signal.aborted) return;
		const onMessage = (reply: AtlasReply, buffers: readonly DataView[]) => {
			const waiting = this.#waiting.get(reply.id);
			this.#waiting.delete(reply.id);
			if (reply.kind === "error") waiting?.failed(reply);
			else waiting?.heard(reply, buffers);
		};
		model.on("msg:custom", onMessage);
		signal.addEventListener("abort", () => model.off("msg:custom", onMessage));
		this.#model = model;
		onKernelLost(model, () => this.#lost(), signal);
		const early = this.#early ?? [];
		this.#early = null;
		for (const request of early) this.#send(request);
	}

	#lost(): void {
		this.#model = null;
		this.#early = null;
		const waiting = [...this.#waiting.values()];
		this.#waiting.clear();
		for (const { failed } of waiting) failed(LOST);
	}
}
