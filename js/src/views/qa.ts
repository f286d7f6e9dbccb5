import { make } from "../ui/dom";
import type { Parts, View } from "./view";

/** A question and the text that it is asked about: what is answered, and what the question reads there. */
export function qaView({ store }: Parts): View {
	const el = make("section", { class: "qa", "aria-label": "qa view" }, store.qa?.question ?? "");
	return { el, measure: () => {}, update: () => {} };
}
