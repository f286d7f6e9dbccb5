import type { ComponentChildren } from "preact";
import { css } from "../draw/colour";
import { strongest, topMass } from "../draw/lines";
import type { TokenTable } from "../protocol.gen";
import type { Reading, Scene } from "../scene";
import type { Status } from "../source/source";
import { percent, short, weightText } from "./words";

const LISTED = 3;

/** The numbers: what is looked at, what it reads, what reads it, and how much isn't drawn. */
export function Readout({ scene }: { scene: Scene }) {
	const { focus, tokens, reads, readers, state } = scene;
	const resting = focus.query === null && focus.key === null;
	return (
		<>
			{resting && (
				<Item label="nothing hovered">
					<span class="muted">
						Hover a token to see what it reads and what reads it; click pins, Esc releases.
					</span>
				</Item>
			)}
			{focus.pair && <Pair scene={scene} pair={focus.pair} />}
			{focus.query !== null && (
				<Item label={`${place(tokens.queries, focus.query)} reads`}>
					<Strongest reading={reads} table={tokens.keys} status={scene.status} />
				</Item>
			)}
			{focus.key !== null && (
				<Item label={`${place(tokens.keys, focus.key)} is read by`}>
					<Strongest reading={readers} table={tokens.queries} status={scene.status} />
				</Item>
			)}
			{reads && focus.query !== null && state.top_mass < 1 && (
				<Item label={`not drawn, below top ${percent(state.top_mass)}`}>
					{percent(undrawn(reads, state.top_mass))}
				</Item>
			)}
		</>
	);
}

function Item({ label, children }: { label: string; children: ComponentChildren }) {
	return (
		<div class="item">
			<span class="muted">{label}</span>
			<div>{children}</div>
		</div>
	);
}

function place(table: TokenTable, index: number): string {
	return `“${short(table, index)}” (${index})`;
}

/** One weight, to four digits; head by head where several are shown. */
function Pair({ scene, pair: [query, key] }: { scene: Scene; pair: readonly [number, number] }) {
	const { tokens, state, colours } = scene;
	const at = weightsAt(scene, query, key);
	const label = `${place(tokens.queries, query)} reads ${place(tokens.keys, key)}`;
	return (
		<Item label={label}>
			{!at && <span class="muted">…</span>}
			{at?.length === 1 && at[0] && <b class="weight">{weightText(at[0].weight, at[0].exact)}</b>}
			{at &&
				at.length > 1 &&
				at.map(({ weight, exact }, i) => (
					<span
						key={state.heads[i]}
						class="of-head"
						style={{ "--head": css(colours.head(state.heads[i] ?? 0)) }}
					>
						{state.heads[i]} <b>{weightText(weight, exact)}</b>
					</span>
				))}
		</Item>
	);
}

function weightsAt({ reads, readers, focus, state, reader }: Scene, query: number, key: number) {
	if (reads && focus.query === query)
		return reads.lines.map(({ values, exact }) => ({ weight: values[key] as number, exact }));
	if (readers && focus.key === key)
		return readers.lines.map(({ values, exact }) => ({ weight: values[query] as number, exact }));
	const lines = state.heads.map((head) => reader.line("row", [state.layer, head, query], true));
	return lines.every((line) => line !== undefined)
		? lines.map(({ values, exact }) => ({ weight: values[key] as number, exact }))
		: undefined;
}

function Strongest({
	reading,
	table,
	status,
}: {
	reading: Reading | undefined;
	table: TokenTable;
	status: Status;
}) {
	if (!reading) return <span class="muted">{status.kind === "gone" ? "not saved here" : "…"}</span>;
	const listed = strongest(reading.mean, LISTED);
	if (!listed.length) return <span class="muted">nothing</span>;
	return (
		<>
			{listed.map((index) => (
				<span key={index} class="read">
					{short(table, index)} <b>{weightText(reading.mean[index] as number, reading.exact)}</b>
				</span>
			))}
		</>
	);
}

/** The share of what is read that has no line: each head has its own. */
function undrawn({ lines }: Reading, mass: number): number {
	const size = (weight: number | undefined) => Math.abs(weight as number);
	let total = 0;
	let drawn = 0;
	for (const { values } of lines) {
		for (const weight of values) total += size(weight);
		for (const index of topMass(values, mass)) drawn += size(values[index]);
	}
	return total ? 1 - drawn / total : 0;
}
