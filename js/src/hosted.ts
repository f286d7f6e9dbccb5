import type { AnyModel, InitializeProps, RenderProps } from "@anywidget/types";
import { mountExplorer } from "./explorer";
import type { ViewState } from "./protocol.gen";
import { modelOf } from "./source/host";
import { KernelSource } from "./source/kernel";
import { Store } from "./store";
import { Kept } from "./ui/kept";
import { keepKeys } from "./ui/keys";
import type { ExtraView } from "./views/view";

/** A signal of our own that also ends with the host's; older hosts give none. */
export function lifetime(host: AbortSignal | undefined): AbortController {
	const controller = new AbortController();
	host?.addEventListener("abort", () => controller.abort(), { signal: controller.signal });
	return controller;
}

function openSource(model: AnyModel<ViewState>, signal: AbortSignal): KernelSource {
	const source = new KernelSource(model.get("_description"), model.get("_snapshot"), signal);
	// Not awaited: a model that isn't ready within two seconds silently never gets updates.
	source.connect(modelOf(model, model.get("_source")));
	return source;
}

/** Run `start` now, and anew whenever something else is shown; what it started ends before. */
function forEachShown(
	model: AnyModel<ViewState>,
	signal: AbortSignal,
	start: (shown: string, life: AbortSignal) => void,
): void {
	let shown: string | undefined;
	let life = new AbortController();
	const update = () => {
		const next = model.get("_description").shown;
		if (next === shown || signal.aborted) return;
		shown = next;
		life.abort();
		life = lifetime(signal);
		start(next, life.signal);
	};
	model.on("change:_description", update);
	signal.addEventListener("abort", () => model.off("change:_description", update));
	update();
}

/** What an anywidget's module is to export; some explorers have a view more, `extra`. */
export const hosted = (extra: ExtraView | null) => () => {
	// One source a model and what is shown of it, however many views; by name, as hosts wrap the model for each call.
	const sources = new Map<string, KernelSource>();
	const nameOf = (model: AnyModel<ViewState>, shown: string) => `${model.get("_uuid")} ${shown}`;
	return {
		initialize({ model, signal }: InitializeProps<ViewState>) {
			const life = lifetime(signal);
			forEachShown(model, life.signal, (shown, ends) => {
				const name = nameOf(model, shown);
				sources.set(name, openSource(model, ends));
				ends.addEventListener("abort", () => sources.delete(name));
			});
			return () => life.abort();
		},
		render({ model, el, signal }: RenderProps<ViewState>) {
			const life = lifetime(signal);
			const kept = new Kept();
			forEachShown(model, life.signal, (shown, ends) => {
				const source = sources.get(nameOf(model, shown)) ?? openSource(model, ends);
				// A shadow root of its own keeps the styles in, and the page's out, in every host.
				const host = document.createElement("div");
				el.append(host);
				keepKeys(host, ends);
				mountExplorer(host, new Store(model, ends, kept.history), source, kept, extra, ends);
				ends.addEventListener("abort", () => host.remove());
			});
			return () => life.abort();
		},
	};
};
