import type { HeadLabel, Miss } from "../protocol.gen";
import { studiesOf } from "../source/studies";
import { type Case, foundOf, wantedBy } from "../views/evidence-case";
import { quoted, several } from "../views/evidence-tokens";
import { Failed, Part } from "./evidence-study";
import { Level } from "./ranks";
import { headText } from "./words";

const LISTED = 3;

/** What stands out of what a head reads, how far it stands out, and where it doesn't hold. */
export function Head({ now }: { now: Case }) {
	const { scene, head, source, gone } = now;
	const study = wantedBy(now).head;
	const studied = studiesOf(source).of(study);
	const found = foundOf(studied, "head");
	return (
		<Part
			title={`what ${headText(scene.description, head)} does`}
			aside={found?.labels.length ? "score · uniform · rows" : ""}
		>
			{!found && studied?.kind !== "failed" && <p class="muted">{gone || "…"}</p>}
			<Failed source={source} study={study} gone={gone} />
			{found && !found.labels.length && <p>{found.why || "No pattern stands out in this text."}</p>}
			{found?.labels.map((label) => (
				<Label key={label.name} now={now} label={label} />
			))}
		</Part>
	);
}

function Label({ now, label }: { now: Case; label: HeadLabel }) {
	const { name, score, baseline, support, misses } = label;
	const [first, others] = [misses.slice(0, LISTED), misses.slice(LISTED)];
	return (
		<div class="label-of-head">
			<div class="measured">
				<b class="name">{name}</b>
				<span class="track">
					<Level share={score} uniform={baseline} />
				</span>
				<b>{score.toFixed(2)}</b>
				<span class="muted" title={`uniform attention would have ${baseline.toFixed(2)}`}>
					{baseline.toFixed(2)}
				</span>
				<span class="muted" title={`on ${support} rows of this text`}>
					{support}
				</span>
			</div>
			{misses.length > 0 && (
				<>
					<p class="muted">doesn’t hold here:</p>
					<Misses now={now} misses={first} />
					{others.length > 0 && (
						<details>
							<summary>{`${others.length} more`}</summary>
							<Misses now={now} misses={others} />
						</details>
					)}
				</>
			)}
		</div>
	);
}

function Misses({ now, misses }: { now: Case; misses: readonly Miss[] }) {
	return (
		<ul class="misses">
			{misses.map((miss) => (
				<One key={`${miss.query} ${miss.instead}`} now={now} miss={miss} />
			))}
		</ul>
	);
}

/** Looked at while the pointer is on it, and pinned by a click. */
function One({
	now: { scene, actions },
	miss: { query, expected, weight, instead, instead_weight },
}: {
	now: Case;
	miss: Miss;
}) {
	const { queries, keys } = scene.tokens;
	const awaited = several(expected.map((key) => quoted(keys, key)));
	const pointer = [query, instead] as const;
	const look = () => actions.hover(pointer, "cell");
	const leave = () => actions.hover(null, "cell");
	const [who, other] = [quoted(queries, query), quoted(keys, instead)];
	return (
		<li onPointerEnter={look} onPointerLeave={leave}>
			<b class="who">{who}</b>
			<span>
				{"reads\u00a0"}
				<b class="read-of">{other}</b>
				{`\u00a0${instead_weight.toFixed(2)}`}
				<span class="muted">{`, not ${awaited} ${weight.toFixed(2)}`}</span>
			</span>
			<button
				type="button"
				class="over"
				aria-label={`pin ${who} reading ${other} ${instead_weight.toFixed(2)}, not ${awaited} ${weight.toFixed(2)}`}
				onFocus={look}
				onBlur={leave}
				onClick={(event) => actions.pin(pointer, event.shiftKey)}
			/>
		</li>
	);
}
