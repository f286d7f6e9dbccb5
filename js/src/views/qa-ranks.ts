import { type ComponentChild, h, render } from "preact";
import { css } from "../draw/colour";
import type { SpanKey, TokenTable } from "../protocol.gen";
import { make, setText } from "../ui/dom";
import { isChosen, Level, Rank } from "../ui/ranks";
import { missingText, percent } from "../ui/words";
import { answerText } from "./qa-answers";
import type { Case, Range } from "./qa-reading";
import type { Actions, HeadOf } from "./view";

const LISTED = 6;

interface Ranked extends HeadOf {
	readonly rank: number;
	readonly mass: number;
}

/** The heads by how much of what the question reads is in the answer, beside what uniform attention has. */
export function ranking(actions: Actions) {
	const title = make("span");
	const what = make("span", { class: "muted" });
	const said = make("p", { class: "muted" });
	const list = make("ol", { class: "ranks" });
	const el = make(
		"div",
		{ class: "ranking" },
		make("div", { class: "title" }, title, what),
		list,
		said,
	);
	return {
		el,
		update(now: Case) {
			const { scene, question, span, answer } = now;
			const { description, state } = scene;
			const none = answer.text === "";
			const { shares, number } = description;
			setText(what, shares ? "mass · lift over uniform" : `sum of ${number}`);
			const holds = state.unit === "segment" ? "what holds the answer" : "the answer";
			const target = none ? "the first token" : holds;
			setText(title, `heads: question → ${none ? "first token" : "answer"}`);
			const keys = none ? ([0, 1] as const) : span;
			list.hidden = !keys;
			list.style.setProperty("--amber", css(scene.colours.read));
			if (!keys) {
				setText(said, `“${answerText(answer.text)}” is in window ${answer.window + 1}: open it.`);
				return;
			}
			const key: SpanKey = [...question, ...keys];
			const masses = scene.reader.span(key);
			const all = tokensIn(scene.tokens.keys, [0, description.keys]);
			const uniform =
				tokensIn(scene.tokens.keys, keys) / (all - (state.renormalise ? description.hides : 0));
			const listed = masses ? listedOf(masses, now) : [];
			const most = Math.max(listed[0]?.mass ?? 1, shares ? uniform : 0);
			const even = shares ? uniform : null;
			const rows = listed.map((one) => rankRow(one, now, actions, most, even));
			render(rows as unknown as ComponentChild, list);
			const [first] = listed;
			const words = first
				? [
						...(shares
							? [
									`Uniform attention would put ${uniform.toFixed(3)} there (the marks), a lift of 1.0.`,
									`The strongest head puts ${percent(first.mass)} of the question’s attention on ${target}.`,
								]
							: []),
						description.causal
							? "This model is causal: a question reads nothing that follows it."
							: "",
					]
				: [missingText(scene)];
			setText(said, words.join(" "));
		},
	};
}

/** How many of the tokenizer's tokens there are: a word may stand for several. */
function tokensIn({ count }: TokenTable, [first, stop]: Range): number {
	return count.slice(first, stop).reduce((sum, some) => sum + some - 1, stop - first);
}

/** The strongest heads; and the best of the chosen ones, where none of them is among these. */
function listedOf(masses: Float32Array, { scene }: Case): Ranked[] {
	const { heads } = scene.description;
	const all = Array.from(masses, (mass, i) => ({
		layer: Math.floor(i / heads),
		head: i % heads,
		mass,
	}))
		.sort((a, b) => b.mass - a.mass)
		.map((one, i) => ({ ...one, rank: i + 1 }));
	const top = all.slice(0, LISTED);
	const chosen = all.find((one) => isChosen(one, scene.state));
	return chosen && chosen.rank > LISTED ? [...top, chosen] : top;
}

function rankRow(
	{ mass, rank, ...of }: Ranked,
	{ scene }: Case,
	actions: Actions,
	most: number,
	uniform: number | null,
) {
	const layer = scene.description.layers[of.layer];
	const name = `${layer}.${of.head}`;
	const lift = uniform === null ? "" : `×${(mass / uniform).toFixed(1)}`;
	return h(
		Rank,
		{
			name: rank > LISTED ? `${name} (${rank}.)` : name,
			track: h(Level, { share: mass / most, uniform: uniform === null ? null : uniform / most }),
			on: isChosen(of, scene.state),
			says: `layer ${layer} head ${of.head}, rank ${rank}: mass ${mass.toFixed(3)}${lift && `, lift ${lift}`}`,
			press: (also) => actions.choose(of, also),
		},
		h("span", { class: "mass" }, mass.toFixed(3)),
		h("span", { class: "lift" }, lift),
	);
}
