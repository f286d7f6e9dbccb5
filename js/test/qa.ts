import type { AnswerInfo, QaInfo } from "../src/protocol.gen";
import { type Mounted, mount, type Options, softmaxWeights } from "./host";

/** Question and context, with other counts of tokens; four of them are in neither. */
export const WORDS = "[CLS] who is famous ? [SEP] Gaudí is a famous man in Barcelona . [SEP]".split(
	" ",
);
export const QUESTION = [1, 5] as const;
export const CONTEXT = [6, 14] as const;
export const WEIGHTS = softmaxWeights(3, 4, WORDS.length, WORDS.length);

const ANSWERS: readonly AnswerInfo[] = [
	{ text: "Gaudí", probability: 0.72, window: 0, tokens: [6, 6] },
	{ text: "famous man", probability: 0.2, window: 0, tokens: [9, 10] },
	{ text: "", probability: 0.05, window: 0, tokens: null },
];

export function floats(values: readonly number[]): DataView {
	return new DataView(Float32Array.from(values).buffer);
}

export function qaInfo(changes: Partial<QaInfo> = {}): QaInfo {
	return {
		question: "who is famous?",
		context: "Gaudí is a famous man in Barcelona.",
		answers: ANSWERS,
		windows: ["1 of 1"],
		window: 0,
		question_tokens: QUESTION,
		context_tokens: CONTEXT,
		starts: floats([0.75, 0, 0, 0.2, 0, 0, 0, 0]),
		ends: floats([0.7, 0, 0.01, 0.02, 0.22, 0, 0, 0]),
		notes: [],
		...changes,
	};
}

/** An explorer of what was asked, on its QA view. */
export function mountQa(
	changes: Partial<QaInfo> = {},
	{ state, ...options }: Options = {},
	weights = WEIGHTS,
	words: readonly string[] = WORDS,
): Mounted {
	return mount(weights, words, {
		...options,
		state: { view: ["qa"], _qa: qaInfo(changes), ...state },
	});
}

/** Answer the next questions as Python does: what is shown changes. */
export function answerWith(
	{ model, kernel }: Mounted,
	infoOf: (asked: {
		question: string | null;
		context: string | null;
		window: number | null;
	}) => QaInfo,
): void {
	let shown = 0;
	kernel.answered = (request) => {
		model.set("_qa", { ...infoOf(request) });
		model.set("_description", { ...model.get("_description"), shown: `${++shown}` });
	};
}
