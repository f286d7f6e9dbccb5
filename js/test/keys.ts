import { userEvent } from "vitest/browser";
import { frame } from "./events";
import type { Shown } from "./host";

export const focused = (view: Shown) => view.root.activeElement as HTMLElement | null;
export const nameOf = (el: Element | null) => el?.ariaLabel || el?.textContent?.trim() || "";

export async function keys(...names: string[]): Promise<void> {
	for (const name of names) {
		await userEvent.keyboard(name);
		await frame();
	}
}

/** Press Tab until the focus is on what is named so. */
export async function tabTo(view: Shown, name: RegExp): Promise<HTMLElement> {
	const walked: string[] = [];
	for (let i = 0; i < 80; i++) {
		await userEvent.tab();
		const el = focused(view);
		if (el && name.test(nameOf(el))) return el;
		walked.push(nameOf(el));
	}
	throw new Error(`Tab never came to ${name}, but to ${walked.join(" | ")}`);
}

/** All that Tab comes to, from the first control to the last. */
export async function walk(view: Shown): Promise<HTMLElement[]> {
	const found: HTMLElement[] = [];
	for (let i = 0; i < 120; i++) {
		await userEvent.tab();
		const el = focused(view);
		if (!el || el === found[0]) break;
		found.push(el);
	}
	return found;
}
