import { css, type Ink, type Rgb } from "../draw/colour";
import { topMass } from "../draw/lines";
import { pinsOf } from "../pins";
import type { Scene } from "../scene";
import { stepOf } from "../ui/steps";
import { FOUND_HERE } from "./find";

/** Numbers under the tokens are for texts that a person takes in at a glance. */
export const NUMBERS_UP_TO = 80;
const NUMBER_FROM = 0.02;

/** In which role a line of text shows its tokens. */
export type Role = "both" | "query" | "key";

/** What a token looks like; every field empty for a token at rest. */
export interface Look {
	fill: string;
	ink: string;
	rule: string;
	number: string;
	ring: "" | "looked" | "pinned" | "partner";
	/** The token that the step in view generated, or one of the answer to a question. */
	answer: boolean;
	/** Whether a search found it: `FOUND`, or `FOUND_HERE`. */
	found: number;
}

export function noLook(): Look {
	return { fill: "", ink: "", rule: "", number: "", ring: "", answer: false, found: 0 };
}

/** What shades the tokens of a side: weights, and the colours for them. */
export interface Fill {
	readonly weights: Float32Array;
	colour(weight: number): string;
	/** The colour of text on it. */
	ink(weight: number): string;
}

/** What shades a side by what is read. */
export function fillRead(weights: Float32Array, ink: Ink): Fill {
	return { weights, colour: ink.of, ink: ink.on };
}

/** What shades a side by what reads. */
export function fillReaders(weights: Float32Array, { ink, colours }: Scene): Fill {
	const colour = (weight: number) => css(colours.reader, MOST_OF_READER * ink.at(weight));
	return { weights, colour, ink: () => "" };
}

/** How strongly the readers' colour fills at most: the page's own ink is read on it. */
const MOST_OF_READER = 0.55;

/** Amber for what the looked-at token reads, indigo for what reads it: by the chosen direction. */
export function fillOf(scene: Scene, role: Role): Fill | undefined {
	const reads = scene.state.direction === "reads";
	const weights = lineOf(scene, role, reads);
	return weights && (reads ? fillRead(weights, scene.ink) : fillReaders(weights, scene));
}

/** The weights that a side's tokens have from what is looked at: what it reads, or what reads it. */
function lineOf(
	{ focus, reads, readers }: Scene,
	role: Role,
	forward: boolean,
): Float32Array | undefined {
	if (forward) return role !== "query" && focus.query !== null ? reads?.mean : undefined;
	return role !== "key" && focus.key !== null ? readers?.mean : undefined;
}

/** Filled by one direction, ruled by the other. */
export function looksOf(
	scene: Scene,
	role: Role,
	count: number,
	marks: Uint8Array | undefined,
): (token: number) => Look {
	const { focus, colours, ink, state } = scene;
	const asKey = role !== "query";
	const asQuery = role !== "key";
	const reads = state.direction === "reads";
	const fill = fillOf(scene, role);
	const ruled = lineOf(scene, role, !reads);
	const ruleColour = reads ? colours.reader : colours.read;
	const numbered: Map<number, string> =
		count <= NUMBERS_UP_TO ? numbersOf(fill?.weights, state.top_mass) : new Map();
	const looked = new Set([...(asQuery ? focus.queries : []), ...(asKey ? focus.keys : [])]);
	const step = asQuery ? scene.tokens.steps[stepOf(scene.tokens.steps, state.selected)] : undefined;
	const partner = asKey ? focus.pair?.[1] : undefined;
	const pinned = pinsOf(state).length > 0;
	return (token) => ({
		fill: fill ? fill.colour(fill.weights[token] as number) : "",
		ink: fill ? fill.ink(fill.weights[token] as number) : "",
		rule: ruled ? ruleOf(ruleColour, ink.at(ruled[token] as number)) : "",
		number: numbered.get(token) ?? "",
		ring: looked.has(token) ? (pinned ? "pinned" : "looked") : token === partner ? "partner" : "",
		answer: step?.token === token,
		found: marks?.[token] ?? 0,
	});
}

function ruleOf(colour: Rgb, strength: number): string {
	return strength < 0.05
		? ""
		: `inset 0 ${-1 - 4 * strength}px ${css(colour, 0.25 + 0.75 * strength)}`;
}

/** What stands under the tokens that hold a share of the sum of some weights. */
export function numbersOf(weights: Float32Array | undefined, mass: number): Map<number, string> {
	const numbers = new Map<number, string>();
	if (!weights) return numbers;
	for (const key of topMass(weights, mass)) {
		const weight = weights[key] as number;
		if (Math.abs(weight) >= NUMBER_FROM) numbers.set(key, weight.toFixed(2));
	}
	return numbers;
}

/** Touch only what changed: a hover over 500 tokens must not restyle 500 tokens. */
export function applyLook(span: HTMLElement, was: Look, now: Look): void {
	if (was.fill !== now.fill) span.style.backgroundColor = now.fill;
	if (was.ink !== now.ink) span.style.color = now.ink;
	if (was.rule !== now.rule) span.style.boxShadow = now.rule;
	if (was.number !== now.number) {
		if (now.number) span.dataset.weight = now.number;
		else delete span.dataset.weight;
	}
	if (was.ring !== now.ring) {
		span.classList.toggle("looked", now.ring === "looked" || now.ring === "pinned");
		span.classList.toggle("partner", now.ring === "partner");
		span.classList.toggle("pinned", now.ring === "pinned");
		span.ariaSelected = String(now.ring === "pinned");
	}
	if (was.answer !== now.answer) {
		span.classList.toggle("answer", now.answer);
		span.ariaDescription = now.answer ? "answer" : "";
	}
	if (was.found !== now.found) {
		span.classList.toggle("found", now.found > 0);
		span.classList.toggle("here", now.found === FOUND_HERE);
	}
	Object.assign(was, now);
}
