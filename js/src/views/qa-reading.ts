import type { AnswerInfo, QaInfo, TokenTable } from "../protocol.gen";
import { combined, type Reading, readingOf, type Scene } from "../scene";
import { missingText, short, shown } from "../ui/words";

export type Range = readonly [first: number, stop: number];

/** All that the question's views draw from: made anew for each frame, as the scene is. */
export interface Case {
	readonly scene: Scene;
	readonly qa: QaInfo;
	readonly question: Range;
	readonly context: Range;
	/** The answer that is marked, and which one that is. */
	readonly chosen: number;
	readonly answer: AnswerInfo;
	/** Its tokens, where they are in what is shown. */
	readonly span: Range | null;
	/** What each of the question's tokens reads; undefined until all of it is here. */
	readonly rows: readonly Reading[] | undefined;
	/** Of what is looked at: the question's tokens that read, and the context's that are read. */
	readonly asking: readonly number[];
	readonly asked: readonly number[];
	/** What `asking` reads, else the question's tokens on average. */
	readonly reads: Reading | undefined;
	/** How much each of the question's tokens reads of `asked`, by its place among all tokens. */
	readonly readers: Float32Array | undefined;
}

export function caseOf(scene: Scene, qa: QaInfo): Case {
	const { state, reader, focus, description } = scene;
	const { question_tokens: question, context_tokens: context, answers } = qa;
	const chosen = state.answer in answers ? state.answer : 0;
	const answer = answers[chosen] as AnswerInfo;
	const inside =
		([first, stop]: Range) =>
		(token: number) =>
			token >= first && token < stop;
	const asking = focus.queries.filter(inside(question));
	const asked = focus.keys.filter(inside(context));
	const found = Array.from({ length: question[1] - question[0] }, (_, i) =>
		readingOf(reader, "row", state.layer, state.heads, question[0] + i, true),
	);
	const rows = found.every((row) => row !== undefined) ? found : undefined;
	const looked = asking.map((token) => rows?.[token - question[0]]);
	const readers = asked.length && rows ? new Float32Array(description.queries) : undefined;
	const share = state.combine === "mean" ? asked.length : 1;
	for (const { index, mean } of (readers && rows) ?? [])
		(readers as Float32Array)[index] =
			asked.reduce((sum, key) => sum + (mean[key] as number), 0) / share;
	return {
		scene,
		qa,
		question,
		context,
		chosen,
		answer,
		span: answer.tokens && [answer.tokens[0], answer.tokens[1] + 1],
		rows,
		asking,
		asked,
		reads: rows && (asking.length ? combined(looked, state.combine) : combined(rows, "mean")),
		readers,
	};
}

export function sumOf(weights: Float32Array, [first, stop]: Range): number {
	return weights.subarray(first, stop).reduce((sum, weight) => sum + weight, 0);
}

/** A share to two digits, or one where it is less than those can say. */
export function shareText(share: number): string {
	return share >= 0.01 || share < 1e-5 ? share.toFixed(2) : `${Number(share.toPrecision(1))}`;
}

export function quoted(table: TokenTable, tokens: readonly number[]): string {
	const more = tokens.length > 1 ? ` and ${tokens.length - 1} more` : "";
	return `“${short(table, tokens[0] ?? 0)}”${more}`;
}

/**
 * What is looked at in numbers, in three parts of which the second counts most: where what is read
 * lies, or which of the question's tokens read.
 */
export function saidOf(now: Case): readonly [string, string, string] {
	const { scene, question, context, asking, asked, rows, reads, readers } = now;
	const { queries, keys } = scene.tokens;
	if (!rows || !reads) return [missingText(scene), "", ""];
	const number = (value: number) => `${reads.exact ? "" : "≈ "}${shareText(value)}`;
	if (!asking.length && readers) {
		const [first] = question;
		const most = rows.reduce((a, b) => (at(readers, b) > at(readers, a) ? b : a));
		const mean = sumOf(readers, question) / rows.length;
		return [
			`${quoted(keys, asked)} is read by the question: mean\u00a0`,
			number(mean),
			`\u00a0· most by “${short(queries, most.index ?? first)}” ${number(at(readers, most))}`,
		];
	}
	const who = asking.length ? quoted(queries, asking) : "the question";
	const verb = asking.length > 1 ? "read" : "reads";
	const average = asking.length ? "" : ", on average";
	return [
		`${who} ${verb}${average}: context\u00a0`,
		number(sumOf(reads.mean, context)),
		elsewhere(now, reads)
			.map(([name, mass]) => `\u00a0· ${name} ${number(mass)}`)
			.join(""),
	];
}

const at = (values: Float32Array, { index }: Reading) => values[index] as number;

/** The mass that isn't in the context: in the question, in tokens of neither, in what is hidden. */
function elsewhere(
	{ scene, question, context, asking }: Case,
	{ mean }: Reading,
): [string, number][] {
	const { tokens, description, state, reader } = scene;
	const outside = Array.from(mean.keys()).filter((key) =>
		[question, context].every(([first, stop]) => key < first || key >= stop),
	);
	const names = new Set(outside.map((key) => shown(tokens.keys, key)));
	const named = names.size > 3 ? "other tokens" : [...names].join(" ");
	const rest = outside.reduce((sum, key) => sum + (mean[key] as number), 0);
	const masses: [string, number][] = [["question", sumOf(mean, question)]];
	if (rest || (named && !description.hides)) masses.push([named, rest]);
	if (!description.hides || state.renormalise) return masses;
	const whose = asking.length ? asking : range(question);
	const parts = state.heads.flatMap((head) => {
		const mass = reader.mass([state.layer, head]);
		return whose.map((query) => mass?.[query] ?? Number.NaN);
	});
	const sum = parts.reduce((sum, part) => sum + part, 0);
	const share = state.combine === "sum" && asking.length ? state.heads.length : parts.length;
	if (!Number.isNaN(sum)) masses.push(["hidden", sum / share]);
	return masses;
}

export function range([first, stop]: Range): number[] {
	return Array.from({ length: stop - first }, (_, i) => first + i);
}
