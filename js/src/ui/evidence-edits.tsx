import type { EditInfo } from "../protocol.gen";
import { studiesOf } from "../source/studies";
import { type Case, effectOf, foundOf, start } from "../views/evidence-case";
import {
	ablationsOf,
	cutOf,
	editText,
	replacingOf,
	SCOPES,
	switchedOn,
	withEdits,
} from "../views/evidence-edits";
import { quoted } from "../views/evidence-tokens";
import { handled, typed } from "./dom";
import { Copy } from "./evidence-copy";
import { Effect } from "./evidence-effect";
import { Act, Failed, Part, Running } from "./evidence-study";

/** What is changed, switched on and off one by one; and what the model then gives. */
export function Edits({ now }: { now: Case }) {
	const { scene, source, draft, gone, fixed, actions, change } = now;
	const { edits } = scene.state;
	const study = effectOf(now, edits);
	const found = foundOf(studiesOf(source).of(study), "effect");
	const earlier = draft.ran && foundOf(studiesOf(source).of(draft.ran), "effect");
	const why = gone || (switchedOn(edits).length ? "" : "add a change first, or switch one on");
	const set = (next: readonly EditInfo[]) => {
		change({ copied: "" });
		actions.set("edits", next);
	};
	return (
		<Part title="change and run again" aside={<Where now={now} />}>
			{fixed ? (
				<p class="muted">{fixed}</p>
			) : (
				<Adding now={now} add={(more) => set(withEdits(edits, more))} />
			)}
			<List now={now} set={set} />
			<div class="acts">
				<Act
					name="run"
					primary
					why={why}
					onClick={() => {
						change({ ran: study, copied: "" });
						start(source, study);
					}}
				>
					Run
				</Act>
				{edits.length > 0 && (
					<button type="button" name="clear" class="quiet" onClick={() => set([])}>
						Clear
					</button>
				)}
				<Running source={source} study={draft.ran} what="the run with these changes" />
				{why && <span class="muted">{why}</span>}
			</div>
			<Failed source={source} study={draft.ran} gone={gone} />
			{!found && earlier && <p class="muted">With other changes; run again for these:</p>}
			{(found ?? earlier) && (
				<>
					<Effect found={(found ?? earlier) as NonNullable<typeof found>} />
					<Copy now={now} text={(found ?? earlier)?.python ?? ""} />
				</>
			)}
		</Part>
	);
}

/** At which token the output is looked at. */
function Where({ now: { scene, draft, change } }: { now: Case }) {
	const { focus, tokens } = scene;
	const offered = [...new Set([draft.output, focus.query])].filter((token) => token !== null);
	return (
		<label class="where">
			output
			<select
				name="output"
				aria-label="where the output is looked at"
				value={`${draft.output ?? ""}`}
				onChange={({ currentTarget: { value } }) =>
					change({ output: value === "" ? null : Number(value) })
				}
			>
				<option value="">where the model says most</option>
				{offered.map((token) => (
					<option key={token} value={`${token}`}>
						{`at ${quoted(tokens.queries, token)}`}
					</option>
				))}
			</select>
		</label>
	);
}

function Adding({ now, add }: { now: Case; add: (edits: readonly EditInfo[]) => void }) {
	const { scene, draft, pair, change } = now;
	const { heads, layer } = scene.state;
	const { tokens, description } = scene;
	const which =
		heads.length === 1 ? `${description.layers[layer]}.${heads[0]}` : `${heads.length} heads`;
	const replacing = replacingOf(now);
	const edge = pair && `${quoted(tokens.queries, pair[0])} → ${quoted(tokens.keys, pair[1])}`;
	const replace = () => replacing.edit && add([replacing.edit]);
	const onKeyDown = (event: KeyboardEvent) => {
		if (event.key === "Enter") {
			replace();
			handled(event);
		} else typed(event);
	};
	return (
		<>
			<div class="acts">
				<Act name="ablate" why="" onClick={() => add(ablationsOf(now))}>
					{`+ ablate ${which}`}
				</Act>
				<select
					name="by"
					aria-label="what a head gives instead"
					value={draft.by}
					onChange={({ currentTarget }) => change({ by: currentTarget.value as "zero" | "mean" })}
				>
					<option value="zero">to zero</option>
					<option value="mean">to its mean</option>
				</select>
				<Act
					name="add cut"
					why={pair ? "" : "pin who reads, then what is read"}
					onClick={() => pair && add([cutOf(now, pair)])}
				>
					{edge ? `+ cut ${edge}, ${SCOPES[draft.scope]}` : "+ cut an edge"}
				</Act>
			</div>
			<div class="acts">
				<Act name="replace" why={replacing.why} onClick={replace}>
					{`+ replace ${replacing.name || "a token"}`}
				</Act>
				<input
					type="text"
					name="token"
					aria-label="the token that is to stand there"
					placeholder="by the token …"
					autocomplete="off"
					dir="auto"
					value={draft.token}
					onInput={({ currentTarget }) => change({ token: currentTarget.value })}
					onKeyDown={onKeyDown}
				/>
			</div>
		</>
	);
}

function List({ now, set }: { now: Case; set: (edits: readonly EditInfo[]) => void }) {
	const { scene } = now;
	const { edits } = scene.state;
	if (!edits.length) return null;
	return (
		<ul class="edits" aria-label="changes">
			{edits.map((edit, at) => {
				const text = editText(edit, scene);
				const others = () => edits.filter((_, i) => i !== at);
				return (
					<li key={JSON.stringify({ ...edit, on: true })} class={edit.on ? "" : "off"}>
						<input
							type="checkbox"
							aria-label={text}
							checked={edit.on}
							onChange={({ currentTarget: { checked } }) =>
								set(edits.map((one, i) => (i === at ? { ...one, on: checked } : one)))
							}
						/>
						<span dir="auto">{text}</span>
						{/* In a picture, too, which has no boxes. */}
						{!edit.on && <small class="muted">off</small>}
						<button type="button" aria-label={`remove: ${text}`} onClick={() => set(others())}>
							×
						</button>
					</li>
				);
			})}
		</ul>
	);
}
