/** Wait until the browser has drawn what was asked for so far: callbacks run in their order. */
export function frame(): Promise<void> {
	return new Promise((done) => {
		requestAnimationFrame(() => done());
	});
}

const CROSSING = { bubbles: true, composed: true, cancelable: true };

/** Move the pointer onto an element. */
export async function hover(el: Element): Promise<void> {
	el.dispatchEvent(new PointerEvent("pointerover", CROSSING));
	await frame();
}

/** Move the pointer to a place in an element, in CSS pixels from its corner. */
export async function hoverAt(el: Element, x: number, y: number): Promise<void> {
	el.dispatchEvent(new PointerEvent("pointermove", { ...CROSSING, ...placeIn(el, x, y) }));
	await frame();
}

export async function clickAt(
	el: Element,
	x: number,
	y: number,
	modifiers: MouseEventInit = {},
): Promise<void> {
	el.dispatchEvent(new MouseEvent("click", { ...CROSSING, ...placeIn(el, x, y), ...modifiers }));
	await frame();
}

/**
 * Press on one place of an element, move to another and let go.
 *
 * By events of our own, as everywhere here: a real pointer would rest where it was left, over whatever
 * the next test shows there.
 */
export async function drag(
	el: HTMLElement,
	from: readonly [number, number],
	to: readonly [number, number],
): Promise<void> {
	// Only a real pointer can be captured.
	el.setPointerCapture = () => {};
	const press = { ...CROSSING, buttons: 1 };
	el.dispatchEvent(new PointerEvent("pointerdown", { ...press, ...placeIn(el, ...from) }));
	el.dispatchEvent(new PointerEvent("pointermove", { ...press, ...placeIn(el, ...to) }));
	el.dispatchEvent(new PointerEvent("pointerup", { ...CROSSING, ...placeIn(el, ...to) }));
	await clickAt(el, ...to);
}

function placeIn(el: Element, x: number, y: number) {
	const box = el.getBoundingClientRect();
	return { clientX: box.left + x, clientY: box.top + y };
}

export async function leave(el: Element): Promise<void> {
	el.dispatchEvent(new PointerEvent("pointerleave", { composed: true }));
	await frame();
}

export async function click(el: HTMLElement): Promise<void> {
	el.click();
	await frame();
}

/** As browsers tell a double click: two clicks first. */
export async function doubleClick(el: HTMLElement): Promise<void> {
	el.click();
	el.click();
	el.dispatchEvent(new MouseEvent("dblclick", CROSSING));
	await frame();
}

/** Choose an option as a person does; the value must be offered. */
export async function choose(select: HTMLSelectElement, value: string): Promise<void> {
	select.value = value;
	if (select.value !== value) throw new Error(`the select offers no ${value}`);
	select.dispatchEvent(new Event("change", { bubbles: true }));
	await frame();
}

/** Press a key on an element; returns whether the page around the widget saw it. */
export async function press(
	el: Element,
	key: string,
	modifiers: KeyboardEventInit = {},
): Promise<boolean> {
	let seen = false;
	const listener = () => {
		seen = true;
	};
	document.addEventListener("keydown", listener);
	el.dispatchEvent(new KeyboardEvent("keydown", { ...CROSSING, key, ...modifiers }));
	document.removeEventListener("keydown", listener);
	await frame();
	return seen;
}
