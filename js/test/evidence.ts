import { expect } from "vitest";
import type {
	EditInfo,
	EffectStudied,
	HeadStudied,
	Studied,
	Study,
	SweepStudied,
} from "../src/protocol.gen";
import { frame } from "./events";
import { type Mounted, mount, type Options, type Shown } from "./host";
import { numbered, softmaxWeights, type Weights } from "./weights";

export const WEIGHTS = softmaxWeights(3, 4, 9, 9);
export const WORDS = numbered(9);

export interface Opened extends Mounted {
	readonly view: Shown;
	/** The studies of one kind that were asked for, each once. */
	asked<K extends Study["of"]>(of: K): Extract<Study, { of: K }>[];
}

/** An explorer on its evidence view, once its code has come. */
export async function openEvidence(
	{ state, ...options }: Options = {},
	width = 1100,
	weights = WEIGHTS,
	words: readonly string[] = WORDS,
): Promise<Opened> {
	const mounted = mount(weights, words, {
		...options,
		state: { view: ["text", "evidence"], ...state },
	});
	mounted.kernel.studied = studiesOf(weights);
	const view = await mounted.open(width);
	await drawn(mounted, view);
	const asked = <K extends Study["of"]>(of: K) => {
		const studies = mounted.kernel.requests.flatMap((request) =>
			request.kind === "study" && request.study.of === of ? [JSON.stringify(request.study)] : [],
		);
		return [...new Set(studies)].map((study) => JSON.parse(study));
	};
	return { ...mounted, view, asked };
}

/** Wait until the view is there: its code is imported when nothing is asked for any more. */
export async function drawn({ settled }: Mounted, view: Shown): Promise<void> {
	await expect.poll(() => view.all(".studies .part").length, { timeout: 5000 }).toBe(4);
	await settled();
	await frame();
}

/** What comes of each study, from `weights`: as Python's would look, by no method. */
export function studiesOf(weights: Weights): (study: Study) => Studied | string {
	return (study) => {
		switch (study.of) {
			case "reads":
				return readsOf(weights, study);
			case "pair":
				return {
					of: "pair",
					percentile: 92.13,
					cells: 432,
					norm: 0.184,
					norm_why: "",
					logit: null,
					logit_of: "",
				};
			case "head":
				return LABELS;
			case "effect":
				return effectOf(study.edits);
			case "sweep":
				return sweepOf(weights, study);
			default:
				return { of: "shown" };
		}
	};
}

function readsOf(
	{ layers, heads, at }: Weights,
	{ queries, keys, against }: Extract<Study, { of: "reads" }>,
): Studied {
	const massOf = (some: readonly number[]) =>
		Array.from({ length: layers * heads }, (_, i) => {
			const all = queries.flatMap((q) =>
				some.map((k) => at(Math.floor(i / heads), i % heads, q, k)),
			);
			return all.reduce((a, b) => a + b, 0) / queries.length;
		});
	const mass = massOf(keys);
	const p = mass.map((one) => (one > 0.5 ? 0.0005 : one > 0.1 ? 0.031 : 0.4));
	return {
		of: "reads",
		mass,
		elsewhere: mass.map((one) => one / 2),
		percentile: mass.map((one) => 100 * one),
		p,
		against: against.length ? massOf(against) : [],
		difference_elsewhere: [],
		p_difference: against.length ? p : [],
		uniform: 1 / 12,
		notes: ["p is of 24 places of the keys, and corrected for all heads by max-T."],
	};
}

const LABELS: HeadStudied = {
	of: "head",
	labels: [
		{
			name: "previous token",
			score: 0.71,
			baseline: 0.083,
			support: 12,
			misses: [
				{ query: 8, expected: [7], weight: 0.02, instead: 2, instead_weight: 0.71 },
				{ query: 4, expected: [3], weight: 0.1, instead: 0, instead_weight: 0.5 },
				{ query: 5, expected: [4], weight: 0.12, instead: 1, instead_weight: 0.4 },
				{ query: 6, expected: [5], weight: 0.13, instead: 1, instead_weight: 0.3 },
			],
		},
		{ name: "local", score: 0.62, baseline: 0.2, support: 12, misses: [] },
	],
	why: "",
};

function doneIn(edit: EditInfo): string {
	if (edit.do !== "cut") return edit.do;
	return `cutting ${edit.queries} from ${edit.keys} in ${edit.layers ?? "every layer"}`;
}

function effectOf(edits: readonly EditInfo[]): EffectStudied {
	const odds = ["cat", "dog", " the", "it", "animal", "kitten", "he", "she", "man", "pet"];
	return {
		of: "effect",
		about: "the token after “it”",
		odds: odds.map((text, i) => ({
			text,
			before: 0.5 / (i + 1),
			after: (0.3 + 0.1 * edits.length) / (((i + 2) % 10) + 1),
		})),
		kl: 0.012345,
		distance: null,
		said: `${edits.map(doneIn).join(" and ")} changes the output by 0.0123 nats`,
		python: "from attention_explorer import AblateHead, measure\nmeasure(traced, edits)\n",
		notes: ["Cut before the softmax: the other weights of the row are raised to its sum."],
	};
}

function sweepOf(
	{ layers, heads, keys, at }: Weights,
	{ over, layer, head, query }: Extract<Study, { of: "sweep" }>,
): SweepStudied {
	const count = over === "heads" ? layers * heads : keys;
	const attentions = Array.from({ length: count }, (_, i) =>
		over === "heads"
			? at(Math.floor(i / heads), i % heads, query ?? 0, 2)
			: at(layer, head, query ?? 0, i),
	);
	return {
		of: "sweep",
		attentions,
		effects: attentions.map((x, i) => 0.02 * x ** 2 + 0.004 * Math.abs(Math.sin(i * 7.3))),
		attention: over === "heads" ? "weight of “it” on “cat”" : "weight",
		effect: "KL of the output, nats",
		correlation: 0.34,
		band: [0.0004, 0.0062],
		notes: [],
	};
}
