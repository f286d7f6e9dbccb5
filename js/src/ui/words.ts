import type { Description, Reduction, TokenTable, ViewName } from "../protocol.gen";
import type { Scene } from "../scene";
import type { Synced } from "../store";
import type { HeadOf } from "../views/view";

export const VIEW_LABELS: Readonly<Record<ViewName, string>> = {
	text: "Text",
	heads: "Heads",
	matrix: "Matrix",
	model: "Model",
	neuron: "Neuron",
	evidence: "Evidence",
	compare: "Compare",
	qa: "QA",
};

/** Whether what isn't here won't come: no kernel is left, or a file answers. */
export function isFinal({ status, description }: Pick<Scene, "status" | "description">): boolean {
	return status.kind === "gone" || description.held !== "";
}

/** What stands in the place of what isn't here. */
export function missingText(scene: Pick<Scene, "status" | "description">): string {
	return isFinal(scene) ? "not saved here" : "…";
}

/** What is said of a picture that has gaps. */
export function gapsIn(scene: Scene, complete: boolean): string[] {
	return !complete && isFinal(scene) ? ["not all of this was saved here"] : [];
}

/** A weight to four digits; `≈` where only its 8-bit code is here. */
export function weightText(weight: number, exact: boolean): string {
	return `${exact ? "" : "≈ "}${weight.toFixed(exact ? 4 : 2)}`;
}

/** The same of what may be a difference: with its sign, whichever that is. */
export function signedText(weight: number, exact: boolean, { against }: Description): string {
	const text = weightText(weight, exact);
	if (!against || weight === 0) return text;
	return weight < 0 ? text.replace("-", "−") : text.replace(/(?=\d)/, "+");
}

/** A number to two digits, or four where it is exact, however small. */
export function numberText(value: number, exact: boolean): string {
	return `${exact ? "" : "≈ "}${Number(value.toPrecision(exact ? 4 : 2))}`;
}

export function percent(part: number): string {
	return `${(100 * part).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
}

const INVISIBLE: Readonly<Record<string, string>> = { "\n": "⏎", "\t": "⇥", "\r": "␍", " ": "␣" };

/** A token's text where it stands alone: what would be invisible is shown as a sign. */
export function shown(table: TokenTable, index: number): string {
	const text = table.text[index] ?? "";
	if (text === "") return "∅";
	return text.trim() === "" ? Array.from(text, (c) => INVISIBLE[c] ?? "␣").join("") : text;
}

export const SHORT = 24;

/** The same, cut to a length that fits a line of words. */
export function short(table: TokenTable, index: number, length = SHORT): string {
	return clipped(shown(table, index), length);
}

export function clipped(text: string, length: number): string {
	const letters = Array.from(text);
	return letters.length <= length ? text : `${letters.slice(0, length - 1).join("")}…`;
}

const RTL = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC]/g;

/** The direction of a text by what most of its letters are. */
export function directionOf(
	table: TokenTable,
	[first, stop]: readonly [number, number] = [0, table.text.length],
): "ltr" | "rtl" {
	const ours = table.text.filter((_, i) => i >= first && i < stop && !table.special[i]);
	const letters = ours.join("");
	const rtl = letters.match(RTL)?.length ?? 0;
	return rtl > letters.replace(/\P{L}/gu, "").length / 2 ? "rtl" : "ltr";
}

/** What a model gives as text: a token with the space that it brings along, a label. */
export function choiceText(text: string): string {
	return text.trim() === "" ? JSON.stringify(text) : text.trim();
}

/** Below this a weight gets no number of its own beside a token. */
export const FEW_NUMBERS = 0.01;

/** The layer and heads that are shown, in words. */
export function headsText({
	state,
	description,
}: {
	state: Synced;
	description: Description;
}): string {
	const { heads } = state;
	const first = headText(description, { layer: state.layer, head: heads[0] ?? 0 });
	const [layer] = first.split(" ·");
	if (isOfLayers(description)) return `${layer}`;
	if (heads.length === 1) return first;
	if (heads.length === description.heads) return `${layer} · all ${heads.length} heads`;
	if (heads.length > 4) return `${layer} · ${heads.length} heads`;
	return `${layer} · heads ${heads.join(", ")}`;
}

/** Whether there is one matrix for all heads of a layer. */
export function isOfLayers({ heads, measure }: Description): boolean {
	return heads === 1 && measure !== "weights";
}

/** One head's name, by the model's own number of its layer. */
export function headText({ layers }: Description, { layer, head }: HeadOf): string {
	return `layer ${layers[layer] ?? layer} · head ${head}`;
}

/** What was done to weights that share a cell. */
export function pooledText(pooling: Reduction): string {
	return pooling === "max" ? "max-pooled" : "mean-pooled";
}
