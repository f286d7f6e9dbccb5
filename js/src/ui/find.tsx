import type { Finder } from "../views/find";
import { handled, isEnter, typed } from "./dom";

/** Finds tokens: Enter goes on, Shift+Enter back, Escape clears. */
export function Find({ finder }: { finder: Finder }) {
	const { text, hits, at } = finder;
	const onKeyDown = (event: KeyboardEvent) => {
		if (event.key === "Escape" && text) finder.search("");
		else if (isEnter(event)) finder.step(event.shiftKey ? -1 : 1);
		else {
			typed(event);
			return;
		}
		handled(event);
	};
	return (
		<search class="find">
			<input
				type="search"
				placeholder="find"
				aria-label="find tokens"
				title="find tokens: / comes here, Enter goes on, Shift+Enter back, Escape clears"
				spellcheck={false}
				value={text}
				onInput={(event) => finder.search(event.currentTarget.value)}
				onKeyDown={onKeyDown}
			/>
			<span aria-live="polite">
				{text.trim() && (hits.length ? `${at + 1} of ${hits.length}` : "none")}
			</span>
		</search>
	);
}
