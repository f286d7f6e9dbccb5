import { css, inkOn, type Rgb, shade } from "../draw/colour";
import { topMass } from "../draw/lines";
import type { Pointer, TokenTable } from "../protocol.gen";
import type { Reading, Scene } from "../scene";
import { handled, make } from "../ui/dom";
import { directionOf, shown } from "../ui/words";
import type { Actions, View } from "./view";

/** Numbers under the tokens are for texts that a person takes in at a glance. */
const NUMBERS_UP_TO = 80;
const NUMBER_FROM = 0.02;

type Role = "both" | "query" | "key";

const CAPTIONS: Readonly<Record<Role, string>> = { both: "", query: "query reads …", key: "… key" };

/** The tokens as a reading line: amber for what the looked-at token reads, indigo for what reads it. */
export function textView(actions: Actions, signal: AbortSignal): View {
	const el = make("section", { class: "text", "aria-label": "text view" });
	let lines: TokenLine[] = [];
	let built: Scene["tokens"] | undefined;

	function build({ tokens, description }: Scene): void {
		built = tokens;
		const options = { actions, signal };
		lines = description.same_tokens
			? [tokenLine(tokens.queries, "both", options)]
			: [tokenLine(tokens.queries, "query", options), tokenLine(tokens.keys, "key", options)];
		el.replaceChildren(...lines.flatMap((line) => [line.caption, line.el]));
	}

	return {
		el,
		measure: () => {},
		update(scene) {
			if (scene.tokens !== built) build(scene);
			for (const line of lines) line.update(scene);
		},
	};
}

interface TokenLine {
	readonly caption: HTMLElement;
	readonly el: HTMLElement;
	update(scene: Scene): void;
}

interface Look {
	fill: string;
	ink: string;
	rule: string;
	number: string;
	ring: "" | "looked" | "pinned" | "partner";
}

function pointerAt(role: Role, token: number): Pointer {
	return [role === "key" ? null : token, role === "query" ? null : token];
}

function tokenLine(
	table: TokenTable,
	role: Role,
	{ actions, signal }: { actions: Actions; signal: AbortSignal },
): TokenLine {
	const name = {
		both: "tokens",
		query: "tokens that read (queries)",
		key: "tokens that are read (keys)",
	};
	const line = make("div", {
		class: table.text.length > NUMBERS_UP_TO ? "tokens long" : "tokens",
		dir: directionOf(table),
		role: "listbox",
		"aria-label": `${name[role]}; arrow keys move, Enter pins, Escape releases`,
	});
	const spans = table.text.map((_, i) => tokenSpan(table, i));
	for (const [i, span] of spans.entries()) line.append(...gapNodes(table.gap[i] ?? ""), span);
	if (spans[0]) spans[0].tabIndex = 0;

	const tokenOf = (event: Event) => {
		const index = (event.target as HTMLElement).dataset.token;
		return index === undefined ? null : Number(index);
	};
	line.addEventListener(
		"pointerover",
		(event) => {
			const token = tokenOf(event);
			if (token !== null) actions.hover(pointerAt(role, token), "token");
		},
		{ signal },
	);
	line.addEventListener("pointerleave", () => actions.hover(null, "token"), { signal });
	line.addEventListener(
		"click",
		(event) => {
			const token = tokenOf(event);
			if (token !== null) actions.pin(pointerAt(role, token));
		},
		{ signal },
	);
	line.addEventListener(
		"focusin",
		(event) => {
			const token = tokenOf(event);
			if (token !== null && (event.target as HTMLElement).matches(":focus-visible"))
				actions.hover(pointerAt(role, token), "token");
		},
		{ signal },
	);
	line.addEventListener(
		"keydown",
		(event) => {
			const token = tokenOf(event);
			if (token === null) return;
			if (event.key === "Enter" || event.key === " ") actions.pin(pointerAt(role, token));
			else {
				const next = spans[token + stepOf(event.key, line.dir === "rtl")];
				if (!next || next === event.target) return;
				for (const span of spans) span.tabIndex = span === next ? 0 : -1;
				next.focus({ focusVisible: true } as FocusOptions);
			}
			handled(event);
		},
		{ signal },
	);

	const looks: Look[] = spans.map(() => ({ fill: "", ink: "", rule: "", number: "", ring: "" }));
	return {
		caption: make("div", { class: "caption" }, CAPTIONS[role]),
		el: line,
		update(scene) {
			const next = looksOf(scene, role, spans.length);
			for (let i = 0; i < spans.length; i++)
				applyLook(spans[i] as HTMLElement, looks[i] as Look, next(i));
		},
	};
}

function stepOf(key: string, rtl: boolean): number {
	if (key === "ArrowDown") return 1;
	if (key === "ArrowUp") return -1;
	if (key === "ArrowRight") return rtl ? -1 : 1;
	if (key === "ArrowLeft") return rtl ? 1 : -1;
	return 0;
}

/** What stands between tokens, as written; a line break breaks the line. */
function gapNodes(gap: string): (Node | string)[] {
	return gap.split("\n").flatMap((part, i) => (i === 0 ? [part] : [make("br"), part]));
}

function tokenSpan(table: TokenTable, index: number): HTMLElement {
	const kind = table.special[index] ? "token special" : "token";
	const text = shown(table, index);
	return make(
		"span",
		{
			class: kind,
			role: "option",
			tabindex: -1,
			dir: "auto",
			"data-token": index,
			"aria-label": `${text}, position ${index}`,
			title: `${table.raw[index]} · position ${index}`,
		},
		text,
	);
}

function looksOf(scene: Scene, role: Role, count: number): (token: number) => Look {
	const { focus, colours, description, reads, readers } = scene;
	const asKey = role !== "query";
	const asQuery = role !== "key";
	const filled = asKey && focus.query !== null ? reads?.mean : undefined;
	const ruled = asQuery && focus.key !== null ? readers?.mean : undefined;
	const numbered =
		asKey && count <= NUMBERS_UP_TO ? numbersOf(reads, scene.state.top_mass) : new Map();
	const looked = new Set([asQuery ? focus.query : null, asKey ? focus.key : null]);
	const partner = asKey ? focus.pair?.[1] : undefined;
	const pinned = scene.state.selected !== null;
	return (token) => ({
		fill: filled ? shade(colours, filled[token] as number, description.scale) : "",
		ink: filled ? inkOn(colours, filled[token] as number, description.scale) : "",
		rule: ruled ? ruleOf(colours.reader, ruled[token] as number, description.scale) : "",
		number: numbered.get(token) ?? "",
		ring: looked.has(token) ? (pinned ? "pinned" : "looked") : token === partner ? "partner" : "",
	});
}

function ruleOf(colour: Rgb, weight: number, scale: number): string {
	const strength = Math.sqrt(Math.min(1, Math.abs(weight) / scale));
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
function applyLook(span: HTMLElement, was: Look, now: Look): void {
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
	Object.assign(was, now);
}
