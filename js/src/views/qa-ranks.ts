import { css } from "../draw/colour";
import type { SpanKey, TokenTable } from "../protocol.gen";
import { make, pressable, setName, setText } from "../ui/dom";
import { percent } from "../ui/words";
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
	const said = make("p", { class: "muted" });
	const list = make("div", { class: "ranks", role: "list" });
	const rows = Array.from({ length: LISTED + 1 }, () => rankRow(actions));
	list.append(...rows.map(({ el }) => el));
	const el = make(
		"div",
		{ class: "ranking" },
		make(
			"div",
			{ class: "title" },
			title,
			make("span", { class: "muted" }, "mass · lift over uniform"),
		),
		list,
		said,
	);
	return {
		el,
		update(now: Case) {
			const { scene, question, span, answer } = now;
			const { description, state } = scene;
			const none = answer.text === "";
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
			const most = Math.max(listed[0]?.mass ?? 1, uniform);
			for (const [i, row] of rows.entries()) row.show(listed[i], now, most, uniform);
			const [first] = listed;
			const words = first
				? [
						`Uniform attention would put ${uniform.toFixed(3)} there (the marks), a lift of 1.0.`,
						`The strongest head puts ${percent(first.mass)} of the question’s attention on ${target}.`,
						description.causal
							? "This model is causal: a question reads nothing that follows it."
							: "",
					]
				: [scene.status.kind === "gone" ? "not saved here" : "…"];
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
	const chosen = all.find((one) => isChosen(one, scene));
	return chosen && chosen.rank > LISTED ? [...top, chosen] : top;
}

function isChosen({ layer, head }: HeadOf, { state }: Case["scene"]): boolean {
	return layer === state.layer && state.heads.includes(head);
}

function rankRow(actions: Actions) {
	const [name, bar, tick, mass, lift] = ["name", "level", "tick", "mass", "lift"].map((part) =>
		make(part === "level" || part === "tick" ? "i" : "span", { class: part }),
	) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement];
	const el = make(
		"div",
		{ class: "rank", role: "listitem" },
		name,
		make("span", { class: "track" }, bar, tick),
		mass,
		lift,
	);
	let shown: Ranked | undefined;
	const button = pressable(el, (event) => shown && actions.choose(shown, event.shiftKey));
	return {
		el,
		show(ranked: Ranked | undefined, { scene }: Case, most: number, uniform: number) {
			shown = ranked;
			el.hidden = !ranked;
			if (!ranked) return;
			const { layers } = scene.description;
			const of = `${layers[ranked.layer]}.${ranked.head}`;
			const times = `×${(ranked.mass / uniform).toFixed(1)}`;
			setText(name, ranked.rank > LISTED ? `${of} (${ranked.rank}.)` : of);
			setText(mass, ranked.mass.toFixed(3));
			setText(lift, times);
			bar.style.width = `${((100 * ranked.mass) / most).toFixed(2)}%`;
			tick.style.insetInlineStart = `${((100 * uniform) / most).toFixed(2)}%`;
			const chosen = isChosen(ranked, scene);
			el.classList.toggle("on", chosen);
			button.ariaPressed = String(chosen);
			setName(
				button,
				`layer ${layers[ranked.layer]} head ${ranked.head}, rank ${ranked.rank}: mass ${ranked.mass.toFixed(3)}, lift ${times}`,
			);
		},
	};
}
