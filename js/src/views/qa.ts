import { type ComponentChild, h, render } from "preact";
import type { QaInfo } from "../protocol.gen";
import { askerOf } from "../source/asking";
import { Ask, Draft, giveFocus, noteFocus } from "../ui/ask";
import { handled, isNative, make, setText, withModifier } from "../ui/dom";
import { answerPills, windowChoice } from "./qa-answers";
import { questionMatrix } from "./qa-matrix";
import { panels } from "./qa-panels";
import { ranking } from "./qa-ranks";
import { type Case, caseOf, saidOf } from "./qa-reading";
import { strip } from "./qa-strip";
import type { Parts, View } from "./view";

/** A question and the text that it is asked about: what is answered, and what the question reads there. */
export function qaView({ store, source, kept, actions, finder, signal }: Parts): View {
	const qa = store.qa as QaInfo;
	kept.extra ??= new Draft();
	const draft = kept.extra as Draft;
	const box = make("div");
	const open = (window: number) => askerOf(source).ask({ question: null, context: null, window });
	const pills = answerPills(qa, (place) => {
		const window = qa.answers[place]?.window ?? qa.window;
		actions.set("answer", place);
		if (window !== qa.window) open(window);
	});
	const said = saidLine();
	const ends = strip(qa, actions, signal);
	const cells = questionMatrix(actions, signal);
	const ranks = ranking(actions);
	const caption = make("div", { class: "caption" }, make("span", {}, "context"), said.el);
	caption.append(windowChoice(qa, open) ?? "");
	const texts = make("div");
	const el = make(
		"section",
		{ class: "qa", "aria-label": "qa view" },
		box,
		texts,
		ends.el,
		pills.el,
		make("div", { class: "columns" }, cells.el, ranks.el),
		...qa.notes.map((note) => make("p", { class: "muted note" }, note)),
	);
	const sentAgain = draft.settle(qa);
	if (sentAgain) askerOf(source).ask(sentAgain);
	signal.addEventListener("abort", () => {
		if (!draft.at) noteFocus(draft, box);
		if (askerOf(source).now?.kind === "failed") draft.sent = null;
		render(null, box);
	});
	const onKey = (event: KeyboardEvent) => {
		if (event.key !== "q" || el.hidden || isNative(event) || withModifier(event)) return;
		draft.begin(qa.question);
		actions.redraw();
		handled(event);
	};
	let pages: readonly View[] = [];
	let now: Case | undefined;
	return {
		el,
		measure() {
			for (const part of [...pages, ends, cells]) part.measure();
		},
		update(scene) {
			now = caseOf(scene, qa);
			render(h(Ask, { qa, draft, source, redraw: actions.redraw }) as ComponentChild, box);
			giveFocus(draft, box);
			if (!pages.length) {
				pages = panels(() => now as Case, actions, finder, signal);
				const [question, context] = pages as [View, View];
				texts.append(question.el, caption, context.el);
				for (const page of pages) page.measure();
				el.parentElement?.addEventListener("keydown", onKey, { signal });
			}
			for (const page of pages) page.update(scene);
			for (const part of [pills, ends, cells, ranks]) part.update(now);
			said.say(saidOf(now));
		},
	};
}

/** A line whose second part counts most. */
function saidLine() {
	const parts = [make("span"), make("b"), make("span")] as const;
	return {
		el: make("div", { class: "tells muted" }, ...parts),
		say(texts: readonly [string, string, string]) {
			for (const [i, part] of parts.entries()) setText(part, texts[i] ?? "");
		},
	};
}
