import type { VNode } from "preact";
import type { ReadsStudied } from "../protocol.gen";
import { studiesOf } from "../source/studies";
import { type Case, foundOf, wantedBy } from "../views/evidence-case";
import { chanceText, mostAgainst, type RankedHead, rankedIn } from "../views/evidence-ranks";
import { quoted, several } from "../views/evidence-tokens";
import { Slots } from "./evidence-slots";
import { Failed, Part, Remarks } from "./evidence-study";
import { isChosen, Level, Rank, shareText } from "./ranks";

const LISTED = 8;

/** Which heads read what is asked about, all of them ranked. */
export function Reads({ now }: { now: Case }) {
	const { source, slots, gone } = now;
	const study = wantedBy(now).reads;
	const studied = study ? studiesOf(source).of(study) : undefined;
	const found = foundOf(studied, "reads");
	const compares = slots.against.length > 0;
	return (
		<Part
			title="does X read Y?"
			aside={found && (compares ? "Y · Z · p of the difference" : "mass · percentile · p")}
		>
			<Slots now={now} />
			{!study && (
				<p class="muted">
					Pin a token for X and one for Y, and each head is asked how much X reads of Y.
				</p>
			)}
			{study && !found && studied?.kind !== "failed" && <p class="muted">{gone || "…"}</p>}
			<Failed source={source} study={study} gone={gone} />
			{found && <Ranks now={now} found={found} />}
		</Part>
	);
}

function Ranks({ now, found }: { now: Case; found: ReadsStudied }) {
	const { scene, slots, draft, change } = now;
	const { state } = scene;
	const ranked = rankedIn(found, slots, scene.description);
	const top = draft.all ? ranked : ranked.slice(0, LISTED);
	const chosen = ranked.find((one) => isChosen(one, state));
	const listed = chosen && !top.includes(chosen) ? [...top, chosen] : top;
	const most = ranked.reduce(
		(sum, { mass, against }) => Math.max(sum, Math.abs(mass), Math.abs(against ?? 0)),
		found.uniform ?? 0,
	);
	const drawnFrom = [found, state.layer, `${state.heads}`, draft.all];
	const list = asBefore(draft, drawnFrom, () => (
		<ol class={draft.all ? "ranks all" : "ranks"}>
			{listed.map((one) => (
				<Row
					key={`${one.layer}.${one.head}`}
					now={now}
					one={one}
					last={draft.all ? ranked.length : LISTED}
					most={most || 1}
					uniform={found.uniform}
				/>
			))}
		</ol>
	));
	return (
		<>
			<p>{sentenceOf(now, ranked)}</p>
			{list}
			{ranked.length > LISTED && (
				<button
					type="button"
					name="all"
					class="quiet"
					aria-expanded={draft.all}
					onClick={() => change({ all: !draft.all })}
				>
					{draft.all ? `show the first ${LISTED}` : `show all ${ranked.length} heads`}
				</button>
			)}
			<Remarks
				notes={[
					...(found.uniform === null
						? []
						: [`Uniform attention would have ${found.uniform.toFixed(3)} (the marks).`]),
					...found.notes,
				]}
			/>
		</>
	);
}

const drawn = new WeakMap<object, { readonly from: readonly unknown[]; readonly list: VNode }>();

/** What is drawn of the same again is the same: a thousand rows take longer than a frame. */
function asBefore(view: object, from: readonly unknown[], draw: () => VNode): VNode {
	const before = drawn.get(view);
	if (before?.from.every((one, i) => one === from[i])) return before.list;
	const list = draw();
	drawn.set(view, { from, list });
	return list;
}

function Row({
	now: { scene, actions },
	one,
	last,
	most,
	uniform,
}: {
	now: Case;
	one: RankedHead;
	/** Those that come after it aren't listed in their order. */
	last: number;
	most: number;
	uniform: number | null;
}) {
	const { rank, mass, against, elsewhere, percentile, p } = one;
	const layer = scene.description.layers[one.layer];
	const name = `${layer}.${one.head}`;
	const chance = chanceText(p);
	const other = against === null ? percentileText(percentile) : against.toFixed(3);
	const named = against === null ? `percentile ${other}` : `against ${other}`;
	const there = elsewhere === null ? "" : `, at other places ${elsewhere.toFixed(3)}`;
	return (
		<Rank
			name={rank > last ? `${name} (${rank}.)` : name}
			track={
				against === null ? (
					<Level share={Math.abs(mass) / most} uniform={uniform === null ? null : uniform / most} />
				) : (
					<Against mass={Math.abs(mass) / most} against={Math.abs(against) / most} />
				)
			}
			on={isChosen(one, scene.state)}
			says={`layer ${layer} head ${one.head}, rank ${rank}: mass ${mass.toFixed(3)}${there}, ${named}, ${chance}`}
			press={(also) => actions.choose(one, also)}
		>
			<span class="mass">{mass.toFixed(3)}</span>
			<span class="other">{other}</span>
			<span class="chance">{chance}</span>
		</Rank>
	);
}

/** From the middle to the right what is asked about, to the left what it is held against. */
function Against({ mass, against }: { mass: number; against: number }) {
	return (
		<>
			<i class="level to-right" style={{ width: shareText(mass / 2) }} />
			<i class="level to-left" style={{ width: shareText(against / 2) }} />
			<i class="middle" />
		</>
	);
}

function percentileText(percentile: number | null): string {
	return percentile === null ? "–" : percentile.toFixed(1);
}

/** Who reads it most, and of two who reads the other. */
function sentenceOf({ scene, slots }: Case, ranked: readonly RankedHead[]): string {
	const { queries, keys } = scene.tokens;
	const names = (table: typeof keys, some: readonly number[]) =>
		several(some.map((index) => quoted(table, index)));
	const name = ({ layer, head }: RankedHead) => `${scene.description.layers[layer]}.${head}`;
	const best = ranked.reduce((a, b) => (b.mass > a.mass ? b : a));
	const edge = `${names(queries, slots.queries)} → ${names(keys, slots.keys)}`;
	const elsewhere = best.elsewhere === null ? "" : `; at other places ${best.elsewhere.toFixed(2)}`;
	const said = `${name(best)} reads ${edge} most (${best.mass.toFixed(2)}${elsewhere})`;
	const other = mostAgainst(ranked);
	if (!other) return `${said}.`;
	return `${said}; ${names(keys, slots.against)} most in ${name(other)} (${other.against?.toFixed(2)}).`;
}
