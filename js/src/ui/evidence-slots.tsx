import type { Case } from "../views/evidence-case";
import { addable, type SlotName } from "../views/evidence-slots";
import { quoted } from "../views/evidence-tokens";

const NAMES: Readonly<Record<SlotName, { letter: string; before: string; what: string }>> = {
	queries: { letter: "X", before: "", what: "who reads" },
	keys: { letter: "Y", before: "reads", what: "what is read" },
	against: { letter: "Z", before: "or", what: "what else, to hold it against" },
};

/** Who is asked about, of what, and rather than of what: as chips that can be taken away. */
export function Slots({ now }: { now: Case }) {
	const { draft, change } = now;
	return (
		<fieldset class="slots" aria-label="who is asked about">
			{(Object.keys(NAMES) as SlotName[]).map((name) => (
				<Slot key={name} now={now} name={name} />
			))}
			{draft.slots ? (
				<button
					type="button"
					name="follow"
					class="quiet"
					title="fill them from what is pinned, in its order, from now on"
					onClick={() => change({ slots: null })}
				>
					use pinned
				</button>
			) : (
				<span class="muted follows">as pinned</span>
			)}
		</fieldset>
	);
}

function Slot({ now, name }: { now: Case; name: SlotName }) {
	const { scene, slots, draft, actions } = now;
	const { letter, before, what } = NAMES[name];
	const table = name === "queries" ? scene.tokens.queries : scene.tokens.keys;
	const more = addable(slots, name, scene.state);
	const put = (tokens: readonly number[]) => {
		draft.put(slots, name, tokens);
		// What was pressed is gone.
		draft.at = { name: "follow", from: 0, to: 0 };
		actions.redraw();
	};
	return (
		<fieldset class={`slot ${name}`} aria-label={`${letter}, ${what}`}>
			{before && <span class="muted">{before}</span>}
			{slots[name].length === 0 && (
				<span class="empty" title={what}>
					{letter}
				</span>
			)}
			{slots[name].map((token) => (
				<span key={token} class="chip">
					<span dir="auto">{quoted(table, token)}</span>
					<button
						type="button"
						aria-label={`take ${quoted(table, token)} out of ${letter}`}
						onClick={() => put(slots[name].filter((other) => other !== token))}
					>
						×
					</button>
				</span>
			))}
			{more.length > 0 && (
				<button
					type="button"
					name={`add ${name}`}
					class="quiet"
					aria-label={`add what is pinned to ${letter}`}
					onClick={() => put([...slots[name], ...more])}
				>
					+ pinned
				</button>
			)}
		</fieldset>
	);
}
