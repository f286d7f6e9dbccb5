import type { Description, TextStudy } from "../protocol.gen";
import type { TileSource } from "../source/source";
import { studiesOf } from "../source/studies";

/** What never comes back as it was sent isn't sent for ever. */
const SENT_AT_MOST = 3;

/** The texts that are shown, if they are short enough to be known here. */
export function textsOf({ texts }: Description): readonly string[] | null {
	return texts?.length ? texts : null;
}

/** Whether the model can be given another text. */
export function takesTexts({ texts }: Description): boolean {
	return texts?.length !== 0;
}

/** Another text that a person is about to let the model read; it outlives the page. */
export class TextDraft {
	open = false;
	/** Null where nothing was written. */
	typed: readonly string[] | null = null;
	/** What is empty, and can't be read. */
	wrong = "";
	/** What is waited for, and how often it was sent. */
	sent: TextStudy | null = null;
	#times = 0;

	/**
	 * On a new page: what is shown needs no box any more, and what is still being written stays.
	 *
	 * @returns What is to be sent again: it was given up with the page that another text, or another
	 * unit, took the place of.
	 */
	settle(texts: readonly string[] | null): TextStudy | null {
		const { sent } = this;
		if (!sent) return null;
		if (texts && !isOf(sent, texts)) return this.#times++ < SENT_AT_MOST ? sent : null;
		this.sent = null;
		if (texts && this.typed && !isOf(studyOf(this.typed), texts)) return null;
		this.open = false;
		this.typed = null;
		return null;
	}

	/** Let the model read what is written, if it can. */
	send(source: TileSource): void {
		const typed = this.typed ?? textsOf(source.description) ?? [""];
		const study = studyOf(typed);
		this.wrong = typed.every((text) => text.trim())
			? ""
			: "The text is empty: write what the model is to read.";
		if (this.wrong) return;
		this.sent = study;
		this.#times = 1;
		studiesOf(source).again(study);
	}

	/** Something else was run meanwhile, or it was stopped: it isn't waited for. */
	heed(source: TileSource): void {
		if (this.sent && !studiesOf(source).of(this.sent)) this.sent = null;
	}
}

function studyOf([text = "", pair]: readonly string[]): TextStudy {
	return { of: "text", text, text_pair: pair ?? null };
}

function isOf({ text, text_pair }: TextStudy, [first, second]: readonly string[]): boolean {
	return text === first && text_pair === (second ?? null);
}
