import { type Description, DIRECTIONS } from "../protocol.gen";
import type { Scene } from "../scene";
import { make, setText } from "../ui/dom";
import { short } from "../ui/words";
import type { Finder } from "./find";
import type { Role } from "./look";
import { tokenPage } from "./page";
import type { Actions, View } from "./view";

const CAPTIONS: Readonly<Record<Role, string>> = { both: "", query: "query reads …", key: "… key" };

/** The tokens as running text, as written: shaded by what is read, ruled by what reads; or in turn. */
export function textView(actions: Actions, finder: Finder, signal: AbortSignal): View {
	const el = make("section", { class: "text", "aria-label": "text view" });
	const said = make("span");
	const ways = DIRECTIONS.map((direction) => {
		const title = `shade the text by what the looked-at token ${direction}; r changes it`;
		const way = make("button", { type: "button", title }, direction);
		way.addEventListener("click", () => actions.set("direction", direction), { signal });
		return way;
	});
	const choice = make("fieldset", { class: "segments small", "aria-label": "direction" }, ...ways);
	let pages: View[] = [];
	let built: Scene["tokens"] | undefined;

	function build({ tokens, description }: Scene): void {
		built = tokens;
		const roles: Role[] = description.same_tokens ? ["both"] : ["query", "key"];
		pages = roles.map((role) =>
			tokenPage(role === "key" ? tokens.keys : tokens.queries, role, actions, finder, signal),
		);
		el.replaceChildren(
			...labelsOf(description),
			...pages.flatMap((page, i) => {
				const caption = make("div", { class: "caption" }, CAPTIONS[roles[i] as Role]);
				if (i === 0) caption.append(said, choice);
				return [caption, page.el];
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
			setText(said, captionOf(scene));
			for (const [i, way] of ways.entries())
				way.ariaPressed = String(scene.state.direction === DIRECTIONS[i]);
		},
	};
}

/** What a classifier says of the text. */
function labelsOf({ labels, labels_by }: Description): HTMLElement[] {
	if (!labels.length) return [];
	const title = `what the model says of it (${labels_by})`;
	const pills = labels.map(([name, share]) =>
		make("span", {}, `${name} `, make("b", {}, share.toFixed(2))),
	);
	return [make("div", { class: "labels", role: "group", title, "aria-label": title }, ...pills)];
}

function captionOf({ state, focus, tokens, description }: Scene): string {
	if (!description.same_tokens) return "";
	const reads = state.direction === "reads";
	const [token, ...others] = reads ? focus.queries : focus.keys;
	if (token === undefined) return "";
	const more = others.length ? ` and ${others.length} more` : "";
	const name = `“${short(tokens.queries, token)}”${more}`;
	return reads ? `what ${name} ${more ? "read" : "reads"}` : `what reads ${name}`;
}
