import type { Description, ReadsStudied } from "../protocol.gen";
import type { Slots } from "./evidence-slots";
import type { HeadOf } from "./view";

/** A head among all, by what it reads of what was asked about. */
export interface RankedHead extends HeadOf {
	readonly rank: number;
	readonly mass: number;
	/** The mass of the other keys; null where there are none. */
	readonly against: number | null;
	/** The mean mass at other places with the same distances, and the mass's percentile there. */
	readonly elsewhere: number | null;
	readonly percentile: number | null;
	/** By chance in any head: of the mass, or of the difference. */
	readonly p: number | null;
}

const known = new WeakMap<ReadsStudied, readonly RankedHead[]>();

/** All heads: the largest mass first; with other keys, the largest difference, per token. */
export function rankedIn(
	found: ReadsStudied,
	{ keys, against }: Slots,
	{ heads }: Pick<Description, "heads">,
): readonly RankedHead[] {
	const before = known.get(found);
	if (before) return before;
	const compares = against.length > 0;
	const differs = compares && keys.length !== against.length;
	const [perKey, perOther] = differs ? [keys.length, against.length] : [1, 1];
	const all = found.mass.map((mass, i) => ({
		layer: Math.floor(i / heads),
		head: i % heads,
		mass,
		against: compares ? (found.against[i] ?? 0) : null,
		elsewhere: found.elsewhere[i] ?? null,
		percentile: found.percentile[i] ?? null,
		p: (compares ? found.p_difference[i] : found.p[i]) ?? null,
		by: mass / perKey - (compares ? (found.against[i] ?? 0) / perOther : 0),
	}));
	const ranked = all
		.sort((a, b) => b.by - a.by)
		.map(({ by: _, ...one }, i) => ({ ...one, rank: i + 1 }));
	known.set(found, ranked);
	return ranked;
}

/** Who reads the other keys most, of those that come last by the difference. */
export function mostAgainst(ranked: readonly RankedHead[]): RankedHead | undefined {
	const [first] = ranked;
	if (!first || first.against === null) return undefined;
	return ranked.reduce((a, b) => ((b.against ?? 0) > (a.against ?? 0) ? b : a));
}

const LEAST = 0.001;
const CHANCE = 0.05;

/** What chance makes of a number, in words. */
export function chanceText(p: number | null): string {
	if (p === null) return "p not known";
	if (p >= CHANCE) return "not more than chance";
	return p < LEAST ? `p < ${LEAST}` : `p ${p.toFixed(3)}`;
}
