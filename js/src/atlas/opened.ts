import type { AnyModel } from "@anywidget/types";
import { hosted } from "../hosted";
import type { ViewState } from "../protocol.gen";
import { modelOf } from "../source/host";
import type { Fault } from "../source/source";
import type { AtlasState, HeadKey, Place } from "./protocol.gen";
import { LOST, type Requests } from "./requests";

/** How far the text that was chosen is; it is shown where nothing else is said. */
export type Opening =
	| { readonly kind: "running"; readonly share: number }
	| { readonly kind: "failed"; readonly fault: Fault };

type Explorer = AnyModel<ViewState>;
type Wanted = readonly [head: HeadKey, place: Place];

/**
 * The explorer below an atlas: its model is there from the start, and is asked once a text is opened. How
 * far that is is asked again and again; a text that nobody asks about any more is given up.
 */
export class Opened {
	now: Opening | null = null;
	/** The explorer's model, once there is one. */
	explorer: Explorer | null = null;
	readonly #definition = hosted(null)();
	readonly #model: AnyModel<AtlasState>;
	readonly #requests: Requests;
	readonly #changed: () => void;
	readonly #signal: AbortSignal;
	#run: { readonly name: string; readonly wanted: string } | null = null;
	#reference = "";

	constructor(
		model: AnyModel<AtlasState>,
		requests: Requests,
		changed: () => void,
		signal: AbortSignal,
	) {
		this.#model = model;
		this.#requests = requests;
		this.#changed = changed;
		this.#signal = signal;
		const names = ["change:exemplar", "change:head", "change:_open"] as const;
		const follow = () => this.#follow();
		const connect = () => this.#connect();
		for (const name of names) model.on(name, follow);
		model.on("change:_open", connect);
		signal.addEventListener("abort", () => {
			for (const name of names) model.off(name, follow);
			model.off("change:_open", connect);
		});
		connect();
		follow();
	}

	/** Whether the explorer shows what is chosen. */
	get isShown(): boolean {
		const wanted = this.#wanted;
		return this.explorer !== null && wanted !== null && same(wanted, this.#model.get("_open"));
	}

	/** Show the explorer in an element. */
	render(el: HTMLElement, signal: AbortSignal): void {
		if (this.explorer) this.#definition.render({ model: this.explorer, el, signal } as never);
	}

	again(): void {
		this.#run = null;
		this.#follow();
	}

	get #wanted(): Wanted | null {
		const [head, place] = [this.#model.get("head"), this.#model.get("exemplar")];
		return head && place ? [head, place] : null;
	}

	/** Ask for what is chosen, where it isn't shown and can be. */
	#follow(): void {
		const wanted = this.#wanted;
		if (!wanted || same(wanted, this.#model.get("_open")) || this.#model.get("_info").closed) {
			this.#run = null;
			this.now = null;
		} else if (this.#run?.wanted !== wanted.join()) {
			this.#run = { name: this.#requests.newId(), wanted: wanted.join() };
			this.now = { kind: "running", share: 0 };
			this.#ask(this.#run.name, wanted);
		}
		this.#changed();
	}

	#ask(run: string, wanted: Wanted): void {
		const [head, place] = wanted;
		const isLate = () => this.#run?.name !== run || this.#signal.aborted;
		this.#requests.ask(
			{ kind: "open", run, head, place },
			{
				heard: (reply) => {
					if (isLate() || reply.kind !== "open") return;
					this.now = { kind: "running", share: reply.progress };
					if (reply.progress < 1) this.#ask(run, wanted);
					this.#changed();
				},
				failed: (fault) => {
					if (isLate()) return;
					this.now = { kind: "failed", fault };
					this.#changed();
				},
			},
		);
	}

	#connect(): void {
		const reference = this.#model.get("_explorer");
		if (!reference || !this.#model.get("_open") || reference === this.#reference) return;
		this.#reference = reference;
		modelOf(this.#model, reference).then(
			(model) => this.#begin(model as Explorer),
			() => {
				this.now = { kind: "failed", fault: LOST };
				this.#changed();
			},
		);
	}

	#begin(explorer: Explorer): void {
		if (this.#signal.aborted) return;
		this.#definition.initialize({ model: explorer, signal: this.#signal } as never);
		this.explorer = explorer;
		for (const name of ["change:selected", "change:layer", "change:heads"] as const) {
			explorer.on(name, this.#changed);
			this.#signal.addEventListener("abort", () => explorer.off(name, this.#changed));
		}
		this.#changed();
	}
}

function same(a: Wanted, b: Wanted | null): boolean {
	return b !== null && a.join() === b.join();
}
