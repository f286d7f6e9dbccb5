import type { ComponentChildren } from "preact";
import type { PairStudied } from "../protocol.gen";
import { readingOf } from "../scene";
import { studiesOf } from "../source/studies";
import { type Case, effectOf, foundOf, start, wantedBy } from "../views/evidence-case";
import { cutOf, SCOPES, type Scope } from "../views/evidence-edits";
import { quoted } from "../views/evidence-tokens";
import { Effect } from "./evidence-effect";
import { Act, Failed, Running } from "./evidence-study";
import { headText, missingText, percent, weightText } from "./words";

type Pair = readonly [query: number, key: number];

/** What is known of one edge; and whether it matters, once it was cut. */
export function Strip({ now }: { now: Case }) {
	const { pair, source, draft, gone } = now;
	const cut = draft.cut && foundOf(studiesOf(source).of(draft.cut), "effect");
	return (
		<section class="edge" aria-label="one edge">
			{pair ? (
				<Edge now={now} pair={pair} />
			) : (
				<p class="muted how">
					Click a token to pin who reads, then Shift+click one that it may read from: what is known
					of that edge stands here, and cutting it shows whether it matters. An edge joins two
					tokens: what one reads of itself stands below the views.
				</p>
			)}
			<Failed source={source} study={draft.cut} gone={gone} />
			{cut && <Effect found={cut} />}
		</section>
	);
}

function Edge({ now, pair }: { now: Case; pair: Pair }) {
	const { scene, head, source, gone } = now;
	const { tokens, description } = scene;
	const wanted = wantedBy(now).pair;
	const studied = wanted ? studiesOf(source).of(wanted) : undefined;
	const found = foundOf(studied, "pair");
	const line = readingOf(scene.reader, "row", head.layer, [head.head], pair[0], true)?.lines[0];
	const [who, what] = [quoted(tokens.queries, pair[0]), quoted(tokens.keys, pair[1])];
	return (
		<>
			<div class="facts">
				<Fact name={headText(description, head)}>
					<b>{`${who} reads from ${what}`}</b>
				</Fact>
				<Fact name={description.number}>
					{line ? (
						<b>{weightText(line.values[pair[1]] as number, line.exact)}</b>
					) : (
						missingText(scene)
					)}
				</Fact>
				{found ? (
					<Known found={found} />
				) : (
					<Fact name="percentile at this distance">
						<span class="muted">
							{studied?.kind === "failed" ? gone || studied.fault.message : gone || "…"}
						</span>
					</Fact>
				)}
			</div>
			<Cut now={now} pair={pair} />
		</>
	);
}

/** What a weight is beside others, and what it carries. */
function Known({ found }: { found: PairStudied }) {
	const { percentile, cells, norm, norm_why, logit, logit_of } = found;
	return (
		<>
			<Fact name="percentile at this distance">
				{percentile === null ? (
					<span class="muted">not known</span>
				) : (
					<>
						<b>{percentile.toFixed(1)}</b>
						<span class="muted">{`\u00a0of ${cells} cells`}</span>
					</>
				)}
			</Fact>
			<Fact name="share of |Af| in the row" why={norm_why}>
				{norm !== null && <b>{percent(norm)}</b>}
			</Fact>
			{logit !== null && (
				<Fact name={`adds to the logit of ${logit_of}`}>
					<b>{signed(logit)}</b>
				</Fact>
			)}
		</>
	);
}

/** A number with its name; where there is none, a sentence says why. */
function Fact({
	name,
	why = "",
	children,
}: {
	name: string;
	why?: string;
	children: ComponentChildren;
}) {
	return (
		<div class="fact">
			<span class="muted">{name}</span>
			<div>
				{children || (
					<span class="muted why" title={why}>
						{why}
					</span>
				)}
			</div>
		</div>
	);
}

function Cut({ now, pair }: { now: Case; pair: Pair }) {
	const { source, draft, gone, fixed, change } = now;
	const study = effectOf(now, [cutOf(now, pair)]);
	const found = foundOf(studiesOf(source).of(study), "effect");
	const isBelow = JSON.stringify(study) === JSON.stringify(draft.cut);
	return (
		<div class="cut">
			<Act
				name="cut"
				why={gone || fixed}
				onClick={() => {
					change({ cut: study });
					start(source, study);
				}}
			>
				Cut the edge
			</Act>
			<label>
				in
				<select
					name="scope"
					aria-label="where the edge is cut"
					value={draft.scope}
					onChange={({ currentTarget }) => change({ scope: currentTarget.value as Scope })}
				>
					{Object.entries(SCOPES).map(([scope, text]) => (
						<option key={scope} value={scope}>
							{text}
						</option>
					))}
				</select>
			</label>
			<span class="says">
				{found && !isBelow && found.said}
				{!found && <span class="muted">{fixed || "reads from — not yet: matters"}</span>}
			</span>
			<Running source={source} study={draft.cut} what="the run without this edge" />
		</div>
	);
}

function signed(value: number): string {
	return `${value < 0 ? "−" : "+"}${Number(Math.abs(value).toPrecision(3))}`;
}
