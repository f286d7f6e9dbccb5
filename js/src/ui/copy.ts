import { make } from "./dom";

/** Where the page may not write to the clipboard, as on plain http, by the browser's own command. */
export async function copyText(text: string, root: HTMLElement): Promise<void> {
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		const area = make("textarea", { "aria-label": "what is copied" });
		area.value = text;
		root.append(area);
		area.select();
		const copied = document.execCommand("copy");
		area.remove();
		if (!copied) throw new Error("the browser allows no copying here.");
	}
}
