import type { AblateInfo, CutInfo, EditInfo, ReplaceInfo } from "../protocol.gen";
import type { Scene } from "../scene";
import { headText } from "../ui/words";
import type { Case } from "./evidence-case";
import { quoted, several, tokensOf, tokensText } from "./evidence-tokens";

export const SCOPES = {
	head: "this head",
	layer: "this layer’s heads",
	all: "all layers",
} as const;

export type Scope = keyof typeof SCOPES;

/** An edge between two that are shown, cut in one head or in more. */
export function cutOf(
	{ scene, head, draft }: Case,
	[query, key]: readonly [number, number],
): CutInfo {
	const { queries, keys } = scene.tokens;
	const { scope } = draft;
	return {
		do: "cut",
		on: true,
		kind: scene.description.kind,
		queries: tokensOf(queries, [query]),
		keys: tokensOf(keys, [key]),
		layers: scope === "all" ? null : [head.layer],
		heads: scope === "head" ? [head.head] : null,
	};
}

export function ablationsOf({ scene, draft }: Case): AblateInfo[] {
	const { layer, heads } = scene.state;
	const { kind } = scene.description;
	return heads.map((head) => ({ do: "ablate", on: true, kind, layer, head, by: draft.by }));
}

/** What the token that is looked at may be replaced as, or why it can't be. */
export function replacingOf({ scene, draft }: Case): {
	edit?: ReplaceInfo;
	name: string;
	why: string;
} {
	const { tokens, focus, description } = scene;
	const refused = (why: string) => ({ name: "", why });
	// Of a model with a decoder, a position is one of what its encoder reads.
	if (description.kind === "decoder" && description.kinds.includes("encoder"))
		return refused("only what the encoder reads is replaced: show its attention");
	const [table, at] = description.same_tokens
		? [tokens.queries, focus.query ?? focus.key]
		: [tokens.keys, focus.key];
	if (at === null) return refused("pin the token that is to be replaced");
	const [position = 0, ...others] = tokensOf(table, [at]);
	const name = quoted(table, at);
	if (others.length)
		return { name, why: `${name} is ${others.length + 1} tokens: show tokens to replace one` };
	if (!draft.token) return { name, why: "write the token that is to stand there" };
	return { edit: { do: "replace", on: true, position, token: draft.token }, name, why: "" };
}

/** All of them that are switched on. */
export function switchedOn(edits: readonly EditInfo[]): EditInfo[] {
	return edits.filter(({ on }) => on);
}

/** The same with some more; one that is there already is switched on. */
export function withEdits(edits: readonly EditInfo[], more: readonly EditInfo[]): EditInfo[] {
	const name = (edit: EditInfo) => JSON.stringify({ ...edit, on: true });
	const added = new Set(more.map(name));
	const before = edits.map((edit) => (added.has(name(edit)) ? { ...edit, on: true } : edit));
	const there = new Set(edits.map(name));
	return [...before, ...more.filter((edit) => !there.has(name(edit)))];
}

/** What an edit does, in words. */
export function editText(edit: EditInfo, scene: Scene): string {
	const { description, tokens } = scene;
	if (edit.do === "replace") {
		const table = description.same_tokens ? tokens.queries : tokens.keys;
		return `“${edit.token}” in place of ${tokensText(table, [edit.position])} (${edit.position})`;
	}
	const isShown = edit.kind === description.kind;
	const kind = description.kinds.length > 1 ? ` · ${edit.kind}` : "";
	if (edit.do === "ablate") {
		const gives = edit.by === "zero" ? "nothing (zero)" : "its mean over the queries (mean)";
		return `${headText(description, edit)} gives ${gives}${kind}`;
	}
	const named = (table: typeof tokens.queries, some: readonly number[]) =>
		isShown ? tokensText(table, some) : several(some.map((token) => `token ${token}`));
	const [who, what] = [named(tokens.queries, edit.queries), named(tokens.keys, edit.keys)];
	return `${who} doesn’t read ${what} ${placesText(edit, scene)}${kind}`;
}

function placesText({ layers, heads }: CutInfo, { description }: Scene): string {
	const numbers = layers?.map((layer) => `${description.layers[layer] ?? layer}`);
	const ofLayers = numbers && `${numbers.length > 1 ? "layers" : "layer"} ${several(numbers)}`;
	const ofHeads =
		heads && `${heads.length > 1 ? "heads" : "head"} ${several(heads.map((head) => `${head}`))}`;
	if (!ofLayers && !ofHeads) return "in any layer";
	return `in ${[ofLayers ?? "all layers", ofHeads ?? "all heads"].join(" · ")}`;
}
