import { type Mark, markOf } from "./marks";
import type { Numbers } from "./numbers";
import { type AtlasInfo, type HeadKey, type LabelInfo, type Method, UNNAMED } from "./protocol.gen";
import type { AtlasSource, Loaded } from "./source";
import type { Chosen } from "./store";

/** Sinks: what a head does beside them says more of it. */
const SINKS = ["first token", "delimiter"];

/** A number of a head: its mean over texts, and half of the mean's confidence interval. */
export interface Measured {
	readonly value: number;
	readonly half: number;
	readonly texts: number;
}

/** A head, as a point. */
export interface Dot {
	readonly head: HeadKey;
	/** "layer.head". */
	readonly name: string;
	readonly labels: readonly LabelInfo[];
	/** By which it is coloured. */
	readonly label: LabelInfo | undefined;
	readonly mark: Mark;
	/** In what share of the texts its label holds. */
	readonly held: number;
	readonly x: number;
	readonly y: number;
	/** Of the two scores, where heads lie by those. */
	readonly across: Measured;
	readonly up: Measured;
	readonly score: Measured;
	/** Whether it passes what is filtered by. */
	readonly isIn: boolean;
}

/** All that a drawing of the heads needs. */
export interface AtlasScene {
	readonly info: AtlasInfo;
	readonly chosen: Chosen;
	readonly dots: readonly Dot[];
	/** Those that can be pointed at: they pass, and have a place. */
	readonly there: readonly Dot[];
	readonly current: Dot | undefined;
	/** Of a map: whether it is there. */
	readonly map: Loaded<Float32Array> | null;
}

export function atlasScene(
	info: AtlasInfo,
	chosen: Chosen,
	numbers: Numbers,
	source: AtlasSource,
): AtlasScene {
	const map = isMap(chosen.plot) ? source.positions(chosen.plot) : null;
	const score = (name: string) => info.scores.findIndex((it) => it.name === name);
	const [x, y, by] = [score(chosen.x), score(chosen.y), score(chosen.score)];
	const measured = (which: number, index: number): Measured => ({
		value: numbers.mean(which, index),
		half: numbers.half(which, index),
		texts: numbers.texts(which, index),
	});
	const count = info.layers.length * info.heads;
	const dots = Array.from({ length: count }, (_, index): Dot => {
		const head = [Math.floor(index / info.heads), index % info.heads] as const;
		const labels = info.labels[index] ?? [];
		const label = labels.find(({ name }) => !SINKS.includes(name)) ?? labels[0];
		const [across, up] = [measured(x, index), measured(y, index)];
		const place = map ? (map.kind === "here" ? map.value : null) : undefined;
		const dot = {
			head,
			name: head.join("."),
			labels,
			label,
			mark: markOf(label?.name, label ? info.names.indexOf(label.name) : 0),
			held: label ? label.holds / Math.max(1, label.support) : 0,
			x: place === undefined ? across.value : (place?.[index] ?? Number.NaN),
			y: place === undefined ? up.value : (place?.[count + index] ?? Number.NaN),
			across,
			up,
			score: measured(by, index),
		};
		return { ...dot, isIn: passes(dot, chosen) };
	});
	const isGrid = chosen.plot === "grid";
	return {
		info,
		chosen,
		dots,
		there: dots.filter((it) => it.isIn && (isGrid || !Number.isNaN(it.x + it.y))),
		current: chosen.head ? dots[indexOf(info, chosen.head)] : undefined,
		map,
	};
}

export function indexOf({ heads }: AtlasInfo, [layer, head]: HeadKey): number {
	return layer * heads + head;
}

export function isMap(plot: Chosen["plot"]): plot is Method {
	return plot === "mds" || plot === "umap";
}

function passes(
	{ head: [layer], labels, score }: Pick<Dot, "head" | "labels" | "score">,
	chosen: Chosen,
): boolean {
	const names = labels.length ? labels.map(({ name }) => name) : [UNNAMED];
	return (
		(!chosen.layers.length || chosen.layers.includes(layer)) &&
		(!chosen.labels.length || names.some((name) => chosen.labels.includes(name))) &&
		(chosen.least === null || score.value >= chosen.least) &&
		(chosen.most === null || score.value <= chosen.most)
	);
}
