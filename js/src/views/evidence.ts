import { make } from "../ui/dom";
import type { Parts, View } from "./view";

/** Which head does what, and whether it matters. */
export function evidenceView(_parts: Parts): View {
	const el = make("div", { class: "studies" });
	return { el, measure() {}, update() {} };
}
