import type { QaInfo } from "../protocol.gen";
import type { Question } from "../source/asking";
import { askerOf } from "../source/asking";
import type { TileSource } from "../source/source";
import { handled, typed } from "./dom";
import { Faults } from "./faults";

/** What never comes back as it was sent isn't sent for ever. */
const SENT_AT_MOST = 3;

/** What a person is about to ask; it outlives the page that it is written on. */
export class Draft {
	open = false;
	question = "";
	/** Null where the context stays. */
	context: string | null = null;
	unfolded = false;
	/** What is empty, and can't be asked. */
	wrong = "";
	/** What is waited for; and how often it was sent. */
	sent: Question | null = null;
	times = 0;
	/** The field that has the focus, and what is selected in it. */
	at: { readonly name: string; readonly from: number; readonly to: number } | null = null;

	/**
	 * On a new page: what is answered needs no box any more, and what is still being written stays.
	 *
	 * @returns What is to be sent again: it was given up with the page that another answer, or another
	 * unit, took the place of.
	 */
	settle(shown: QaInfo): Question | null {
		const { sent } = this;
		if (!sent) return null;
		if (!isOf(sent, shown)) return this.times++ < SENT_AT_MOST ? sent : null;
		this.sent = null;
		const { question, context } = this;
		if (!isOf({ question, context }, shown)) return null;
		this.open = this.unfolded = false;
		this.context = null;
		if (this.at) this.at = { name: "again", from: 0, to: 0 };
		return null;
	}

	begin(question: string): void {
		this.open = true;
		this.wrong = "";
		this.question ||= question;
		this.at = { name: "question", from: 0, to: this.question.length };
	}
}

/** Whether this is what was asked; a long context isn't known here. */
function isOf(
	{ question, context }: Pick<Question, "question" | "context">,
	shown: QaInfo,
): boolean {
	const known = context === null || shown.context === null || context === shown.context;
	return known && question === shown.question;
}

type Focused = Pick<Draft, "at">;

/** Where the focus is within the box. */
export function noteFocus(
	draft: Focused,
	box: HTMLElement,
	{ activeElement }: Pick<ShadowRoot, "activeElement"> = box.getRootNode() as ShadowRoot,
): void {
	const field = activeElement as HTMLInputElement | null;
	draft.at = box.contains(field)
		? {
				name: field?.name ?? "",
				from: field?.selectionStart ?? 0,
				to: field?.selectionEnd ?? 0,
			}
		: null;
}

export function giveFocus(draft: Focused, box: HTMLElement): void {
	if (!draft.at) return;
	const { name, from, to } = draft.at;
	draft.at = null;
	const field = box.querySelector<HTMLInputElement>(`[name="${name}"]`);
	field?.focus({ preventScroll: true });
	if (field?.matches("input, textarea")) field.setSelectionRange(from, to);
}

interface Props {
	readonly qa: QaInfo;
	readonly draft: Draft;
	readonly source: TileSource;
	readonly redraw: () => void;
}

/** The question's caption: it asks anew, says how far the answer is, and why there is none. */
export function Ask({ qa, draft, source, redraw }: Props) {
	const { now: asking } = askerOf(source);
	const set = (changes: Partial<Draft>) => {
		Object.assign(draft, changes);
		redraw();
	};
	const toggle = () => {
		if (draft.open) set({ open: false });
		else {
			draft.begin(qa.question);
			redraw();
		}
	};
	const stop = () => {
		draft.sent = null;
		askerOf(source).stop();
	};
	return (
		<>
			<div class="caption">
				<span>question · hover a word to see what it reads in the context</span>
				<span class="asking" aria-live="polite">
					{asking?.kind === "running" && (
						<>
							asking …
							<progress aria-label="share of the context that is read" value={asking.share} />
							<button type="button" class="quiet" onClick={stop}>
								Stop
							</button>
						</>
					)}
				</span>
				<button
					type="button"
					name="again"
					class="quiet"
					aria-expanded={draft.open}
					title="ask something else; the key q comes here"
					onClick={toggle}
				>
					ask again
				</button>
			</div>
			{draft.open && <Box {...{ qa, draft, source, redraw, set }} />}
			<Faults
				fault={asking?.kind === "failed" ? asking.fault : null}
				dismiss={() => askerOf(source).stop()}
			/>
		</>
	);
}

function Box({ qa, draft, source, set }: Props & { set: (changes: Partial<Draft>) => void }) {
	const context = draft.context ?? qa.context ?? "";
	const send = () => {
		const { question } = draft;
		const none = draft.context === null || (draft.context === "" && qa.context === null);
		const wrong = !question.trim()
			? "The question is empty: write what is to be found in the context."
			: !none && !context.trim()
				? "The context is empty: write the text that holds the answer."
				: "";
		const sent = wrong ? null : { question, context: none ? null : context, window: null };
		set({ wrong, sent, times: 1 });
		if (sent) askerOf(source).ask(sent);
	};
	const onKeyDown = (event: KeyboardEvent) => {
		if (event.key === "Escape") set({ open: false, at: { name: "again", from: 0, to: 0 } });
		else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
		else {
			typed(event);
			return;
		}
		handled(event);
	};
	return (
		<form
			class="ask"
			noValidate
			onKeyDown={onKeyDown}
			onSubmit={(event) => {
				handled(event);
				send();
			}}
		>
			<input
				type="text"
				name="question"
				aria-label="question"
				aria-invalid={draft.wrong !== ""}
				placeholder="what do you want to know?"
				autocomplete="off"
				value={draft.question}
				onInput={({ currentTarget }) => set({ question: currentTarget.value, wrong: "" })}
			/>
			<button type="submit" name="ask" class="primary">
				Ask
			</button>
			<details
				open={draft.unfolded}
				onToggle={({ currentTarget: { open } }) => {
					if (open !== draft.unfolded) set({ unfolded: open });
				}}
			>
				<summary>context: {draft.context === null ? "as it is" : "changed"}</summary>
				<textarea
					name="context"
					aria-label="context"
					rows={6}
					dir="auto"
					placeholder={
						qa.context === null
							? "The context is too long to be shown here. It stays, unless another is written here."
							: "the text that holds the answer"
					}
					value={context}
					onInput={({ currentTarget: { value } }) => set({ context: value, wrong: "" })}
				/>
			</details>
			{draft.wrong && (
				<p class="wrong" role="alert">
					{draft.wrong}
				</p>
			)}
		</form>
	);
}
