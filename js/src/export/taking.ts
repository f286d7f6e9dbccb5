import type { Taker } from "../picture";
import type { ViewName } from "../protocol.gen";
import type { Reading, Scene } from "../scene";
import { make } from "../ui/dom";

export const FORMATS = ["PNG", "SVG"] as const;
export type Format = (typeof FORMATS)[number];

/** What the page gives of what it shows. */
export interface Page {
	/** Where what can't be taken away is said. */
	failed(message: string, error: unknown): void;
	redraw(): void;
	readonly root: HTMLElement;
	/** What draws pictures and writes numbers, once it is here. */
	taker(): Promise<Taker>;
	picture(view: ViewName, taker: Taker): { readonly drawing: SVGElement; readonly name: string };
	/** The row that was looked at last, where its numbers are exact. */
	row(): { readonly reading: Reading; readonly scene: Scene } | undefined;
}

/** Brings views into files and numbers to the clipboard, and says so. */
export class Taking {
	/** While the menu is open, what it offers is kept ready. */
	open = false;
	said = "";
	/** What was saved last: where the page around forbids downloads, it can be opened by hand. */
	saved: { readonly url: string; readonly name: string } | null = null;
	readonly #page: Page;
	readonly #signal: AbortSignal;

	constructor(page: Page, signal: AbortSignal) {
		this.#page = page;
		this.#signal = signal;
		signal.addEventListener("abort", () => this.hush());
		page.root.addEventListener("pointerdown", ({ target }) => {
			if (!this.said || (target as Element).closest(".take")) return;
			this.hush();
			page.redraw();
		});
	}

	/** The menu was opened or closed: what it takes is fetched meanwhile. */
	opened(open: boolean): void {
		this.open = open;
		if (!open) return;
		this.hush();
		// What goes wrong is said when something is taken.
		this.#page.taker().catch(() => {});
	}

	async save(view: ViewName, format: Format): Promise<void> {
		await this.#tried(`The ${view} view could not be saved as ${format}`, async () => {
			const taker = await this.#page.taker();
			// Meanwhile another page may have taken the place of this one.
			if (this.#signal.aborted) return;
			const { drawing, name } = this.#page.picture(view, taker);
			const blob = await taker.fileOf(drawing, format);
			this.saved = { url: URL.createObjectURL(blob), name: `${name}.${format.toLowerCase()}` };
			const link = make("a", { href: this.saved.url, download: this.saved.name });
			this.#page.root.append(link);
			link.click();
			link.remove();
			this.said = "saved as ";
		});
	}

	async copy(): Promise<void> {
		await this.#tried("The numbers could not be copied", async () => {
			const row = this.#page.row();
			if (!row) throw new Error("No row is looked at: hover or pin a token first.");
			const { copyText, numbersOf } = await this.#page.taker();
			const { text, count, of } = numbersOf(row.reading, row.scene);
			await copyText(text, this.#page.root);
			this.said = `copied ${count} numbers: what ${of} reads`;
		});
	}

	/** Say nothing more of what was taken away. */
	hush(): void {
		if (this.saved) URL.revokeObjectURL(this.saved.url);
		this.saved = null;
		this.said = "";
	}

	async #tried(message: string, run: () => Promise<void>): Promise<void> {
		this.hush();
		try {
			await run();
		} catch (error) {
			const why = error instanceof Error ? error.message : String(error);
			this.#page.failed(`${message}: ${why}`, error);
		}
		this.#page.redraw();
	}
}
