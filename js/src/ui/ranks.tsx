import type { ComponentChildren } from "preact";
import type { Synced } from "../store";
import type { HeadOf } from "../views/view";

/** A head among others: what it has, on a track and in numbers; pressed, it is gone to. */
export function Rank({
	name,
	track,
	on,
	says,
	press,
	children,
}: {
	name: string;
	track: ComponentChildren;
	on: boolean;
	/** All of it, for who doesn't see it. */
	says: string;
	press: (also: boolean) => void;
	children?: ComponentChildren;
}) {
	return (
		<li class={on ? "rank on" : "rank"}>
			<span class="name">{name}</span>
			<span class="track">{track}</span>
			{children}
			<button
				type="button"
				class="over"
				aria-pressed={on}
				aria-label={says}
				onClick={(event) => press(event.shiftKey)}
			/>
		</li>
	);
}

/** A bar of a share of its track, and where uniform attention would end. */
export function Level({ share, uniform }: { share: number; uniform: number | null }) {
	return (
		<>
			<i class="level" style={{ width: shareText(share) }} />
			{uniform !== null && <i class="tick" style={{ insetInlineStart: shareText(uniform) }} />}
		</>
	);
}

/** In CSS. */
export function shareText(share: number): string {
	return `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;
}

export function isChosen({ layer, head }: HeadOf, state: Synced): boolean {
	return layer === state.layer && state.heads.includes(head);
}
