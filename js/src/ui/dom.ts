import { density, noteLetters } from "../draw/noted";
import { EDITS } from "./keys";

/** Make an element with properties and children; children that are strings become text, never HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
	tag: K,
	attributes: Readonly<Record<string, string | number>> = {},
	...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
	const el = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, String(value));
	el.append(...children);
	return el;
}

/**
 * Lay a button over what can be pressed: a picture that is taken away leaves buttons out, but not what
 * is under them.
 */
export function pressable(el: HTMLElement, press: (event: MouseEvent) => void): HTMLButtonElement {
	const button = make("button", { type: "button", class: "over" });
	button.addEventListener("click", press);
	el.append(button);
	return button;
}

/** Change an element's text where it differs: the same text again would lay the page out anew. */
export function setText(el: Element, text: string): void {
	if (el.textContent !== text) el.textContent = text;
}

/** Change an element's accessible name where it differs. */
export function setName(el: Element, name: string): void {
	if (el.ariaLabel !== name) el.ariaLabel = name;
}

/** Keep a key from the host: JupyterLab in command mode would run `d d` on a focused widget. */
export function handled(event: Event): void {
	event.preventDefault();
	event.stopPropagation();
}

/** Shift+Enter runs a cell, Ctrl+arrow moves elsewhere: with a modifier a key is the host's. */
export function withModifier({ ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean {
	return ctrlKey || metaKey || altKey || shiftKey;
}

/** Enter alone or with Shift, which pins with what is pinned. */
export function isEnter({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
	return key === "Enter" && !(ctrlKey || metaKey || altKey);
}

const TAKES_KEYS = "select, input, textarea";

/** Whether a field, a button or a dropdown does something of its own with a key. */
export function isNative({ target, key }: KeyboardEvent): boolean {
	if ((target as Element).matches(TAKES_KEYS)) return key !== "Tab" && !/^F\d/.test(key);
	return (target as Element).matches("button, summary") && (key === "Enter" || key === " ");
}

/** Keep what is typed into a field from the page and the host; what edits nothing is theirs. */
export function typed(event: KeyboardEvent): void {
	const isHosts = (event.ctrlKey || event.metaKey) && !EDITS.test(event.key);
	if (event.key !== "Escape" && !isHosts && isNative(event)) event.stopPropagation();
}

/** Give a canvas the pixels of its CSS size on this screen; returns its context in CSS pixels. */
export function fitCanvas(
	canvas: HTMLCanvasElement,
	width: number,
	height: number,
): CanvasRenderingContext2D {
	const each = density();
	const pixels = [Math.round(width * each), Math.round(height * each)] as const;
	if (canvas.width !== pixels[0]) canvas.width = pixels[0];
	if (canvas.height !== pixels[1]) canvas.height = pixels[1];
	canvas.style.width = `${width}px`;
	canvas.style.height = `${height}px`;
	const context = canvas.getContext("2d");
	if (!context) throw new Error("This browser has no 2D canvas.");
	context.setTransform(each, 0, 0, each, 0, 0);
	context.clearRect(0, 0, width, height);
	noteLetters(canvas, context);
	return context;
}
