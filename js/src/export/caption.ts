import { limitsText } from "../drawn";
import type { ViewName } from "../protocol.gen";
import type { Scene } from "../scene";
import { showsScores } from "../scores";
import { headsText, headText, short } from "../ui/words";

/** Who made the picture. */
const PACKAGE = "attention-explorer";

/** Whose weights a picture shows, and what was done to them; `remarks` are what its view says of itself. */
export function captionOf(view: ViewName, scene: Scene, remarks: readonly string[]): string[] {
	const { description, state } = scene;
	const { model, kind, measure, number, against } = description;
	const { queries, keys, same_tokens, notes } = description;
	return [
		model,
		against ? number : kind && `${kind} attention`,
		measure === "weights" || against ? "" : number,
		whichHeads(view, scene),
		same_tokens
			? `${queries} ${state.unit}s`
			: `${queries} ${state.unit}s read ${keys} ${state.unit}s`,
		lookedText(scene),
		...(view === "heads"
			? Object.values(limitsText(scene)).map((text) => `not drawn: ${text}`)
			: view === "neuron" || (view === "model" && showsScores(scene))
				? []
				: [`colour: ${state.scale} scale up to ${Number(scene.ink.largest.toPrecision(3))}`]),
		...remarks,
		...notes,
		PACKAGE,
	].filter(Boolean);
}

function whichHeads(view: ViewName, scene: Scene): string {
	const { description, state } = scene;
	const { layers, heads } = description;
	if (view === "model") return `${layers.length} layers × ${heads} heads`;
	if (view === "neuron")
		return headText(description, { layer: state.layer, head: state.heads[0] ?? 0 });
	const mean = view === "text" && state.heads.length > 1;
	return headsText(scene) + (mean ? ` (mean over ${state.heads.length} heads)` : "");
}

function lookedText({ focus, tokens }: Scene): string {
	const one = (query: number) => `“${short(tokens.queries, query)}” (${query})`;
	const other = (key: number) => `“${short(tokens.keys, key)}” (${key})`;
	return [
		focus.queries.length ? `what ${focus.queries.map(one).join(", ")} reads` : "",
		focus.keys.length ? `what reads ${focus.keys.map(other).join(", ")}` : "",
	]
		.filter(Boolean)
		.join(", ");
}

/** A file's name for a view, from what it shows. */
export function fileName(view: ViewName, scene: Scene): string {
	const { measure } = scene.description;
	const shown = measure === "weights" ? "" : measure;
	return `${view} ${shown} ${whichHeads(view, scene)}`
		.replace(/[^a-z0-9]+/gi, "-")
		.replace(/-$/, "");
}
