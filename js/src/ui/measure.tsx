import { reasonsOf } from "../measures";
import type { Description, Measure } from "../protocol.gen";
import type { Store, Synced } from "../store";

const NAMES: Readonly<Record<Measure, string>> = {
	weights: "weights",
	norms: "norms |Af|",
	"norms summed": "norms |ΣAf|, heads together",
	rollout: "rollout",
	relevance: "relevance",
	logits: "logits",
};

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
	const reasons = reasonsOf(description);
	const others = [...reasons].filter(([name, why]) => name !== "weights" && !why);
	if (!others.length && measure === "weights") return null;
	return (
		<label title={live ? "" : "this takes the kernel"}>
			Show
			<select
				value={measure}
				aria-label="what is shown"
				disabled={!live}
				onChange={(event) => store.set("measure", event.currentTarget.value as Measure)}
			>
				{[...reasons].map(([name, why]) => (
					<option key={name} value={name} disabled={why !== ""} title={why}>
						{NAMES[name]}
					</option>
				))}
			</select>
			{live && measure !== description.measure && <span class="muted">working it out …</span>}
		</label>
	);
}
