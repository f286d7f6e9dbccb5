import { type CurveName, type Ink, type Palette, stepColour } from "../draw/colour";
import { COLOUR_SCALES, type ColourScale, SCALE_TOS, type ScaleTo } from "../protocol.gen";
import type { Store, Synced } from "../store";

const STOPS = 16;
const SIGNS: Readonly<Record<ColourScale, string>> = { linear: "linear", sqrt: "√", log: "log" };
const ENDS: Readonly<Record<ScaleTo, readonly [name: string, sign: string]>> = {
	model: ["up to the largest there can be", ""],
	head: ["up to the largest of these heads", " · head"],
};
/** Shares of the largest weight that have their value at their place. */
const TICKS: Readonly<Record<CurveName, readonly number[]>> = {
	linear: [0, 0.25, 0.5, 0.75, 1],
	sqrt: [0, 0.01, 0.1, 0.5, 1],
	log: [1e-4, 1e-3, 1e-2, 0.1, 1],
};

interface Props {
	readonly colours: Palette;
	readonly ink: Ink;
	readonly state: Synced;
	readonly store: Store;
	/** What a number is called. */
	readonly number: string;
}

/** The colour scale with its true values, placed where they lie on it; and the choice of another. */
export function Legend({ colours, ink, state, store, number }: Props) {
	const stops = Array.from({ length: STOPS + 1 }, (_, i) =>
		stepColour(colours.ramp, Math.round((i / STOPS) * 255)),
	);
	const choose = (value: string) => {
		const [scale, to] = value.split(" ") as [ColourScale, ScaleTo];
		store.set("scale", scale);
		store.set("scale_to", to);
	};
	return (
		<div class="scale">
			<select
				value={`${state.scale} ${state.scale_to}`}
				aria-label="colour scale"
				title={`how colour follows ${number}`}
				onChange={(event) => choose(event.currentTarget.value)}
			>
				{SCALE_TOS.map((to) => (
					<optgroup key={to} label={ENDS[to][0]}>
						{COLOUR_SCALES.map((scale) => (
							<option key={scale} value={`${scale} ${to}`}>
								{SIGNS[scale] + ENDS[to][1]}
							</option>
						))}
					</optgroup>
				))}
			</select>
			<div
				class="legend"
				role="img"
				aria-label={`colour of ${number}, from 0 to ${format(ink.largest)}`}
			>
				<div
					class="gradient"
					style={{ background: `linear-gradient(to right, ${stops.join(", ")})` }}
				/>
				{TICKS[ink.curve].map((share) => (
					<span key={share} style={{ left: `${ink.at(share * ink.largest) * 100}%` }}>
						{format(share * ink.largest)}
					</span>
				))}
			</div>
		</div>
	);
}

function format(value: number): string {
	return String(Number(value.toPrecision(2))).replace(/^0\./, ".");
}
