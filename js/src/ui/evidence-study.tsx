import type { ComponentChildren } from "preact";
import type { Study } from "../protocol.gen";
import type { TileSource } from "../source/source";
import { studiesOf } from "../source/studies";

/** A part of the view: what it is about, and what its numbers are. */
export function Part({
	title,
	aside,
	children,
}: {
	title: string;
	aside?: ComponentChildren;
	children: ComponentChildren;
}) {
	return (
		<section class="part" aria-label={title}>
			<div class="title">
				<span>{title}</span>
				{aside && <span class="muted">{aside}</span>}
			</div>
			{children}
		</section>
	);
}

/** A button that says why it can't be pressed; "" where it may. */
export function Act({
	name,
	why,
	primary = false,
	onClick,
	children,
}: {
	name: string;
	why: string;
	primary?: boolean;
	onClick: () => void;
	children: ComponentChildren;
}) {
	return (
		<button
			type="button"
			name={name}
			class={primary ? "primary" : "act"}
			disabled={why !== ""}
			title={why}
			onClick={onClick}
		>
			{children}
		</button>
	);
}

interface Asked {
	readonly source: TileSource;
	readonly study: Study | null;
}

/** How far a run is, and a way to give it up. */
export function Running({ source, study, what }: Asked & { what: string }) {
	const studied = study ? studiesOf(source).of(study) : undefined;
	return (
		<span class="running" aria-live="polite">
			{studied?.kind === "running" && (
				<>
					<progress aria-label={`share of ${what} that is done`} value={studied.share} />
					<button type="button" class="quiet" onClick={() => studiesOf(source).stop()}>
						Stop
					</button>
				</>
			)}
		</span>
	);
}

/** Why nothing came of a study, and a way to try once more; `gone` where that can't help. */
export function Failed({ source, study, gone }: Asked & { gone: string }) {
	const studied = study ? studiesOf(source).of(study) : undefined;
	if (!study || studied?.kind !== "failed") return null;
	if (gone) return <p class="muted">{gone}</p>;
	const { message, detail } = studied.fault;
	return (
		<div class="failed" role="alert">
			<p class="wrong">{message}</p>
			{detail && (
				<details>
					<summary>details</summary>
					<pre>{detail}</pre>
				</details>
			)}
			<button type="button" class="quiet" onClick={() => studiesOf(source).again(study)}>
				try again
			</button>
		</div>
	);
}

/** What must be known to read the numbers rightly. */
export function Remarks({ notes }: { notes: readonly string[] }) {
	if (!notes.length) return null;
	return (
		<ul class="remarks">
			{notes.map((note) => (
				<li key={note}>{note}</li>
			))}
		</ul>
	);
}
