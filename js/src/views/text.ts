import type { Scene } from "../scene";
import { make } from "../ui/dom";
import type { Role } from "./look";
import { tokenPage } from "./page";
import type { Actions, View } from "./view";

const CAPTIONS: Readonly<Record<Role, string>> = { both: "", query: "query reads …", key: "… key" };

/** The tokens as running text, as written: shaded by what is read, ruled by what reads. */
export function textView(actions: Actions, signal: AbortSignal): View {
	const el = make("section", { class: "text", "aria-label": "text view" });
	let pages: View[] = [];
	let built: Scene["tokens"] | undefined;

	function build({ tokens, description }: Scene): void {
		built = tokens;
		pages = description.same_tokens
			? [tokenPage(tokens.queries, "both", actions, signal)]
			: [
					tokenPage(tokens.queries, "query", actions, signal),
					tokenPage(tokens.keys, "key", actions, signal),
				];
		el.replaceChildren(
			...pages.flatMap((page, i) => {
				const role = pages.length === 1 ? "both" : i === 0 ? "query" : "key";
				return [make("div", { class: "caption" }, CAPTIONS[role]), page.el];
			}),
		);
		for (const page of pages) page.measure();
	}

	return {
		el,
		measure: () => {
			for (const page of pages) page.measure();
		},
		update(scene) {
			if (scene.tokens !== built) build(scene);
			for (const page of pages) page.update(scene);
		},
	};
}
