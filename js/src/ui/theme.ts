import { type Palette, palette } from "../draw/colour";
import type { Theme } from "../protocol.gen";

export const PALETTES = { light: palette(false), dark: palette(true) };

/** What a view is drawn in: the theme that was chosen for it, or its host's. */
export function dressOf(host: Element) {
	// To find it out, styles of all elements around are computed: not in every frame.
	let found: { dark: boolean; ground: string | null } | null = null;
	return {
		/** The host may have changed its own. */
		forget() {
			found = null;
		},
		/** Put it on a view, and return its colours. */
		put(root: HTMLElement, theme: Theme): Palette {
			found ??= { dark: hostIsDark(host), ground: hostGround(host) };
			const dark = theme === "auto" ? found.dark : theme === "dark";
			// Of the host's theme it lies on the host's ground, else on its own.
			const ground = dark === found.dark ? found.ground : null;
			root.style.setProperty("--ground", ground ?? (dark ? "#141417" : "#fff"));
			root.dataset.theme = dark ? "dark" : "light";
			return PALETTES[dark ? "dark" : "light"];
		},
	};
}

/** Whether the host is dark: by its own word where it has one, else by the ground the widget lies on. */
export function hostIsDark(el: Element): boolean {
	const { body } = document;
	const jupyter = body.dataset.jpThemeLight;
	if (jupyter) return jupyter === "false";
	for (const name of ["vscode-dark", "vscode-high-contrast", "dark"])
		if (body.classList.contains(name)) return true;
	for (const name of ["vscode-light", "light"]) if (body.classList.contains(name)) return false;
	const ground = hostGround(el);
	if (ground === null) return matchMedia("(prefers-color-scheme: dark)").matches;
	const [r, g, b] = bytesOf(ground);
	return 0.299 * r + 0.587 * g + 0.114 * b < 127.5;
}

/** The colour of the ground that an element lies on, where any is painted. */
function hostGround(el: Element): string | null {
	for (let at: Element | null = el; at; at = parentOf(at)) {
		const colour = getComputedStyle(at).backgroundColor;
		if (bytesOf(colour)[3] > 127) return colour;
	}
	return null;
}

function parentOf(el: Element): Element | null {
	const root = el.getRootNode();
	return el.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}

/** A computed colour as sRGB bytes; one in another space, such as oklch(), by painting it. */
function bytesOf(colour: string): readonly [number, number, number, number] {
	if (colour.startsWith("rgb")) {
		const [r = 0, g = 0, b = 0, a = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
		return [r, g, b, a * 255];
	}
	const context = new OffscreenCanvas(1, 1).getContext("2d");
	if (!context) return [0, 0, 0, 0];
	context.fillStyle = colour;
	context.fillRect(0, 0, 1, 1);
	const [r = 0, g = 0, b = 0, a = 0] = context.getImageData(0, 0, 1, 1).data;
	return [r, g, b, a];
}

/** Call `changed` when the host may have changed its theme. */
export function onHostTheme(changed: () => void, signal: AbortSignal): void {
	const observer = new MutationObserver(changed);
	const options = { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-light"] };
	observer.observe(document.body, options);
	observer.observe(document.documentElement, options);
	signal.addEventListener("abort", () => observer.disconnect());
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed, { signal });
}
