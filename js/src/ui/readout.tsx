import type { ComponentChildren } from "preact";
import { css } from "../draw/colour";
import { strongest } from "../draw/lines";
import { limitsText, linesDrawn } from "../drawn";
import type { Description, TokenTable } from "../protocol.gen";
import { type Reading, readingOf, type Scene } from "../scene";
import type { Store } from "../store";
import { liftOf } from "../views/blocks";
import { missingText, percent, short, signedText, weightText } from "./words";

const LISTED = 3;
/** Of several pinned tokens, so many are named. */
const NAMED = 5;

type Side = "query" | "key";
interface Props {
	readonly scene: Scene;
	readonly set: Store["set"];
}

/** The numbers: what is looked at, what it reads, what reads it, and how much isn't drawn. */
export function Readout({ scene, set }: Props) {
	const { focus, tokens, reads, readers, state, description } = scene;
	const resting = focus.query === null && focus.key === null;
	return (
		<>
			{resting && (
				<Item label="nothing hovered">
					<span class="muted">
						Hover a token to see what it reads and what reads it; click pins, Shift+click pins
						several, Esc releases.
					</span>
				</Item>
			)}
			{focus.pair && <Pair scene={scene} pair={focus.pair} set={set} />}
			{focus.query !== null && (
				<Item label={<Looked scene={scene} side="query" set={set} does="reads" />} of={description}>
					<Strongest reading={reads} table={tokens.keys} scene={scene} />
				</Item>
			)}
			{focus.key !== null && (
				<Item
					label={<Looked scene={scene} side="key" set={set} does="is read by" />}
					of={description}
				>
					<Strongest reading={readers} table={tokens.queries} scene={scene} />
				</Item>
			)}
			{reads && focus.query !== null && state.view.includes("heads") && (
				<NotDrawn reads={reads} scene={scene} />
			)}
		</>
	);
}

function Item({
	label,
	of,
	children,
}: {
	label: ComponentChildren;
	/** What it has numbers of, where these may be none of weights. */
	of?: Description;
	children: ComponentChildren;
}) {
	return (
		<div class="item">
			<span class="muted">
				{label}
				{of && of.measure !== "weights" && ` · ${of.number}`}
				{of?.against && ` · less what is read in ${of.against}`}
			</span>
			<div>{children}</div>
		</div>
	);
}

/** Who reads or is read; of several what was made of them, and a button that makes the other. */
function Looked({ scene, side, set, does }: Props & { side: Side; does: string }) {
	const { focus, tokens, state } = scene;
	const [table, looked] =
		side === "query" ? [tokens.queries, focus.queries] : [tokens.keys, focus.keys];
	if (looked.length < 2) return <>{`${place(table, looked[0] ?? 0)} ${does}`}</>;
	const other = state.combine === "mean" ? "sum" : "mean";
	const named = looked.slice(0, NAMED).map((index) => short(table, index));
	return (
		<>
			<button
				type="button"
				class="combine"
				title={`show the ${other} instead`}
				onClick={() => set("combine", other)}
			>
				{state.combine}
			</button>
			{` over ${looked.length} tokens: ${named.join(", ")}${looked.length > NAMED ? ", …" : ""} · ${does}`}
		</>
	);
}

function place(table: TokenTable, index: number): string {
	return `“${short(table, index)}” (${index})`;
}

/** One weight, to four digits; head by head where several are shown. */
function Pair({ scene, pair, set }: Props & { pair: readonly [number, number] }) {
	const { tokens, state, colours, focus, description } = scene;
	const [query, key] = pair;
	const at = weightsAt(scene, pair);
	const [reader, read] = [place(tokens.queries, query), place(tokens.keys, key)];
	const label = focus.together ? (
		<Looked
			scene={scene}
			side={focus.together}
			set={set}
			does={focus.together === "query" ? `reads ${read}` : `is read by ${reader}`}
		/>
	) : (
		`${reader} reads ${read}`
	);
	return (
		<Item label={label} of={at && at.length > 1 ? description : { ...description, against: "" }}>
			{!at && <span class="muted">{missingText(scene)}</span>}
			{at?.length === 1 && at[0] && <Weight {...at[0]} description={description} />}
			{at && state.unit === "segment" && description.shares && (
				<Lift weights={at} table={tokens.keys} of={key} />
			)}
			{at &&
				at.length > 1 &&
				at.map(({ weight, exact }, i) => (
					<span
						key={state.heads[i]}
						class="of-head"
						style={{ "--head": css(colours.head(state.heads[i] ?? 0)) }}
					>
						{state.heads[i]} <b>{signedText(weight, exact, description)}</b>
					</span>
				))}
		</Item>
	);
}

/** A weight; of a difference how much more or less is read. */
function Weight({
	weight,
	exact,
	description: { against },
}: {
	weight: number;
	exact: boolean;
	description: Description;
}) {
	if (!against) return <b class="weight">{weightText(weight, exact)}</b>;
	return (
		<>
			<b class="weight">{weightText(Math.abs(weight), exact)}</b>
			{` ${weight < 0 ? "less" : "more"} than in ${against}`}
		</>
	);
}

/** How often a segment's share of the tokens its mass is. */
function Lift({
	weights,
	table,
	of,
}: {
	weights: readonly { weight: number }[];
	table: TokenTable;
	of: number;
}) {
	const { count } = table;
	const total = count.reduce((sum, tokens) => sum + tokens, 0);
	const mass = weights.reduce((sum, { weight }) => sum + weight, 0) / weights.length;
	const mean = weights.length > 1 ? "of the mean over heads: " : "";
	return (
		<span
			class="muted"
			title={`${mean}mass over a share of ${count[of]} of ${total} tokens; 1 were all read alike`}
		>
			{` lift ${liftOf(mass, table, of).toFixed(2)} `}
		</span>
	);
}

function weightsAt(scene: Scene, [query, key]: readonly [number, number]) {
	const { reads, readers, focus, state, reader } = scene;
	const at = (reading: Reading | undefined, other: number) =>
		reading?.lines.map(({ values, exact }) => ({ weight: values[other] as number, exact }));
	// Of several pinned tokens a single cell has its own weight, not theirs.
	const isOf = (tokens: readonly number[], token: number) =>
		tokens.length === 1 && tokens[0] === token;
	if (focus.together === "query" || isOf(focus.queries, query)) return at(reads, key);
	if (focus.together === "key" || isOf(focus.keys, key)) return at(readers, query);
	return at(readingOf(reader, "row", state.layer, state.heads, query, true), key);
}

function Strongest({
	reading,
	table,
	scene,
}: {
	reading: Reading | undefined;
	table: TokenTable;
	scene: Scene;
}) {
	if (!reading) return <span class="muted">{missingText(scene)}</span>;
	const listed = strongest(reading.mean, LISTED);
	if (!listed.length) return <span class="muted">nothing</span>;
	return (
		<>
			{listed.map((index) => (
				<span key={index} class="read">
					{short(table, index)}{" "}
					<b>{signedText(reading.mean[index] as number, reading.exact, scene.description)}</b>
				</span>
			))}
		</>
	);
}

/** The share of what is read that has no line, by what hides it: each head has its own. */
function NotDrawn({ reads, scene }: { reads: Reading; scene: Scene }) {
	const limits = limitsText(scene);
	const whole = scene.description.shares ? "" : " of its sum";
	const drawn = (reads.parts ?? [reads]).flatMap((part) => linesDrawn(part, "row", scene));
	const total = drawn.reduce((sum, row) => sum + row.total, 0);
	return (
		<>
			{Object.entries(limits).map(([name, text]) => {
				const hidden = drawn.reduce((sum, row) => sum + row.hidden[name as keyof typeof limits], 0);
				return (
					<Item key={name} label={`not drawn: ${text}`}>
						{percent(total ? Math.max(0, hidden / total) : 0) + whole}
					</Item>
				);
			})}
		</>
	);
}
