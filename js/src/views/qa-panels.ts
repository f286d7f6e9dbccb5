import type { TokenTable } from "../protocol.gen";
import type { Finder } from "./find";
import {
	type Fill,
	fillRead,
	fillReaders,
	type Look,
	looksOf,
	NUMBERS_UP_TO,
	numbersOf,
} from "./look";
import { type Part, tokenPage } from "./page";
import type { Case, Range } from "./qa-reading";
import type { Actions, View } from "./view";

/** The question and the context as running text; `now` is what the current frame draws. */
export function panels(
	now: () => Case,
	actions: Actions,
	finder: Finder,
	signal: AbortSignal,
): readonly [question: View, context: View] {
	const { scene, question, context } = now();
	const { queries, keys } = scene.tokens;
	const page = (table: typeof keys, role: "query" | "key", part: Part) =>
		tokenPage(table, role, actions, finder, signal, part);
	const asks = page(queries, "query", {
		...shadedBy("query", queries, question, () => {
			const { readers, scene } = now();
			return { fill: readers && fillReaders(readers, scene), numbers: true, span: null };
		}),
		name: "question, what it reads in the context",
		follows: () => null,
	});
	asks.el.classList.add("asks");
	const answers = page(keys, "key", {
		...shadedBy("key", keys, context, () => {
			const { reads, asking, span, scene } = now();
			const fill = reads && fillRead(reads.mean, scene.ink);
			return { fill, numbers: asking.length > 0, span };
		}),
		name: "context, shaded by what the question reads",
		follows: () => now().span?.[0] ?? null,
	});
	return [asks, answers];
}

interface Shade {
	readonly fill: Fill | undefined;
	readonly numbers: boolean;
	readonly span: Range | null;
}

function shadedBy(
	role: "query" | "key",
	table: TokenTable,
	tokens: Range,
	shade: () => Shade,
): Pick<Part, "tokens" | "fill" | "looks"> {
	const [first, stop] = tokens;
	return {
		tokens,
		fill: () => shade().fill,
		looks(scene, marks) {
			const plain = looksOf(scene, role, 0, marks);
			const { fill, numbers, span } = shade();
			const numbered =
				numbers && stop - first <= NUMBERS_UP_TO
					? numbersOf(fill?.weights.subarray(first, stop), scene.state.top_mass)
					: new Map<number, string>();
			/** Under letters that touch, two numbers would overlap: the larger one's stays. */
			const roomFor = (token: number) =>
				[token - 1, token + 1].every((other) => {
					const touches =
						table.gap[Math.max(token, other)] === "" && other >= first && other < stop;
					return !touches || (fill?.weights[other] ?? 0) <= (fill?.weights[token] ?? 0);
				});
			return (token): Look => {
				const weight = fill?.weights[token] ?? 0;
				return {
					...plain(token),
					fill: fill?.colour(weight) ?? "",
					ink: fill?.ink(weight) ?? "",
					rule: "",
					number: (roomFor(token) && numbered.get(token - first)) || "",
					answer: span !== null && token >= span[0] && token < span[1],
				};
			};
		},
	};
}
