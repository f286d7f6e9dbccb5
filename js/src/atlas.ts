import type { InitializeProps, RenderProps } from "@anywidget/types";
import { mountAtlas } from "./atlas/page";
import type { AtlasState } from "./atlas/protocol.gen";
import { AtlasSource } from "./atlas/source";
import { AtlasStore } from "./atlas/store";
import { lifetime } from "./hosted";
import { keepKeys } from "./ui/keys";

/** Atlases have a module of their own, which draws the explorer of an opened text too. */
export default () => {
	// One source a model, however many views; by name, as hosts wrap the model for each call.
	const sources = new Map<string, AtlasSource>();
	return {
		initialize({ model, signal }: InitializeProps<AtlasState>) {
			const life = lifetime(signal);
			const name = model.get("_uuid");
			sources.set(name, new AtlasSource(model, life.signal));
			life.signal.addEventListener("abort", () => sources.delete(name));
			return () => life.abort();
		},
		render({ model, el, signal }: RenderProps<AtlasState>) {
			const life = lifetime(signal);
			const source = sources.get(model.get("_uuid")) ?? new AtlasSource(model, life.signal);
			const host = document.createElement("div");
			el.append(host);
			keepKeys(host, life.signal);
			mountAtlas(host, new AtlasStore(model), source, life.signal);
			life.signal.addEventListener("abort", () => host.remove());
			return () => life.abort();
		},
	};
};
