import type { Fault } from "../source/source";

/** What went wrong, in the widget itself: a person may never open the browser's console. */
export function Faults({ fault, dismiss }: { fault: Fault | null; dismiss: () => void }) {
	if (!fault) return null;
	return (
		<div class="fault" role="alert">
			<b>{fault.message}</b>
			{fault.detail && (
				<details>
					<summary>details</summary>
					<pre>{fault.detail}</pre>
				</details>
			)}
			<button type="button" aria-label="dismiss the message" onClick={dismiss}>
				×
			</button>
		</div>
	);
}

export function Notes({ notes, why }: { notes: readonly string[]; why: string }) {
	const all = why ? [...notes, why] : notes;
	if (!all.length) return null;
	return (
		<ul class="notes">
			{all.map((note) => (
				<li key={note}>{note}</li>
			))}
		</ul>
	);
}
