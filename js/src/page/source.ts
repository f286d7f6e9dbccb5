import type { RecordedPage, RecordedVariant, Reply, Request, StudyRequest } from "../protocol.gen";
import { bytesFrom } from "./bytes";
import { RecordedNumbers } from "./numbers";
import { RecordedStudies } from "./studies";
import { RecordedRowTerms } from "./terms";

/** What a kernel would have sent. */
export interface Answer {
	readonly reply: Reply;
	readonly buffers: readonly DataView[];
}

/** What the notes say already isn't said again. */
export const NOT_HELD = "";

const NO_MODEL = "A page can’t run the model: ask in a notebook.";

export function refusal(id: string, message: string): Answer {
	return { reply: { id, kind: "error", message, detail: "" }, buffers: [] };
}

/** Answers what is asked of one variant from what was recorded of it. */
export class RecordedSource {
	readonly #variant: RecordedVariant;
	readonly #parts: RecordedPage["parts"];
	readonly #numbers: RecordedNumbers;
	readonly #terms: RecordedRowTerms;
	readonly #studies: RecordedStudies;

	constructor(variant: RecordedVariant, parts: RecordedPage["parts"]) {
		this.#variant = variant;
		this.#parts = parts;
		this.#numbers = new RecordedNumbers(variant);
		this.#terms = new RecordedRowTerms(variant);
		this.#studies = new RecordedStudies(variant);
	}

	async answer(request: Request): Promise<Answer> {
		const { id } = request;
		switch (request.kind) {
			case "tokens":
				return { reply: { ...this.#variant.tokens, id }, buffers: [] };
			case "everything":
				return this.#numbers.everything(id);
			case "weights":
				return this.#numbers.weights(request);
			case "part":
				return this.#part(id, request.name);
			case "terms":
				return this.#terms.terms(request);
			case "study":
				return this.#study(request);
			case "ask":
				return refusal(id, NO_MODEL);
		}
	}

	async #study({ id, study }: StudyRequest): Promise<Answer> {
		const studied = await this.#studies.of(study);
		if (!studied) return refusal(id, this.#variant.no_study);
		return { reply: { id, kind: "study", progress: 1, studied }, buffers: [] };
	}

	#part(id: string, name: string): Answer {
		const part = this.#parts[name];
		if (!part) return refusal(id, "this page doesn't hold its code.");
		return { reply: { id, kind: "part" }, buffers: [new DataView(bytesFrom(part).buffer)] };
	}
}
