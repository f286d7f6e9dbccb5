import type { Reduction } from "../protocol.gen";
import { make, setText } from "../ui/dom";
import { pooledText } from "../ui/words";
import type { Actions } from "./view";

/** The line below a picture that says what was done to it, and lets a pooled cell mean the other thing. */
export interface Remark {
	readonly el: HTMLElement;
	/** `cell` is what one cell holds where cells are pooled, else "". */
	say(pooling: Reduction, cell: string, more: readonly string[]): void;
}

export function remarkLine(actions: Actions, signal: AbortSignal): Remark {
	const button = make("button", { type: "button", class: "quiet" });
	const rest = make("span");
	let pooling: Reduction = "max";
	const other = () => (pooling === "max" ? "mean" : "max");
	button.addEventListener("click", () => actions.set("pooling", other()), { signal });
	return {
		el: make("div", { class: "remark muted" }, rest),
		say(now, cell, more) {
			pooling = now;
			if (cell === "") button.remove();
			else if (!button.isConnected) rest.before(button);
			setText(button, pooledText(now));
			button.title = `a cell shows its ${now === "max" ? "largest" : "mean"} weight: click for the ${other()}`;
			const pooled = cell ? [`1 cell = ${cell}`] : [];
			setText(rest, [...pooled, ...more].join(" · "));
		},
	};
}
