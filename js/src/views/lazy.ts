import { partOf } from "../part";
import type { ViewName } from "../protocol.gen";
import type { PartName } from "../source/source";
import { make } from "../ui/dom";
import { VIEW_LABELS } from "../ui/words";
import type { ExtraView, Parts, View } from "./view";

type ViewPart = PartName & ViewName;

/** A view whose code comes from the kernel when it is opened first: it needs a kernel anyway. */
export function lazyView(name: ViewPart, parts: Parts): View {
	const { kept, source, actions, signal } = parts;
	const el = make("section", { class: `pane ${name}`, "aria-label": `${name} view` });
	const label = VIEW_LABELS[name].toLowerCase();
	let view: View | undefined;

	function mount(part: ExtraView): void {
		if (signal.aborted) return;
		kept.parts.set(name, part);
		const style = document.createElement("style");
		style.textContent = part.css;
		view = part.mount(parts);
		settle(style, view.el);
	}

	function say(text: string): void {
		const again = make("button", { type: "button", class: "quiet" }, "try again");
		again.addEventListener("click", load, { signal });
		settle(make("p", { class: "muted", role: "alert" }, text, " ", again));
	}

	function settle(...children: Node[]): void {
		el.replaceChildren(...children);
		el.ariaBusy = "false";
		actions.redraw();
	}

	function load(): void {
		el.ariaBusy = "true";
		el.replaceChildren(make("p", { class: "muted" }, `opening the ${label} view …`));
		partOf<ExtraView>(source, name)
			.then(mount)
			.catch((error: Error) => {
				if (!signal.aborted) say(`The ${label} view can’t be opened: ${error.message}`);
			});
	}

	return {
		el,
		measure: () => view?.measure(),
		update(scene) {
			const known = kept.parts.get(name);
			if (!view && known) mount(known);
			else if (!view && !el.ariaBusy) load();
			view?.update(scene);
		},
	};
}
