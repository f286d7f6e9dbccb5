import { FORMATS, type Taking } from "../export/taking";
import type { ViewName } from "../protocol.gen";
import { closeByEscape, keepWithin } from "./hide";
import { VIEW_LABELS } from "./words";

/** The menu of what can be taken away: a picture of each view, a row's numbers. */
export function Take({
	taking,
	views,
	can,
	row,
	opened,
}: {
	taking: Taking;
	views: readonly ViewName[];
	/** Whether what takes them can be had. */
	can: boolean;
	/** Whether there is a row whose numbers can be copied. */
	row: boolean;
	opened: () => void;
}) {
	const { said, saved } = taking;
	const done = (event: Event, act: () => Promise<void>) => {
		const menu = (event.currentTarget as Element).closest("details");
		if (menu) menu.open = false;
		menu?.querySelector("summary")?.focus();
		void act();
	};
	return (
		<div class="take">
			<details
				class="menu"
				onToggle={(event) => {
					keepWithin(event.currentTarget);
					taking.opened(event.currentTarget.open);
					opened();
				}}
				onKeyDown={closeByEscape}
			>
				<summary aria-label="take away" title="save a view as a picture, copy a row's numbers">
					⤓
				</summary>
				<fieldset class="panel" aria-label="what to take away">
					{views.map((view) => (
						<div key={view}>
							<span>{VIEW_LABELS[view]}</span>
							{FORMATS.map((format) => (
								<button
									key={format}
									type="button"
									class="quiet"
									disabled={!can}
									aria-label={`${VIEW_LABELS[view]} as ${format}`}
									onClick={(event) => done(event, () => taking.save(view, format))}
								>
									{format}
								</button>
							))}
						</div>
					))}
					{!can && <p class="muted">This takes the kernel, and it is gone.</p>}
					<button
						type="button"
						class="quiet"
						disabled={!row || !can}
						title={row ? "" : "hover or pin a token first"}
						onClick={(event) => done(event, () => taking.copy())}
					>
						copy the row's numbers
					</button>
				</fieldset>
			</details>
			<span class="said" aria-live="polite">
				{said}
				{saved && (
					<a href={saved.url} download={saved.name} target="_blank" rel="noreferrer">
						{saved.name}
					</a>
				)}
			</span>
		</div>
	);
}
