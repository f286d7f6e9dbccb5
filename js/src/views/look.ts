import { css, type Rgb } from "../draw/colour";
import { topMass } from "../draw/lines";
import type { Reading, Scene } from "../scene";
import { stepOf } from "../ui/steps";

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
	/** The token that the step in view generated. */
	answer: boolean;
}

export function noLook(): Look {
	return { fill: "", ink: "", rule: "", number: "", ring: "", answer: false };
}

/** Amber for what the looked-at token reads, indigo for what reads it. */
export function looksOf(scene: Scene, role: Role, count: number): (token: number) => Look {
	const { focus, colours, ink, reads, readers } = scene;
	const asKey = role !== "query";
	const asQuery = role !== "key";
	const filled = asKey && focus.query !== null ? reads?.mean : undefined;
	const ruled = asQuery && focus.key !== null ? readers?.mean : undefined;
	const numbered =
		asKey && count <= NUMBERS_UP_TO ? numbersOf(reads, scene.state.top_mass) : new Map();
	const looked = new Set([asQuery ? focus.query : null, asKey ? focus.key : null]);
	const step = asQuery
		? scene.tokens.steps[stepOf(scene.tokens.steps, scene.state.selected)]
		: undefined;
	const partner = asKey ? focus.pair?.[1] : undefined;
	const pinned = scene.state.selected !== null;
	return (token) => ({
		fill: filled ? ink.of(filled[token] as number) : "",
		ink: filled ? ink.on(filled[token] as number) : "",
		rule: ruled ? ruleOf(colours.reader, ink.at(ruled[token] as number)) : "",
		number: numbered.get(token) ?? "",
		ring: looked.has(token) ? (pinned ? "pinned" : "looked") : token === partner ? "partner" : "",
		answer: step?.token === token,
	});
}

function ruleOf(colour: Rgb, strength: number): string {
	return strength < 0.05
		? ""
		: `inset 0 ${-1 - 4 * strength}px ${css(colour, 0.25 + 0.75 * strength)}`;
}

function numbersOf(reads: Reading | undefined, mass: number): Map<number, string> {
	const numbers = new Map<number, string>();
	if (!reads) return numbers;
	for (const key of topMass(reads.mean, mass)) {
		const weight = reads.mean[key] as number;
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
	if (was.answer !== now.answer) span.classList.toggle("answer", now.answer);
	Object.assign(was, now);
}
