import type { RecordedPage, RecordedVariant, Reply, Request } from "../protocol.gen";
import { bytesFrom } from "./bytes";
import { RecordedNumbers } from "./numbers";

/** What a kernel would have sent. */
export interface Answer {
	readonly reply: Reply;
	readonly buffers: readonly DataView[];
}

/** What the notes say already isn't said again. */
export const NOT_HELD = "";

const NO_MODEL = "A page can't run the model: open it in a notebook and ask there.";

export function refusal(id: string, message: string): Answer {
	return { reply: { id, kind: "error", message, detail: "" }, buffers: [] };
}

/** Answers what is asked of one variant from what was recorded of it. */
export class RecordedSource {
	readonly #variant: RecordedVariant;
	readonly #parts: RecordedPage["parts"];
	readonly #numbers: RecordedNumbers;

	constructor(variant: RecordedVariant, parts: RecordedPage["parts"]) {
		this.#variant = variant;
		this.#parts = parts;
		this.#numbers = new RecordedNumbers(variant);
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
			default:
				return refusal(id, NO_MODEL);
		}
	}

	#part(id: string, name: string): Answer {
		const part = this.#parts[name];
		if (!part) return refusal(id, "this page doesn't hold its code.");
		return { reply: { id, kind: "part" }, buffers: [new DataView(bytesFrom(part).buffer)] };
	}
}
