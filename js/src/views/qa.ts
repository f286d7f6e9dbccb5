import type { QaInfo } from "../protocol.gen";
import { make } from "../ui/dom";
import type { View } from "./view";

/** A question and the text that it is asked about: what is answered, and what the question reads there. */
export function qaView(_qa: QaInfo): View {
	const el = make("section", { class: "qa", "aria-label": "qa view" });
	return { el, measure: () => {}, update: () => {} };
}
