import { type ComponentChild, h, render } from "preact";
import { css } from "../draw/colour";
import { studiesOf } from "../source/studies";
import { Beside, Ranking } from "../ui/compare";
import { make, setText } from "../ui/dom";
import { type Case, caseOf, DIFFER, isByToken, rowsWanted, SIDES, saidOf } from "./compare-case";
import { gloss } from "./compare-gloss";
import type { Parts, View } from "./view";

/** Two traces beside each other: both texts, what is read in each, and which heads differ. */
export function compareView({ store, source, actions, signal }: Parts): View {
	const names = store.compared ?? ["first", "second"];
	const said = make("p", { class: "differs muted" });
	const texts = make("div", { class: "texts" });
	const ranks = make("div", { class: "ranking" });
	const before = make("div");
	const both = make("div", { class: "both" }, make("div", {}, said, texts), ranks);
	const el = make("div", { class: "compared" }, before, both);
	let glosses: readonly ReturnType<typeof gloss>[] = [];
	signal.addEventListener("abort", () => {
		for (const part of [before, ranks]) render(null, part);
	});

	function build({ sides: { queries, keys } }: Case): void {
		const on = [actions, signal] as const;
		glosses = keys
			? [gloss(queries, "query", names, ...on), gloss(keys, "key", names, ...on)]
			: [gloss(queries, "both", names, ...on)];
		texts.append(...glosses.map((one) => one.el));
		for (const one of glosses) one.measure();
	}

	return {
		el,
		measure() {
			for (const one of glosses) one.measure();
		},
		update(scene) {
			const byToken = isByToken(scene);
			const wanted = byToken ? [SIDES, rowsWanted(scene), DIFFER] : [];
			if (scene.status.kind !== "gone")
				for (const study of wanted) if (study) studiesOf(source).ask(study);
			const now = byToken ? caseOf(scene, source, names) : undefined;
			render(h(Beside, { scene, source, actions, now }) as ComponentChild, before);
			both.hidden = !now;
			if (!now) return;
			if (!glosses.length) build(now);
			el.style.setProperty("--amber", css(scene.colours.read));
			setText(said, saidOf(now));
			for (const one of glosses) one.update(now);
			render(h(Ranking, { now, actions }) as ComponentChild, ranks);
		},
	};
}
