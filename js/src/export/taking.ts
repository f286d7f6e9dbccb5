import { TAKEN_DENSITY } from "../draw/noted";
import type { ViewName } from "../protocol.gen";
import { copyText, make } from "../ui/dom";
import type { Numbers } from "./numbers";

export const FORMATS = ["PNG", "SVG"] as const;
export type Format = (typeof FORMATS)[number];

/** What the page gives: a drawing of a view, and the numbers of the row that was looked at last. */
export interface Page {
	/** Where what can't be taken away is said. */
	failed(message: string, error: unknown): void;
	redraw(): void;
	readonly root: HTMLElement;
	picture(view: ViewName): { readonly drawing: SVGElement; readonly name: string };
	numbers(): Numbers | undefined;
}

/** Brings views into files and numbers to the clipboard, and says so. */
export class Taking {
	/** While the menu is open, what it offers is kept ready. */
	open = false;
	said = "";
	/** What was saved last: where the page around forbids downloads, it can be opened by hand. */
	saved: { readonly url: string; readonly name: string } | null = null;
	readonly #page: Page;

	constructor(page: Page, signal: AbortSignal) {
		this.#page = page;
		signal.addEventListener("abort", () => this.hush());
		page.root.addEventListener("pointerdown", ({ target }) => {
			if (!this.said || (target as Element).closest(".take")) return;
			this.hush();
			page.redraw();
		});
	}

	async save(view: ViewName, format: Format): Promise<void> {
		await this.#tried(`The ${view} view could not be saved as ${format}`, async () => {
			const { drawing, name } = this.#page.picture(view);
			const blob = await (format === "SVG" ? svgFile(drawing) : pngFile(drawing));
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
			const numbers = this.#page.numbers();
			if (!numbers) throw new Error("No row is looked at: hover or pin a token first.");
			await copyText(numbers.text, this.#page.root);
			this.said = `copied ${numbers.count} numbers`;
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

function textOf(drawing: SVGElement): string {
	return new XMLSerializer().serializeToString(drawing);
}

function svgFile(drawing: SVGElement): Blob {
	return new Blob([textOf(drawing)], { type: "image/svg+xml" });
}

async function pngFile(drawing: SVGElement): Promise<Blob> {
	const image = new Image();
	image.src = `data:image/svg+xml,${encodeURIComponent(textOf(drawing))}`;
	await image.decode();
	const size = [image.width * TAKEN_DENSITY, image.height * TAKEN_DENSITY] as const;
	const canvas = new OffscreenCanvas(...size);
	canvas.getContext("2d")?.drawImage(image, 0, 0, ...size);
	return canvas.convertToBlob();
}
