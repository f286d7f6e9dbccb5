import { whyNot } from "../measures";
import { type Description, MEASURES, type Measure } from "../protocol.gen";
import type { Store, Synced } from "../store";

/** Whether weights are shown, or what is worked out from them and more. */
export function MeasureChoice({
	description,
	measure,
	live,
	store,
}: {
	description: Description;
	measure: Synced["measure"];
	live: boolean;
	store: Store;
}) {
	const [weights, ...others] = MEASURES;
	const offered = others.some((name) => !whyNot(description, name));
	if (!offered && measure === weights) return null;
	return (
		<label>
			Show
			<select
				value={measure}
				aria-label="what is shown"
				disabled={!live}
				onChange={(event) => store.set("measure", event.currentTarget.value as Measure)}
			>
				{MEASURES.map((name) => {
					const why = whyNot(description, name);
					return (
						<option key={name} value={name} disabled={why !== ""} title={why}>
							{name}
						</option>
					);
				})}
			</select>
			{live && measure !== description.measure && <span class="muted">working it out …</span>}
		</label>
	);
}
