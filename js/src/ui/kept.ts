import { History } from "../history";
import type { Taker } from "../picture";
import type { SpanKey } from "../protocol.gen";
import type { PartName } from "../source/source";
import type { ExtraView } from "../views/view";

const CONTROLS = "button, select, input, summary";
const MENUS = ".menu";
const SCROLLED = ".tokens, .scroll, .map";

/**
 * What a page hands to the one that takes its place when something else is shown, so that a person
 * goes on where they were.
 */
export class Kept {
	readonly history = new History();
	find = "";
	/** The cells that the next page's matrix opens at. */
	block: SpanKey | null = null;
	/** What a view that only some explorers have hands over. */
	extra: unknown;
	/** Parts of the renderer that were opened, and what each hands over. */
	readonly parts = new Map<PartName, ExtraView>();
	/** What draws pictures and writes numbers, once something was to be taken away. */
	taker: Taker | undefined;
	readonly ofPart = new Map<PartName, unknown>();
	#focused = "";
	#open: readonly boolean[] = [];
	#height = 0;
	#scrolled: readonly number[] = [];

	/** Note how a page is left. */
	take(shadow: ShadowRoot, root: HTMLElement): void {
		const { activeElement } = shadow;
		this.#focused = activeElement?.matches(CONTROLS) ? nameOf(activeElement) : "";
		this.#open = [...root.querySelectorAll<HTMLDetailsElement>(MENUS)].map((menu) => menu.open);
		this.#height = root.offsetHeight;
		this.#scrolled = [...root.querySelectorAll(SCROLLED)].map(
			(el) => el.scrollTop / el.scrollHeight,
		);
	}

	/** Before anything is drawn: the notebook below stays where it is. */
	hold(root: HTMLElement): void {
		root.style.minHeight = `${this.#height}px`;
	}

	/** The controls are there. */
	focus(root: HTMLElement): void {
		for (const [i, menu] of root.querySelectorAll<HTMLDetailsElement>(MENUS).entries())
			if (this.#open[i]) menu.open = true;
		this.#open = [];
		const controls = this.#focused ? [...root.querySelectorAll<HTMLElement>(CONTROLS)] : [];
		controls.find((el) => nameOf(el) === this.#focused)?.focus({ preventScroll: true });
		this.#focused = "";
	}

	/** All is there. */
	release(root: HTMLElement): void {
		if (!this.#height) return;
		for (const [i, el] of root.querySelectorAll(SCROLLED).entries())
			if (!el.scrollTop) el.scrollTop = (this.#scrolled[i] ?? 0) * el.scrollHeight;
		root.style.minHeight = "";
		this.#height = 0;
	}
}

function nameOf(el: Element): string {
	// The number of hidden keys in a name is another one in the next page.
	return (el.ariaLabel || el.textContent || "").replace(/^hide \d+, hidden/, "hide");
}
