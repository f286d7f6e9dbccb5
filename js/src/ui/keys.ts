/** What editing takes of the keys that are otherwise the host's. */
export const EDITS = /^[acvxyz]$/i;

/**
 * Keep the keys of an explorer from a host that takes them on their way down, as Notebook 7 does: by
 * then nothing within could stop them, and `d d` would delete the cell.
 */
export function keepKeys(host: Element, signal: AbortSignal): void {
	const keep = (event: KeyboardEvent) =>
		host.toggleAttribute("data-lm-suppress-shortcuts", isOurs(event));
	addEventListener("keydown", keep, { capture: true, signal });
}

/** Saving is the notebook's, and running a cell, but where these keys pin a token or send a text. */
function isOurs(event: KeyboardEvent): boolean {
	const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
	const isCommand = ctrlKey || metaKey;
	if (key === "Enter" && (isCommand || altKey || shiftKey))
		return (event.composedPath()[0] as Element).matches("[role], textarea");
	return !altKey && (!isCommand || EDITS.test(key));
}
