import type { EffectStudy, SweepStudy, Unit } from "../protocol.gen";
import type { Tokens } from "../source/source";
import type { Scope } from "./evidence-edits";
import type { SlotName, Slots } from "./evidence-slots";
import { TextDraft } from "./evidence-text";
import { carried } from "./evidence-tokens";

/** What a person chose and wrote in the view; it outlives the page that it is written on. */
export class Draft {
	/** Null while they follow what is pinned. */
	slots: Slots | null = null;
	/** Whether all heads are listed, and not only the first. */
	all = false;
	/** Where an edge is cut, and what takes the place of what a head gives. */
	scope: Scope = "head";
	by: "zero" | "mean" = "zero";
	/** The token that is to stand in another's place. */
	token = "";
	/** Where the output is looked at, as it is counted here; null: where the model says most. */
	output: number | null = null;
	/** The field that has the focus, and what is selected in it. */
	at: { readonly name: string; readonly from: number; readonly to: number } | null = null;
	/** What was run last: an edge that was cut, a list of edits, all heads or keys. */
	cut: EffectStudy | null = null;
	ran: EffectStudy | null = null;
	swept: SweepStudy | null = null;
	/** What was said last of something that was copied; null where it couldn't be. */
	copied: string | null = "";
	readonly text = new TextDraft();
	#page: { readonly tokens: Tokens; readonly unit: Unit } | null = null;

	/** On a new page: what was chosen stays as far as it is there, what was run was of another. */
	settle(tokens: Tokens, unit: Unit): void {
		const was = this.#page;
		this.#page = { tokens, unit };
		if (!was || was.tokens === tokens) return;
		const moved = (indices: readonly number[], side: "queries" | "keys") =>
			carried(indices, { table: was.tokens[side], unit: was.unit }, { table: tokens[side], unit });
		const { slots, output } = this;
		this.slots = slots && {
			queries: moved(slots.queries, "queries"),
			keys: moved(slots.keys, "keys"),
			against: moved(slots.against, "keys"),
		};
		this.output = output === null ? null : (moved([output], "queries")[0] ?? null);
		this.cut = this.ran = this.swept = null;
		this.copied = "";
	}

	/** Fill a slot, or take out of it. */
	put(slots: Slots, name: SlotName, tokens: readonly number[]): void {
		this.slots = { ...slots, [name]: [...tokens].sort((a, b) => a - b) };
	}
}
