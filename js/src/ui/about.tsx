import type { Description, Unit } from "../protocol.gen";
import { SILENT_AFTER_S, type Status, type TileSource } from "../source/source";
import { isOfLayers, percent } from "./words";

/** What is shown, whether it is the model's own, and how its numbers are reached. */
export function About({
	description,
	unit,
	status,
	source,
}: {
	description: Description;
	unit: Unit;
	status: Status;
	source: TileSource;
}) {
	return (
		<div class="about">
			<span class="muted" title={aboutText(description, unit)}>
				{aboutText(description, unit)}
			</span>
			<CheckSign {...description} />
			<StatusSign status={status} source={source} held={description.held} />
		</div>
	);
}

function aboutText(description: Description, unit: Unit): string {
	const { model, layers, heads, queries, keys, same_tokens } = description;
	const count = isOfLayers(description)
		? `${layers.length} layers`
		: `${layers.length} × ${heads} heads`;
	const tokens = same_tokens ? `${queries} ${unit}s` : `${queries} × ${keys} ${unit}s`;
	return [model, count, tokens].filter(Boolean).join(" · ");
}

/** How far the weights are from what the model itself computed. */
function CheckSign({ check, measure }: Description) {
	if (!check) return null;
	const worst = check.worst === 0 ? "0" : check.worst.toExponential(0);
	const more = measure === "weights" ? "" : " and projection";
	const title =
		`Weights of sampled rows times the values${more}, against the model's own attention output: ` +
		`the largest difference is ${worst}, of ${check.tolerance.toExponential(0)} allowed`;
	return (
		<span class={check.ok ? "check" : "check failed"} title={title}>
			{check.ok ? `checked to ${worst}` : `not the model's: off by ${worst}`}
		</span>
	);
}

function statusText(status: Status, held: string): string {
	switch (status.kind) {
		case "connecting":
			return "connecting";
		case "live":
			return held || "live, exact";
		case "computing":
			return `computing, ${percent(status.share)}`;
		case "stopped":
			return "stopped";
		case "gone":
			return "no kernel";
		case "busy":
			return status.seconds < SILENT_AFTER_S
				? `kernel busy, ${status.seconds} s`
				: `no answer for ${status.seconds} s: busy or gone`;
	}
}

function StatusSign({
	status,
	source,
	held,
}: {
	status: Status;
	source: TileSource;
	held: string;
}) {
	return (
		<>
			<span
				class={`status ${status.kind}`}
				role="status"
				title={status.kind === "gone" ? status.why : ""}
			>
				{statusText(status, held)}
			</span>
			{status.kind === "computing" && (
				<>
					<progress value={status.share} aria-label="share that is computed" />
					<button type="button" class="quiet" onClick={() => source.stop()}>
						stop
					</button>
				</>
			)}
			{status.kind === "stopped" && (
				<button type="button" class="quiet" onClick={() => source.goOn()}>
					go on
				</button>
			)}
		</>
	);
}
