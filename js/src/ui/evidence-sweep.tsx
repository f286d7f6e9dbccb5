import type { SweepStudied, SweepStudy } from "../protocol.gen";
import { studiesOf } from "../source/studies";
import { type Case, foundOf, start } from "../views/evidence-case";
import { correlationText, outsideText } from "../views/evidence-points";
import { quoted } from "../views/evidence-tokens";
import { Act, Failed, Part, Remarks, Running } from "./evidence-study";
import { headText } from "./words";

/** What each head has of attention, and what it changes when it is taken away alone. */
export function Sweep({ now, hold }: { now: Case; hold: (el: HTMLElement | null) => void }) {
	const { source, draft, gone, scene } = now;
	const swept = draft.swept;
	const found = swept ? foundOf(studiesOf(source).of(swept), "sweep") : undefined;
	return (
		<Part title="each alone" aside={found && swept ? ofText(now, swept) : ""}>
			<div class="acts">
				<Act name="sweep heads" why={gone} onClick={() => sweep(now, "heads")}>
					Ablate every head
				</Act>
				<Act
					name="sweep keys"
					why={gone || (scene.focus.query === null ? "pin the token that reads first" : "")}
					onClick={() => sweep(now, "keys")}
				>
					{scene.focus.query === null
						? "Cut each key of a token"
						: `Cut each key of ${quoted(scene.tokens.queries, scene.focus.query)}`}
				</Act>
				<Running source={source} study={swept} what="the runs" />
			</div>
			{!swept && (
				<p class="muted">
					One run for each: whether those with much attention are those that change the output.
				</p>
			)}
			<Failed source={source} study={swept} gone={gone} />
			<div ref={hold} />
			{found && swept && <Said found={found} over={swept.over} />}
		</Part>
	);
}

function sweep({ scene, head, pair, draft, source, change }: Case, over: SweepStudy["over"]): void {
	const at = draft.output;
	const [query, key] = pair ?? [null, null];
	const study: SweepStudy =
		over === "heads"
			? // Of all heads none is meant.
				{ of: "sweep", over, layer: 0, head: 0, query, key, at }
			: { of: "sweep", over, ...head, query: scene.focus.query, key: null, at };
	change({ swept: study });
	start(source, study);
}

function ofText({ scene }: Case, { over, layer, head, query }: SweepStudy): string {
	if (over === "heads") return "a dot is a head";
	const who = query === null ? "" : ` of ${quoted(scene.tokens.queries, query)}`;
	return `a dot is a key${who} · ${headText(scene.description, { layer, head })}`;
}

function Said({ found, over }: { found: SweepStudied; over: SweepStudy["over"] }) {
	return (
		<>
			<p>{correlationText(found.correlation)}</p>
			{found.band && <p class="muted">{outsideText(found.effects, found.band, over)}</p>}
			<Remarks notes={found.notes} />
		</>
	);
}
