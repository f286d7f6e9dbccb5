import type { RecordedVariant, ViewState } from "../protocol.gen";

/** What of the weights is shown. */
export const VARIANT = [
	"kind",
	"measure",
	"unit",
	"hide",
	"hide_tokens",
	"renormalise",
] as const satisfies readonly (keyof ViewState)[];

type Chosen = Pick<ViewState, (typeof VARIANT)[number]>;

/** The variant that is chosen, if it was recorded; of another kind than is shown, any that was. */
export function chosenIn(
	variants: readonly RecordedVariant[],
	state: ViewState,
	shown: RecordedVariant,
): RecordedVariant | undefined {
	const exact = variants.find((variant) => nameOf(variant) === nameOf(state));
	if (exact || state.kind === shown.kind) return exact;
	return variants.find(({ kind }) => kind === state.kind);
}

function nameOf(chosen: Chosen): string {
	const hides = chosen.hide.length + chosen.hide_tokens.length > 0;
	return JSON.stringify(
		VARIANT.map((name) => (name === "renormalise" ? hides && chosen[name] : chosen[name])),
	);
}

/** The state that comes with a variant: what was chosen stays as far as it is there. */
export function stateOf(
	{ description, qa, ...variant }: RecordedVariant,
	was: ViewState,
	shown: RecordedVariant,
): Partial<ViewState> {
	const heads = was.heads.filter((head) => head < description.heads);
	const same = variant.kind === shown.kind && variant.unit === shown.unit;
	return {
		...(Object.fromEntries(VARIANT.map((name) => [name, variant[name]])) as unknown as Chosen),
		layer: Math.min(was.layer, description.layers.length - 1),
		heads: heads.length ? heads : [description.heads - 1],
		// Other tokens than before: what pointed at the old ones would point anywhere.
		...(same ? {} : { hovered: null, selected: null, also: [] }),
		_description: description,
		_qa: qa,
	};
}
