/** Whether the host is dark: by its own word where it has one, else by the ground the widget lies on. */
export function hostIsDark(el: Element): boolean {
	const { body } = document;
	const jupyter = body.dataset.jpThemeLight;
	if (jupyter) return jupyter === "false";
	for (const name of ["vscode-dark", "vscode-high-contrast", "dark"])
		if (body.classList.contains(name)) return true;
	for (const name of ["vscode-light", "light"]) if (body.classList.contains(name)) return false;
	const ground = groundOf(el);
	return ground === null ? matchMedia("(prefers-color-scheme: dark)").matches : ground < 0.5;
}

/** Whether the host names the colour of its ground, for us to lie on. */
export function hostHasGround(el: Element): boolean {
	const style = getComputedStyle(el);
	return ["--jp-layout-color0", "--background"].some((name) => style.getPropertyValue(name) !== "");
}

/** Lightness, 0 to 1, of the nearest painted background behind an element. */
function groundOf(el: Element): number | null {
	for (let at: Element | null = el; at; at = at.parentElement) {
		const [r, g, b, a = 1] = (getComputedStyle(at).backgroundColor.match(/[\d.]+/g) ?? []).map(
			Number,
		);
		if (r !== undefined && g !== undefined && b !== undefined && a > 0.5)
			return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
	}
	return null;
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
