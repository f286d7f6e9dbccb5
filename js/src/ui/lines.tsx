import type { TokenTable } from "../protocol.gen";
import type { Scene } from "../scene";
import type { Store } from "../store";

const MASSES = [0.5, 0.8, 0.9, 0.95, 1];
const COUNTS = [1, 3, 5, 10];

interface Props extends Pick<Scene, "state" | "description" | "tokens"> {
	readonly open: boolean;
	toggle(): void;
	readonly set: Store["set"];
}

/** Which lines the head view draws, and how its tokens stand. */
export function LineControls({ state, description, tokens, open, toggle, set }: Props) {
	const { top_mass, top_k, threshold, between, orientation } = state;
	const { scale, shares, number } = description;
	const limits = Number(top_k !== null) + Number(threshold > 0) + Number(between.length > 0);
	const sideBySide = orientation === "horizontal";
	const weight = `${Number(threshold.toPrecision(2))}`;
	return (
		<>
			<Choice
				before="show"
				after=""
				name={`share of each row's ${shares ? "attention" : `sum of ${number}`} that is drawn as lines`}
				choices={withOwn(MASSES, top_mass)}
				value={top_mass}
				text={(mass) => (mass === 1 ? "everything" : `top ${Number((mass * 100).toFixed(1))} %`)}
				choose={(mass) => set("top_mass", mass)}
			/>
			<button
				type="button"
				class="quiet"
				aria-expanded={open}
				aria-label={`more on which lines are drawn, ${limits} set`}
				onClick={toggle}
			>
				{limits ? `more (${limits})` : "more"}
			</button>
			<button
				type="button"
				class="quiet"
				aria-pressed={sideBySide}
				aria-label="tokens side by side"
				title="tokens side by side"
				onClick={() => set("orientation", sideBySide ? "vertical" : "horizontal")}
			>
				⇄
			</button>
			{open && (
				<div class="limits">
					<label>
						from {number}
						{/* On the square root's scale, as small weights differ more than large ones. */}
						<input
							type="range"
							min={0}
							max={1}
							step={0.01}
							value={Math.sqrt(Math.min(1, threshold / scale))}
							aria-label={`smallest ${number} that is drawn as a line`}
							aria-valuetext={weight}
							onInput={({ currentTarget: { value } }) =>
								set("threshold", Number((Number(value) ** 2 * scale).toPrecision(2)), true)
							}
						/>
						<output>{weight}</output>
					</label>
					<Choice
						before="at most"
						after="a token"
						name={`largest ${number}s of each row that are drawn as lines`}
						choices={[...withOwn(COUNTS, top_k ?? 1), 0]}
						value={top_k ?? 0}
						text={(count) => count || "all"}
						choose={(count) => set("top_k", count || null)}
					/>
					<Segments tokens={tokens} between={between} set={set} />
				</div>
			)}
		</>
	);
}

function Choice({
	before,
	after,
	name,
	choices,
	value,
	text,
	choose,
}: {
	before: string;
	after: string;
	name: string;
	choices: readonly number[];
	value: number;
	text(choice: number): string | number;
	choose(choice: number): void;
}) {
	return (
		<label title={name}>
			{before}
			<select
				value={`${value}`}
				aria-label={name}
				onChange={(event) => choose(Number(event.currentTarget.value))}
			>
				{choices.map((choice) => (
					<option key={choice} value={`${choice}`}>
						{text(choice)}
					</option>
				))}
			</select>
			{after}
		</label>
	);
}

/** Choices, and what is set elsewhere to something else. */
function withOwn(choices: readonly number[], own: number): number[] {
	return [...new Set([...choices, own])].sort((a, b) => a - b);
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
	if (from.length < 2 && to.length < 2) return null;
	return (
		<fieldset class="segments" aria-label="segments: which reads and which is read">
			{from.flatMap((a) =>
				to.map((b) => {
					const [reader, read] = [segmentName(queries, a), segmentName(keys, b)];
					const others = between.filter(([x, y]) => x !== a || y !== b);
					const on = others.length < between.length;
					return (
						<button
							key={`${a} ${b}`}
							type="button"
							aria-pressed={on}
							aria-label={`${reader} reads ${read}`}
							onClick={() => set("between", on ? others : [...between, [a, b]])}
						>
							{reader}→{read}
						</button>
					);
				}),
			)}
		</fieldset>
	);
}

/** What it is called; by a letter where it has no name. */
function segmentName({ segments }: TokenTable, segment: number): string {
	return segments[segment] ?? (segment < 26 ? String.fromCharCode(65 + segment) : `${segment + 1}`);
}

/** Tokens of the tokenizer's own are in none. */
export function segmentsOf({ segment }: TokenTable): number[] {
	return [...new Set(segment)].filter((number) => number >= 0).sort((a, b) => a - b);
}
