import type { DifferStudied, EdgeInfo } from "../protocol.gen";
import type { Scene } from "../scene";
import type { TileSource } from "../source/source";
import { studiesOf } from "../source/studies";
import { type Case, DIFFER, edgeText, isByToken, SIDES } from "../views/compare-case";
import type { Actions } from "../views/view";
import { Failed } from "./evidence-study";
import { isChosen, Level, Rank } from "./ranks";
import { percent } from "./words";

interface Props {
	readonly scene: Scene;
	readonly source: TileSource;
	readonly actions: Actions;
	readonly now: Case | undefined;
}

/** What stands before the texts: why there are none yet, else what a classifier says of each. */
export function Beside({ scene, source, actions, now }: Props) {
	if (now) return <Labels now={now} />;
	if (!isByToken(scene)) return <Other actions={actions} />;
	const gone = scene.status.kind === "gone" ? scene.status.why : "";
	return (
		<>
			{studiesOf(source).of(SIDES)?.kind === "running" && (
				<p class="muted">comparing the texts …</p>
			)}
			<Failed source={source} study={SIDES} gone={gone} />
		</>
	);
}

/** Words, or one of the two alone, aren't what stands opposite each other. */
function Other({ actions }: { actions: Actions }) {
	const show = () => {
		actions.set("kind", "difference");
		actions.set("unit", "token");
	};
	return (
		<p class="muted">
			Texts are compared token by token, by their difference.{" "}
			<button type="button" class="quiet" onClick={show}>
				show the difference
			</button>
		</p>
	);
}

function Labels({ now }: { now: Case }) {
	const { sides, names } = now;
	if (!sides.labels.some((labels) => labels.length)) return null;
	return (
		<>
			{sides.labels.map((labels, side) => (
				<p
					key={names[side]}
					class="labels"
					title={`what the model says of ${names[side]} (${sides.labels_by[side]})`}
				>
					{names[side]}{" "}
					{labels.map(([name, share]) => (
						<span key={name}>
							{name} <b>{share.toFixed(2)}</b>
						</span>
					))}
				</p>
			))}
		</>
	);
}

/** The heads by how much what they read differs, each with the weight that differs most. */
export function Ranking({ now, actions }: { now: Case; actions: Actions }) {
	const { scene, source, differ } = now;
	const gone = scene.status.kind === "gone" ? scene.status.why : "";
	const studied = studiesOf(source).of(DIFFER);
	return (
		<>
			<div class="title">
				<span>heads that differ most</span>
				<span class="muted">{hasNone(differ) ? "largest difference" : "divergence, in nats"}</span>
			</div>
			{studied?.kind === "running" && (
				<p class="muted" aria-live="polite">
					comparing heads, {percent(studied.share)}
				</p>
			)}
			<Failed source={source} study={DIFFER} gone={gone} />
			{differ && <Ranks now={now} found={differ} actions={actions} />}
		</>
	);
}

function Ranks({ now, found, actions }: { now: Case; found: DifferStudied; actions: Actions }) {
	const { scene } = now;
	const { state, description } = scene;
	const none = hasNone(found);
	const sizeOf = ({ layer, head, first, second }: EdgeInfo) =>
		none ? Math.abs(second - first) : (found.js[layer * description.heads + head] ?? 0);
	const [strongest] = found.edges;
	const row = (edge: EdgeInfo) => {
		const { layer, head } = edge;
		const size = sizeOf(edge);
		const says = edgeText(now.sides, edge);
		const name = `${description.layers[layer]}.${head}`;
		return (
			<Rank
				key={name}
				name={name}
				track={<Level share={size / sizeOf(strongest ?? edge)} uniform={null} />}
				on={isChosen(edge, state)}
				says={`layer ${description.layers[layer]} head ${head}: ${size.toFixed(4)}${none ? "" : " nats"}; ${says}`}
				press={(also) => actions.choose(edge, also)}
			>
				<span class="mass">{size.toFixed(4)}</span>
				<span class="edge">{says}</span>
			</Rank>
		);
	};
	if (!found.edges.length)
		return <p class="muted">No head reads anything else in one than in the other.</p>;
	const rows =
		found.read < description.queries
			? `${found.read} of ${description.queries}`
			: `all ${found.read}`;
	return (
		<>
			<ol class="ranks">{found.edges.map(row)}</ol>
			<p class="muted note">
				{none
					? "Numbers below 0 have no divergence: heads are ranked by the one that differs most."
					: "Jensen–Shannon divergence between what a token reads in both, of the tokens that " +
						`stand opposite each other; mean over ${rows} rows, at most ln 2 = 0.69. Below: the ` +
						"number that differs most."}
			</p>
		</>
	);
}

/** Whether no head has a divergence. */
function hasNone(found: DifferStudied | undefined): boolean {
	return found?.js.every((js) => js === null) ?? false;
}
