import { closeByEscape, keepWithin } from "../ui/hide";
import { type AtlasInfo, PLOTS } from "./protocol.gen";
import { PLOT_LABELS } from "./said";
import type { AtlasStore, Chosen } from "./store";

interface Props {
	readonly info: AtlasInfo;
	readonly chosen: Chosen;
	readonly ends: readonly [number, number];
	readonly store: AtlasStore;
}

/** What is drawn, and of which heads. */
export function Toolbar({ info, chosen, ends, store }: Props) {
	const [least, most] = ends;
	return (
		<div class="bar">
			<fieldset class="segments" aria-label="how heads lie">
				{PLOTS.map((plot) => (
					<button
						key={plot}
						type="button"
						aria-pressed={chosen.plot === plot}
						onClick={() => store.set({ plot })}
					>
						{PLOT_LABELS[plot]}
					</button>
				))}
			</fieldset>
			{chosen.plot === "scores" && (
				<>
					<ScoreChoice name="x" {...{ info, chosen, store }}>
						→
					</ScoreChoice>
					<ScoreChoice name="y" {...{ info, chosen, store }}>
						↑
					</ScoreChoice>
				</>
			)}
			<ScoreChoice name="score" {...{ info, chosen, store }}>
				Exemplars by
			</ScoreChoice>
			<Layers {...{ info, chosen, store }} />
			<div class="bounds">
				<Bound name="least" free={least} {...{ chosen, store }} />
				<Bound name="most" free={most} {...{ chosen, store }} />
			</div>
			<div class="about muted">
				<span>
					{info.model} · {info.layers.length} × {info.heads} heads ·{" "}
					{info.texts.toLocaleString("en")} texts
				</span>
			</div>
		</div>
	);
}

const NAMES = { x: "across", y: "up", score: "score of the exemplars" } as const;

function ScoreChoice({
	name,
	info,
	chosen,
	store,
	children,
}: Pick<Props, "info" | "chosen" | "store"> & {
	readonly name: keyof typeof NAMES;
	readonly children: string;
}) {
	const says = info.scores.find((score) => score.name === chosen[name])?.says ?? "";
	return (
		<label title={says}>
			{children}
			<select
				value={chosen[name]}
				aria-label={NAMES[name]}
				onChange={(event) => store.set({ [name]: event.currentTarget.value })}
			>
				{info.scores.map((score) => (
					<option key={score.name} value={score.name} title={score.says}>
						{score.name}
					</option>
				))}
			</select>
		</label>
	);
}

function Layers({ info, chosen, store }: Pick<Props, "info" | "chosen" | "store">) {
	const toggle = (layer: number) => {
		const { layers } = chosen;
		store.set({
			layers: layers.includes(layer)
				? layers.filter((it) => it !== layer)
				: [...layers, layer].sort((a, b) => a - b),
		});
	};
	const said = chosen.layers.length
		? chosen.layers.map((layer) => info.layers[layer]).join(", ")
		: "all";
	return (
		<details
			class="menu"
			onToggle={(event) => keepWithin(event.currentTarget)}
			onKeyDown={closeByEscape}
		>
			<summary aria-label={`layers, ${said}`}>
				layers <b>{chosen.layers.length > 3 ? `${chosen.layers.length}` : said}</b>
			</summary>
			<fieldset class="panel" aria-label="layers">
				<button type="button" class="quiet" onClick={() => store.set({ layers: [] })}>
					all
				</button>
				{info.layers.map((number, layer) => (
					<label key={number}>
						<input
							type="checkbox"
							checked={chosen.layers.includes(layer)}
							onChange={() => toggle(layer)}
						/>
						layer {number}
					</label>
				))}
			</fieldset>
		</details>
	);
}

function Bound({
	name,
	free,
	chosen,
	store,
}: Pick<Props, "chosen" | "store"> & {
	readonly name: "least" | "most";
	readonly free: number;
}) {
	const take = (text: string) => {
		const value = text.trim() === "" ? null : Number(text);
		if (value === null || Number.isFinite(value)) store.set({ [name]: value });
	};
	return (
		<label>
			{name === "least" ? "from" : "to"}
			<input
				class="bound"
				type="number"
				step="any"
				value={chosen[name] ?? ""}
				placeholder={free.toFixed(2)}
				aria-label={`${name === "least" ? "least" : "greatest"} ${chosen.score}`}
				onChange={(event) => take(event.currentTarget.value)}
			/>
		</label>
	);
}
