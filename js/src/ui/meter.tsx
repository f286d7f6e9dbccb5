import type { Scene } from "../scene";
import { missingText, percent, short, weightText } from "./words";

/** How much of what is read is hidden: of what is looked at, else on average. */
export function Meter({ scene }: { scene: Scene }) {
	const { description, state, focus, tokens } = scene;
	if (!description.hides) return null;
	const mass = hiddenMass(scene);
	const [query, ...others] = focus.queries;
	const more = others.length ? ` and ${others.length} more read` : " reads";
	const whose =
		query === undefined
			? `a ${state.unit} reads, on average`
			: `“${short(tokens.queries, query)}”${more}`;
	const isShare = description.shares;
	const said =
		mass === undefined ? missingText(scene) : isShare ? percent(mass) : weightText(mass, true);
	return (
		<div
			class="meter"
			title={`The sum of each ${description.number} on what is hidden, mean over ${state.heads.length > 1 ? "the chosen heads" : "the queries"}`}
		>
			{isShare && (
				<span class="gauge">
					<span style={{ width: `${100 * (mass ?? 0)}%` }} />
				</span>
			)}
			<span>
				hidden: <b>{said}</b> of what {whose}
			</span>
		</div>
	);
}

/** The mean over the chosen heads, and over the queries that are looked at: else over all. */
function hiddenMass({ state, reader, focus }: Scene): number | undefined {
	const masses = state.heads.map((head) => reader.mass([state.layer, head]));
	let sum = 0;
	for (const mass of masses) {
		if (!mass) return undefined;
		const some = focus.queries.length ? focus.queries.map((query) => mass[query] as number) : mass;
		sum += (some as number[]).reduce((a, b) => a + b, 0) / some.length;
	}
	return sum / masses.length;
}
