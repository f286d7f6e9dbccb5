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
	for (let at: Element | null = el; at; at = parentOf(at)) {
		const [r, g, b, a] = bytesOf(getComputedStyle(at).backgroundColor);
		if (a > 127) return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
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
