import type { TokenTable } from "../protocol.gen";
import type { Scene } from "../scene";
import type { Store } from "../store";
import { short } from "./words";

const MASSES = [0.5, 0.8, 0.9, 0.95, 1];
const COUNTS = [1, 3, 5, 10];
/** Of a segment's first words, so many tell which it is. */
const WORDS = 4;

type Shown = Pick<Scene, "state" | "description" | "tokens">;
interface Props extends Shown {
	readonly open: boolean;
	toggle(): void;
	readonly set: Store["set"];
}

/** Which lines the head view draws, and how its tokens stand. */
export function LineControls({ state, description, tokens, open, toggle, set }: Props) {
	const { top_mass, top_k, threshold, between, orientation } = state;
	const limits = Number(top_k !== null) + Number(threshold > 0) + Number(between.length > 0);
	const sideBySide = orientation === "horizontal";
	return (
		<>
			<label title="Lines are drawn for the largest weights that together hold this share of each row">
				show
				<select
					value={top_mass}
					aria-label="share of each row's attention that is drawn as lines"
					onChange={(event) => set("top_mass", Number(event.currentTarget.value))}
				>
					{withOwn(MASSES, top_mass).map((mass) => (
						<option key={mass} value={mass}>
							{mass === 1 ? "everything" : `top ${Number((mass * 100).toFixed(1))} %`}
						</option>
					))}
				</select>
			</label>
			<button
				type="button"
				class="quiet"
				aria-expanded={open}
				aria-label={`more on which lines are drawn${limits ? `, ${limits} set` : ""}`}
				onClick={toggle}
			>
				{limits ? `more (${limits})` : "more"}
			</button>
			<button
				type="button"
				class="quiet"
				aria-pressed={sideBySide}
				aria-label="tokens side by side"
				title="tokens side by side or below each other"
				onClick={() => set("orientation", sideBySide ? "vertical" : "horizontal")}
			>
				⇄
			</button>
			{open && (
				<div class="limits">
					<Threshold threshold={threshold} scale={description.scale} set={set} />
					<label>
						at most
						<select
							value={top_k ?? 0}
							aria-label="largest weights of each row that are drawn as lines"
							onChange={(event) => set("top_k", Number(event.currentTarget.value) || null)}
						>
							<option value={0}>all</option>
							{withOwn(COUNTS, top_k ?? 1).map((count) => (
								<option key={count} value={count}>
									{count}
								</option>
							))}
						</select>
						a token
					</label>
					<Segments tokens={tokens} between={between} set={set} />
				</div>
			)}
		</>
	);
}

/** Choices, and what is set elsewhere to something else. */
function withOwn(choices: readonly number[], own: number): number[] {
	return [...new Set([...choices, own])].sort((a, b) => a - b);
}

/** On the square root's scale, as small weights differ more than large ones. */
function Threshold({
	threshold,
	scale,
	set,
}: {
	threshold: number;
	scale: number;
	set: Store["set"];
}) {
	const weightAt = (place: number) => Number((place * place * scale).toPrecision(2));
	const text = `${Number(threshold.toPrecision(2))}`;
	return (
		<label>
			from weight
			<input
				type="range"
				min={0}
				max={1}
				step={0.01}
				value={Math.sqrt(Math.min(1, threshold / scale))}
				aria-label="smallest weight that is drawn as a line"
				aria-valuetext={text}
				onInput={(event) => set("threshold", weightAt(Number(event.currentTarget.value)))}
			/>
			<output>{text}</output>
		</label>
	);
}

/** Lines from one segment's tokens to another's; none chosen is all. */
function Segments({
	tokens: { queries, keys },
	between,
	set,
}: {
	tokens: Scene["tokens"];
	between: Scene["state"]["between"];
	set: Store["set"];
}) {
	const [from, to] = [segmentsOf(queries), segmentsOf(keys)];
	const all = [...new Set([...from, ...to])].sort((a, b) => a - b);
	if (from.length < 2 && to.length < 2) return null;
	const nameOf = (segment: number) => String.fromCharCode(65 + all.indexOf(segment));
	return (
		<fieldset class="segments" aria-label="segments: which reads and which is read">
			{from.flatMap((a) =>
				to.map((b) => {
					const others = between.filter(([x, y]) => x !== a || y !== b);
					const on = others.length < between.length;
					return (
						<button
							key={`${a} ${b}`}
							type="button"
							aria-pressed={on}
							aria-label={`${nameOf(a)} reads ${nameOf(b)}`}
							title={`${nameOf(a)} “${beginningOf(queries, a)}” reads ${nameOf(b)} “${beginningOf(keys, b)}”`}
							onClick={() => set("between", on ? others : [...between, [a, b]])}
						>
							{nameOf(a)}→{nameOf(b)}
						</button>
					);
				}),
			)}
		</fieldset>
	);
}

/** Tokens of the tokenizer's own are in none. */
function segmentsOf({ segment }: TokenTable): number[] {
	return [...new Set(segment)].filter((number) => number >= 0).sort((a, b) => a - b);
}

function beginningOf(table: TokenTable, segment: number): string {
	const first = table.segment.indexOf(segment);
	const words = Array.from({ length: WORDS }, (_, i) => first + i)
		.filter((index) => table.segment[index] === segment)
		.map((index) => (index > first ? (table.gap[index] ?? "") : "") + short(table, index));
	return `${words.join("")} …`;
}
