import type { AnyModel, InitializeProps, RenderProps } from "@anywidget/types";
import { mountExplorer } from "./explorer";
import type { ViewState } from "./protocol.gen";
import { KernelSource } from "./source/kernel";
import { Store } from "./store";

const MODEL_REFERENCE = "IPY_MODEL_";

/** A signal of our own that also ends with the host's; older hosts give none. */
function lifetime(host: AbortSignal | undefined): AbortController {
	const controller = new AbortController();
	host?.addEventListener("abort", () => controller.abort());
	return controller;
}

function openSource(model: AnyModel<ViewState>, signal: AbortSignal): KernelSource {
	const source = new KernelSource(model.get("_description"), model.get("_snapshot"), signal);
	// Not awaited: a model that isn't ready within two seconds silently never gets updates.
	const reference = model.get("_source").slice(MODEL_REFERENCE.length);
	source.connect(Promise.resolve(model.widget_manager.get_model(reference)));
	return source;
}

export default () => {
	// One source a model, however many views; by name, as hosts wrap the model anew for each call.
	const sources = new Map<string, KernelSource>();
	return {
		initialize({ model, signal }: InitializeProps<ViewState>) {
			const life = lifetime(signal);
			const name = model.get("_uuid");
			sources.set(name, openSource(model, life.signal));
			life.signal.addEventListener("abort", () => sources.delete(name));
			return () => life.abort();
		},
		render({ model, el, signal }: RenderProps<ViewState>) {
			const life = lifetime(signal);
			const source = sources.get(model.get("_uuid")) ?? openSource(model, life.signal);
			// A shadow root of its own keeps the styles in, and the page's out, in every host.
			const host = document.createElement("div");
			el.append(host);
			mountExplorer(host, new Store(model, life.signal), source, life.signal);
			life.signal.addEventListener("abort", () => host.remove());
			return () => life.abort();
		},
	};
};
