import type { EffectStudied, Odds } from "../protocol.gen";
import { Remarks } from "./evidence-study";
import { shareText } from "./ranks";
import { choiceText } from "./words";

/** What edits changed: in a sentence, in what the model gives before and after, in one number. */
export function Effect({ found }: { found: EffectStudied }) {
	const { odds, about, said, notes } = found;
	const most = Math.max(
		...odds.flatMap(({ before, after }) => [Math.abs(before), Math.abs(after)]),
	);
	return (
		<div class="effect">
			<p>
				<b>{said}</b>
			</p>
			{odds.length > 0 && (
				<>
					<div class="title">
						<span class="muted">{about}</span>
						<span class="muted pair-key">
							<i class="before" />
							before
							<i class="after" />
							after
						</span>
					</div>
					<ol class="odds">
						{odds.map((one, i) => (
							// Two tokens may read the same; their rank tells them apart.
							<Chance key={`${i} ${one.text}`} one={one} most={most || 1} />
						))}
					</ol>
				</>
			)}
			<p class="muted">
				{[odds.length ? "" : about, distanceText(found)].filter(Boolean).join(" · ")}
			</p>
			<Remarks notes={notes} />
		</div>
	);
}

function Chance({ one: { text, before, after }, most }: { one: Odds; most: number }) {
	return (
		<li>
			<span class="what" dir="auto" title={text}>
				{text === "" ? "no answer" : choiceText(text)}
			</span>
			<span class="bars-of-two">
				<i class="before" style={{ width: shareText(Math.abs(before) / most) }} />
				<i class="after" style={{ width: shareText(Math.abs(after) / most) }} />
			</span>
			<span class="muted">{oddsText(before)}</span>
			<span>{oddsText(after)}</span>
		</li>
	);
}

/** To three digits, and less than these can say in powers of ten. */
export function oddsText(value: number): string {
	if (value !== 0 && Math.abs(value) < 5e-4) return value.toExponential(0).replace("-", "−");
	return value.toFixed(3);
}

function distanceText({ kl, distance }: EffectStudied): string {
	const parts = [
		kl === null ? "" : `KL ${Number(kl.toPrecision(3))} nats`,
		distance === null ? "" : `cosine distance ${Number(distance.toPrecision(3))}`,
	];
	return parts.filter(Boolean).join(" · ");
}
