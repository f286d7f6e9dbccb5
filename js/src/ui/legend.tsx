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

/** The same of numbers that have a sign: there is half as much room. */
const TICKS_SIGNED: typeof TICKS = {
	linear: [0, 0.5, 1],
	sqrt: [0, 0.1, 1],
	log: [0, 1e-2, 1],
};

interface Props {
	readonly colours: Palette;
	readonly ink: Ink;
	readonly state: Synced;
	readonly store: Store;
	/** What a number is called. */
	readonly number: string;
	/** Whether some are below 0. */
	readonly signed: boolean;
}

/** The colour scale with its true values, placed where they lie on it; and the choice of another. */
export function Legend({ colours, ink, state, store, number, signed }: Props) {
	const { ramp, coldRamp } = colours;
	const least = signed ? -1 : 0;
	const stops = Array.from({ length: STOPS + 1 }, (_, i) => {
		const at = least + (i / STOPS) * (1 - least);
		return stepColour(at < 0 ? coldRamp : ramp, Math.round(Math.abs(at) * 255));
	});
	const shares = signed
		? TICKS_SIGNED[ink.curve].flatMap((share) => (share ? [-share, share] : [share]))
		: TICKS[ink.curve];
	const placeOf = (share: number) => {
		const at = Math.sign(share) * ink.at(share * ink.largest);
		return `${(100 * (at - least)) / (1 - least)}%`;
	};
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
				aria-label={`colour of ${number}, from ${format(least * ink.largest)} to ${format(ink.largest)}`}
			>
				<div
					class="gradient"
					style={{ background: `linear-gradient(to right, ${stops.join(", ")})` }}
				/>
				{shares.map((share) => (
					<span key={share} style={{ left: placeOf(share) }}>
						{format(share * ink.largest)}
					</span>
				))}
			</div>
		</div>
	);
}

function format(value: number): string {
	const size = String(Number(Math.abs(value).toPrecision(2))).replace(/^0\./, ".");
	return value < 0 ? `−${size}` : size;
}
