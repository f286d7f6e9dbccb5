import { numberText, percent } from "../ui/words";
import type { AtlasInfo, HeadKey, LabelInfo } from "./protocol.gen";
import type { Dot, Measured } from "./scene";

/** A head's name, by the model's own number of its layer. */
export function headName({ layers }: AtlasInfo, [layer, head]: HeadKey): string {
	return `layer ${layers[layer] ?? layer} · head ${head}`;
}

/** A score with its confidence interval. */
export function measuredText({ value, half }: Measured): string {
	if (Number.isNaN(value)) return "none of the texts has it";
	return Number.isNaN(half) ? digits(value) : `${digits(value)} ± ${digits(half)}`;
}

export function digits(value: number): string {
	const text =
		Math.abs(value) >= 0.001 || value === 0 ? value.toFixed(3) : numberText(value, false);
	return text.replace("≈ ", "").replace("-", "−");
}

/** What a head is named for, and how well that is supported. */
export function labelText({ score, baseline, support, holds, aside }: LabelInfo): string {
	const beside = aside.length ? `, beside ${aside.join(" and ")}` : "";
	return `${digits(score)}${beside}; uniform attention ${digits(baseline)}; holds in ${holds.toLocaleString("en")} of ${support.toLocaleString("en")} texts, ${percent(holds / Math.max(1, support))}`;
}

/** A head in a line, for those who hear it. */
export function dotText(info: AtlasInfo, dot: Dot, x: string, y: string): string {
	const named = dot.labels.map(({ name }) => name).join(", ") || "no label";
	const both = `${x} ${measuredText(dot.across)}, ${y} ${measuredText(dot.up)}`;
	return `${headName(info, dot.head)}: ${named}; ${both}`;
}

export const PLOT_LABELS = { scores: "Scores", mds: "MDS", umap: "UMAP", grid: "Grid" } as const;
