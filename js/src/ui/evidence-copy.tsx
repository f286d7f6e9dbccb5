import type { Case } from "../views/evidence-case";
import { copyText } from "./copy";

/** The same as a person would write it; where the clipboard is closed, to be copied by hand. */
export function Copy({ now: { draft, change }, text }: { now: Case; text: string }) {
	if (!text) return null;
	const copy = async ({ currentTarget }: { readonly currentTarget: HTMLElement }) => {
		const root = currentTarget.parentElement as HTMLElement;
		try {
			await copyText(text, root);
			change({ copied: "copied" });
		} catch {
			change({ copied: null });
		}
	};
	return (
		<div class="acts">
			<button type="button" name="copy" class="quiet" onClick={copy}>
				copy as Python
			</button>
			<span class="muted" role="status">
				{draft.copied ?? "the browser allows no copying here: copy it by hand"}
			</span>
			{draft.copied === null && <textarea readOnly rows={8} aria-label="as Python" value={text} />}
		</div>
	);
}
