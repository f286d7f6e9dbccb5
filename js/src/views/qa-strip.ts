import { css } from "../draw/colour";
import { density } from "../draw/noted";
import type { Pointer, QaInfo } from "../protocol.gen";
import { bytesOf } from "../source/codec";
import { fitCanvas, make, setName, setText } from "../ui/dom";
import { short } from "../ui/words";
import { onPointing } from "./gestures";
import { answerColour } from "./qa-cells";
import { type Case, shareText } from "./qa-reading";
import type { Actions } from "./view";

const HEIGHT = 32;
const WIDEST = 10;

/** Of each of the context's tokens the probability that the answer begins there, and ends. */
export function strip(qa: QaInfo, actions: Actions, signal: AbortSignal) {
	const [starts, ends] = [qa.starts, qa.ends].map(
		(data) => new Float32Array(bytesOf(data).slice().buffer),
	) as [Float32Array, Float32Array];
	const [first] = qa.context_tokens;
	const most = Math.max(...starts, ...ends) || 1;
	const canvas = make("canvas", { role: "img" });
	const said = make("div", { class: "muted" });
	const key = make(
		"div",
		{ class: "muted key", "aria-hidden": "true" },
		"▲ starts",
		make("br"),
		"▼ ends",
	);
	const el = make("div", { class: "ends" }, key, canvas, said);
	let width = 0;
	let drawn = "";

	const pointerAt = (x: number): Pointer | null => {
		const place = Math.floor((x / width) * starts.length);
		return place in starts ? [null, first + place] : null;
	};
	onPointing(canvas, pointerAt, "token", actions, signal);

	function draw({ scene: { colours }, span, asked }: Case): void {
		const context = fitCanvas(canvas, width, HEIGHT);
		const each = width / starts.length;
		const middle = HEIGHT / 2;
		const bar = Math.max(1, Math.min(WIDEST, each - 1));
		const good = answerColour(colours.dark);
		const ink = colours.dark ? ([255, 255, 255] as const) : ([0, 0, 0] as const);
		const column = ([from, to]: readonly [number, number], colour: string) => {
			context.fillStyle = colour;
			context.fillRect((from - first) * each, 0, Math.max(1, (to - from) * each), HEIGHT);
		};
		if (span) column(span, css(good, 0.14));
		for (const token of asked) column([token, token + 1], css(ink, 0.1));
		context.fillStyle = css(ink, 0.14);
		context.fillRect(0, middle - 0.5, width, 1);
		for (const [values, way] of [
			[starts, -1],
			[ends, 1],
		] as const) {
			context.fillStyle = css(good, way < 0 ? 1 : 0.7);
			for (const [i, value] of values.entries()) {
				const height = (value / most) * (middle - 2);
				const y = middle + way * 1;
				context.fillRect((i + 0.5) * each - bar / 2, y, bar, way * height);
			}
		}
	}

	return {
		el,
		measure() {
			// The canvas takes what is left, and would hold its own width.
			width = el.clientWidth - canvas.offsetLeft + el.offsetLeft;
		},
		update(now: Case) {
			const { scene, asked, span } = now;
			const name = `${width},${scene.ink.name},${density()},${asked},${span}`;
			if (width > 0 && name !== drawn) {
				drawn = name;
				draw(now);
			}
			const text = (token: number) => `“${short(scene.tokens.keys, token)}”`;
			const [token] = asked;
			const peak = (values: Float32Array) =>
				values.reduce((best, value, i) => (value > (values[best] as number) ? i : best), 0);
			const places = token === undefined ? ([peak(starts), peak(ends)] as const) : null;
			const [start, end] = places ?? [(token ?? 0) - first, (token ?? 0) - first];
			const from = `${text(first + start)} ${places ? "" : "starts "}${shareText(starts[start] as number)}`;
			const to = shareText(ends[end] as number);
			const line = places
				? `the answer most likely starts at ${from} and ends at ${text(first + end)} ${to}`
				: `an answer at ${from} · ends ${to}`;
			setText(said, line);
			setName(canvas, `start and end probabilities along the context: ${line}`);
			if (canvas.title !== line) canvas.title = line;
		},
	};
}
