import type { AnyModel } from "@anywidget/types";

/** Lumino's signal, as far as it is used here. */
interface LuminoSignal<T> {
	connect(slot: (sender: unknown, args: T) => void): void;
	disconnect(slot: (sender: unknown, args: T) => void): void;
}

/** What Jupyter hosts have beyond the anywidget contract; every part may be missing elsewhere. */
interface JupyterModel extends AnyModel {
	readonly comm_live?: boolean;
	readonly widget_manager: AnyModel["widget_manager"] & {
		readonly kernel?: {
			readonly statusChanged?: LuminoSignal<string>;
			/** The connection's end: a kernel that was shut down says nothing else. */
			readonly disposed?: LuminoSignal<unknown>;
		} | null;
	};
}

const REFERENCE = "IPY_MODEL_";

/** The model that a trait of another one refers to. */
export function modelOf(
	view: Pick<AnyModel, "widget_manager">,
	reference: string,
): Promise<AnyModel> {
	return Promise.resolve(view.widget_manager.get_model(reference.slice(REFERENCE.length)));
}

const LOST = new Set(["restarting", "autorestarting", "dead", "terminating"]);

/** Call `lost` once when the host knows that the kernel behind `model` is gone. */
export function onKernelLost(model: AnyModel, lost: () => void, signal: AbortSignal): void {
	const jupyter = model as JupyterModel;
	if (jupyter.comm_live === false) {
		lost();
		return;
	}
	const onComm = () => {
		if (jupyter.comm_live === false) lost();
	};
	model.on("comm_live_update", onComm);
	signal.addEventListener("abort", () => model.off("comm_live_update", onComm));
	const { statusChanged, disposed } = jupyter.widget_manager?.kernel ?? {};
	const onStatus = (_: unknown, status: string) => {
		if (LOST.has(status)) lost();
	};
	const onEnd = () => lost();
	statusChanged?.connect(onStatus);
	disposed?.connect(onEnd);
	signal.addEventListener("abort", () => {
		statusChanged?.disconnect(onStatus);
		disposed?.disconnect(onEnd);
	});
}
