import { type ComponentChild, h, render } from "preact";
import { css } from "../draw/colour";
import type { Scene } from "../scene";
import { studiesOf } from "../source/studies";
import { giveFocus, noteFocus } from "../ui/ask";
import { handled, isNative, make, withModifier } from "../ui/dom";
import { Evidence } from "../ui/evidence";
import { type Case, caseOf, wantedBy } from "./evidence-case";
import { Draft } from "./evidence-draft";
import { plotOf } from "./evidence-plot";
import { scatter } from "./evidence-scatter";
import { takesTexts, textsOf } from "./evidence-text";
import type { Parts, View } from "./view";

/** Which head does what, and whether it matters. */
export function evidenceView({ store, source, kept, actions, signal }: Parts): View {
	const draft = (kept.ofPart.get("evidence") as Draft | undefined) ?? new Draft();
	kept.ofPart.set("evidence", draft);
	const el = make("div", { class: "studies" });
	const fixed = store.qa !== null || !takesTexts(source.description);
	const dots = scatter(actions.redraw, signal);
	const hold = (parent: HTMLElement | null) => parent?.append(dots.el);
	const sentAgain = draft.text.settle(textsOf(source.description));
	if (sentAgain) studiesOf(source).ask(sentAgain);
	let page: Element | null = null;

	function listen(): void {
		if (page) return;
		page = el.closest(".explorer");
		page?.addEventListener("keydown", (event) => onKey(event as KeyboardEvent), { signal });
	}

	function onKey(event: KeyboardEvent): void {
		const isHidden = !el.checkVisibility();
		if (event.key !== "e" || fixed || isHidden || isNative(event) || withModifier(event)) return;
		draft.text.open = true;
		draft.at = { name: "text 0", from: 0, to: 0 };
		actions.redraw();
		handled(event);
	}

	// The page is gone before its end is told here, and with it what had the focus.
	let activeElement: Element | null = null;
	el.addEventListener("focusin", ({ target }) => {
		activeElement = target as Element;
	});
	el.addEventListener("focusout", () => {
		if (!signal.aborted) activeElement = null;
	});
	signal.addEventListener("abort", () => {
		if (!draft.at) noteFocus(draft, el, { activeElement });
		const { text } = draft;
		if (text.sent && studiesOf(source).of(text.sent)?.kind === "failed") text.sent = null;
		render(null, el);
	});

	return {
		el,
		measure: dots.measure,
		update(scene) {
			listen();
			draft.settle(scene.tokens, scene.state.unit);
			draft.text.heed(source);
			const now = caseOf({ scene, source, actions, draft });
			askFor(now);
			el.style.setProperty("--amber", colourOf(scene));
			render(h(Evidence, { now, hold, fixed }) as ComponentChild, el);
			dots.update(plotOf(now));
			giveFocus(draft, el);
		},
	};
}

function colourOf({ colours }: Scene): string {
	return css(colours.read);
}

/** What is looked at is asked about; without a kernel what is known stays. */
function askFor(now: Case): void {
	if (now.gone) return;
	for (const study of Object.values(wantedBy(now))) if (study) studiesOf(now.source).ask(study);
}
