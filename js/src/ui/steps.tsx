import type { StepInfo } from "../protocol.gen";
import type { Tokens } from "../source/source";
import type { Store, Synced } from "../store";
import { choiceText, short } from "./words";

/** The step whose choosing query is pinned, if any: the pin is the step. */
export function stepOf(steps: readonly StepInfo[], selected: Synced["selected"]): number {
	return selected === null ? -1 : steps.findIndex(({ query }) => query === selected[0]);
}

/** Walks through what the model generated: each token, what was read for it, and what else it could be. */
export function Steps({
	tokens,
	selected,
	store,
}: {
	tokens: Tokens;
	selected: Synced["selected"];
	store: Store;
}) {
	const { steps } = tokens;
	if (!steps.length) return null;
	const index = stepOf(steps, selected);
	const step = steps[index];
	const go = (to: number, moving = false) => {
		const next = steps[Math.min(steps.length - 1, Math.max(0, to))];
		if (!next) return;
		store.set("selected", [next.query, null], moving);
		store.set("also", [], moving);
	};
	return (
		<fieldset class="steps" aria-label="generated tokens">
			<button
				type="button"
				aria-label="step before"
				disabled={index <= 0}
				onClick={() => go(index - 1)}
			>
				‹
			</button>
			<input
				type="range"
				aria-label="step"
				min={1}
				max={steps.length}
				value={index + 1}
				aria-valuetext={step ? `step ${index + 1}, ${short(tokens.queries, step.token)}` : "none"}
				onInput={(event) => go(Number(event.currentTarget.value) - 1, true)}
			/>
			<button
				type="button"
				aria-label="next step"
				disabled={index === steps.length - 1}
				onClick={() => go(index + 1)}
			>
				›
			</button>
			<span class="muted">
				{step
					? `step ${index + 1} of ${steps.length}`
					: `${steps.length} generated tokens: choose a step`}
			</span>
			{step && (
				<>
					<span class="chosen">
						{short(tokens.queries, step.token)} <b>{step.probability.toFixed(4)}</b>
					</span>
					<Alternatives step={step} />
				</>
			)}
		</fieldset>
	);
}

function Alternatives({ step }: { step: StepInfo }) {
	return (
		<span class="alternatives">
			<span class="muted">likeliest:</span>
			{step.alternatives.map(([text, probability], i) => (
				// Two tokens may read the same; their rank tells them apart.
				<span key={`${i} ${text}`}>
					{choiceText(text)} <b>{probability.toFixed(2)}</b>
				</span>
			))}
		</span>
	);
}
