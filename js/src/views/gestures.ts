import type { Pointer } from "../protocol.gen";
import { handled, make } from "../ui/dom";
import type { Actions } from "./view";

/** How far an arrow key goes, down and to the right. */
export const ARROWS: Readonly<Record<string, readonly [down: number, right: number]>> = {
	ArrowDown: [1, 0],
	ArrowUp: [-1, 0],
	ArrowRight: [0, 1],
	ArrowLeft: [0, -1],
};

const BUTTON_STEP = 1.5;

/** Buttons that zoom by a factor; 0 stands for the whole. */
export function zoomButtons(
	zoom: (factor: number) => void,
	whole: string,
	signal: AbortSignal,
): HTMLElement {
	const buttons = [
		["−", "zoom out", 1 / BUTTON_STEP],
		["+", "zoom in", BUTTON_STEP],
		["whole", `show ${whole}`, 0],
	] as const;
	return make(
		"span",
		{ class: "zooms" },
		...buttons.map(([sign, name, factor]) => {
			const button = make("button", { type: "button", "aria-label": name, title: name }, sign);
			button.addEventListener("click", () => zoom(factor), { signal });
			return button;
		}),
	);
}

/** What zooming by a key does: a factor, 0 for the whole; undefined for other keys. */
export function zoomOfKey(key: string): number | undefined {
	// + needs Shift on most keyboards.
	if (key === "+" || key === "=") return BUTTON_STEP;
	if (key === "-") return 1 / BUTTON_STEP;
	return key === "0" ? 0 : undefined;
}

/** What a person does to a picture that can be zoomed, in CSS pixels from its upper left corner. */
export interface Gestures {
	hover(x: number, y: number): void;
	leave(): void;
	click(x: number, y: number, also: boolean): void;
	pan(dx: number, dy: number): void;
	zoom(x: number, y: number, factor: number): void;
}

/** A press that moves further than this is a drag, and no click. */
const DRAG_FROM = 4;
const WHEEL_STEP = 0.0016;

/** Listen for pointer and wheel; the wheel zooms only a picture that was clicked, else the page scrolls. */
export function onGestures(el: HTMLElement, act: Gestures, signal: AbortSignal): void {
	let press: { x: number; y: number; moved: boolean } | null = null;
	const at = (event: MouseEvent): readonly [number, number] => {
		const box = el.getBoundingClientRect();
		return [event.clientX - box.left, event.clientY - box.top];
	};
	const options = { signal };
	el.addEventListener(
		"pointerdown",
		(event) => {
			if (event.button === 0) press = { x: event.clientX, y: event.clientY, moved: false };
		},
		options,
	);
	el.addEventListener(
		"pointermove",
		(event) => {
			if (!press || event.buttons === 0) {
				act.hover(...at(event));
				return;
			}
			const [dx, dy] = [event.clientX - press.x, event.clientY - press.y];
			if (!press.moved && Math.hypot(dx, dy) < DRAG_FROM) return;
			if (!press.moved) el.setPointerCapture(event.pointerId);
			act.pan(dx, dy);
			press = { x: event.clientX, y: event.clientY, moved: true };
		},
		options,
	);
	el.addEventListener(
		"click",
		(event) => {
			if (!press?.moved) act.click(...at(event), event.shiftKey);
			press = null;
		},
		options,
	);
	el.addEventListener("pointerleave", () => act.leave(), options);
	el.addEventListener(
		"wheel",
		(event) => {
			// A pinch on a touchpad arrives as a wheel with Ctrl.
			const focused = (el.getRootNode() as ShadowRoot | Document).activeElement === el;
			if (!focused && !event.ctrlKey) return;
			handled(event);
			const speed = event.ctrlKey ? 6 : 1;
			act.zoom(...at(event), Math.exp(-event.deltaY * WHEEL_STEP * speed));
		},
		{ signal, passive: false },
	);
}

/** What is under the pointer is looked at, and pinned by a click. */
export function onPointing(
	el: HTMLElement,
	pointerAt: (x: number, y: number) => Pointer | null,
	as: "token" | "cell",
	actions: Actions,
	signal: AbortSignal,
): void {
	const at = (event: MouseEvent) => {
		const { left, top } = el.getBoundingClientRect();
		return pointerAt(event.clientX - left, event.clientY - top);
	};
	el.addEventListener("pointermove", (event) => actions.hover(at(event), as), { signal });
	el.addEventListener("pointerleave", () => actions.hover(null, as), { signal });
	el.addEventListener(
		"click",
		(event) => {
			const pointer = at(event);
			if (pointer) actions.pin(pointer, event.shiftKey);
		},
		{ signal },
	);
}
