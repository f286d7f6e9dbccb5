import { css } from "../draw/colour";
import { density } from "../draw/noted";
import type { Scene } from "../scene";
import { fitCanvas, make } from "../ui/dom";
import { FOUND_HERE } from "./find";
import type { Fill } from "./look";
import type { TextLine } from "./typeset";

const WIDTH = 14;
/** Of the marks at its sides: the pinned token, and what a search found. */
const MARK = 4;

/** What the strip shows of a text. */
export interface Overview {
	readonly lines: readonly TextLine[];
	/** Of all lines, in rows; and of the page's window, from its first row. */
	readonly rows: number;
	readonly top: number;
	readonly shown: number;
	readonly height: number;
	readonly fill: Fill | undefined;
	readonly marks: Uint8Array | undefined;
	readonly pinned: readonly number[];
}

/** A strip as high as the page that stands for the whole text: where in it something is. */
export interface Minimap {
	readonly el: HTMLElement;
	draw(scene: Scene, overview: Overview): void;
}

/** `goTo` gets the share of the text that is pointed to. */
export function minimap(goTo: (share: number) => void, signal: AbortSignal): Minimap {
	const canvas = make("canvas");
	const el = make("div", { class: "minimap", "aria-hidden": "true" }, canvas);
	const point = (event: PointerEvent) => {
		if (!(event.buttons & 1)) return;
		const { top, height } = el.getBoundingClientRect();
		goTo((event.clientY - top) / height);
	};
	el.addEventListener(
		"pointerdown",
		(event) => {
			el.setPointerCapture(event.pointerId);
			point(event);
		},
		{ signal },
	);
	el.addEventListener("pointermove", point, { signal });
	let drawn: readonly unknown[] = [];
	return {
		el,
		draw(scene, overview) {
			const { lines, top, shown, height, fill, marks, pinned } = overview;
			const { ink, state } = scene;
			const looks = `${pinned} ${ink.name} ${state.direction} ${density()}`;
			const next = [lines, top, shown, height, fill?.weights, marks, looks];
			if (next.every((value, i) => value === drawn[i])) return;
			drawn = next;
			paint(canvas, scene, overview);
		},
	};
}

function paint(canvas: HTMLCanvasElement, { colours }: Scene, overview: Overview): void {
	const { lines, rows, top, shown, height, fill, marks, pinned } = overview;
	const context = fitCanvas(canvas, WIDTH, height);
	const side = height / rows;
	const thick = Math.max(2, side);
	const strongest = new Float32Array(Math.ceil(height));
	for (const { first, last, row, rows: some } of lines) {
		const y = row * side;
		const most = fill ? largest(fill.weights, first, last) : 0;
		const stop = Math.max(y + 1, (row + some) * side - (side > 3 ? 1 : 0));
		for (let pixel = Math.floor(y); pixel < Math.min(stop, height); pixel++)
			if (Math.abs(most) > Math.abs(strongest[pixel] as number)) strongest[pixel] = most;
	}
	for (const [y, weight] of strongest.entries()) {
		if (!fill || weight === 0) continue;
		context.fillStyle = fill.colour(weight);
		context.fillRect(0, y, WIDTH, 1);
	}
	const mark = (row: number, x: number, width: number, colour: string) => {
		context.fillStyle = colour;
		context.fillRect(x, Math.min(height - thick, row * side), width, thick);
	};
	for (const { first, last, row } of lines) {
		const found = marks ? largest(marks, first, last) : 0;
		const ink = colours.dark ? "#fff" : "#000";
		if (found) mark(row, WIDTH - MARK * found, MARK * found, ink);
		if (pinned.some((token) => token >= first && token < last))
			mark(row, 0, WIDTH / 2, css(colours.reader));
		if (found === FOUND_HERE) mark(row, 0, WIDTH, ink);
	}
	context.strokeStyle = css(colours.reader);
	context.lineWidth = 2;
	context.strokeRect(1, top * side + 1, WIDTH - 2, Math.min(height, shown * side) - 2);
}

function largest(values: ArrayLike<number>, first: number, last: number): number {
	let most = 0;
	for (let i = first; i < last; i++)
		if (Math.abs(values[i] as number) > Math.abs(most)) most = values[i] as number;
	return most;
}
