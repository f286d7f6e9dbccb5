import { onScale, type Palette, shade } from "../draw/colour";
import type { Description } from "../protocol.gen";

const STEPS = 16;

/** The colour scale with its true values, placed where they lie on it. */
export function Legend({ colours, description }: { colours: Palette; description: Description }) {
	const { scale } = description;
	const stops = Array.from({ length: STEPS + 1 }, (_, i) =>
		shade(colours, (i / STEPS) ** 2 * scale, scale),
	);
	const ticks = [0, 0.01, 0.1, 0.5, 1].map((share) => share * scale);
	return (
		<div
			class="legend"
			role="img"
			aria-label={`colour of a weight, from 0 to ${format(scale)}, square root`}
		>
			<div
				class="gradient"
				style={{ background: `linear-gradient(to right, ${stops.join(", ")})` }}
			/>
			{ticks.map((tick) => (
				<span key={tick} style={{ left: `${onScale(tick, scale) * 100}%` }}>
					{format(tick)}
				</span>
			))}
		</div>
	);
}

function format(value: number): string {
	return String(Number(value.toPrecision(2))).replace(/^0\./, ".");
}
