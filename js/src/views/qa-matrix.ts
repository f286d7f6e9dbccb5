import { density } from "../draw/noted";
import type { Pointer } from "../protocol.gen";
import { fitCanvas, handled, isEnter, make, setName, setText, withModifier } from "../ui/dom";
import { headsText, weightText } from "../ui/words";
import { ARROWS, onPointing } from "./gestures";
import { drawCells, drawOver, type Frame, frameOf } from "./qa-cells";
import { type Case, quoted } from "./qa-reading";
import { remarkLine } from "./remark";
import type { Actions } from "./view";

/** What the chosen heads' question reads of the context, a cell a weight; as wide as there is room. */
export function questionMatrix(actions: Actions, signal: AbortSignal) {
	const caption = make("span", { class: "muted" });
	const title = make("div", { class: "title" }, make("span", {}, "question × context"), caption);
	const canvas = make("canvas");
	const over = make("canvas", { class: "cross" });
	const stage = make("div", { class: "stage", tabindex: 0, role: "application" }, canvas, over);
	const remark = remarkLine(actions, signal);
	const line = make("div", { class: "at muted" });
	const el = make("div", { class: "cells matrix" }, title, stage, remark.el, line);
	let room = 0;
	let now: Case | undefined;
	let frame: Frame | undefined;
	let drawn = "";
	let drawnOver = "";

	const pointerAt = (x: number, y: number): Pointer | null => {
		if (!now || !frame) return null;
		const { question, context } = now;
		const query = question[0] + Math.floor((y - frame.top) / frame.down);
		const key = context[0] + Math.floor((x - frame.left) / frame.pitch);
		const onQuery = query >= question[0] && query < question[1];
		const onKey = key >= context[0] && key < context[1];
		return onQuery || onKey ? [onQuery ? query : null, onKey ? key : null] : null;
	};
	onPointing(stage, pointerAt, "cell", actions, signal);
	stage.addEventListener("keydown", (event) => onKey(event), { signal });

	function onKey(event: KeyboardEvent): void {
		if (!now || (withModifier(event) && !isEnter(event))) return;
		const pins = event.key === "Enter" || event.key === " ";
		const step = pins ? ([0, 0] as const) : ARROWS[event.key];
		if (!step) return;
		const { question, context, asking, asked, scene } = now;
		const [query = question[0] - step[0], key = context[0] - step[1]] = scene.focus.pair ?? [
			asking[0],
			asked[0],
		];
		const cell = [within(query + step[0], question), within(key + step[1], context)] as const;
		if (pins) actions.pin(cell, event.shiftKey);
		else actions.hover(cell, "cell");
		handled(event);
	}

	return {
		el,
		measure() {
			room = el.clientWidth;
		},
		update(next: Case) {
			now = next;
			const { scene, rows } = now;
			const { state } = scene;
			if (room === 0) return;
			frame ??= frameOf(now, room);
			if (frame.size[0] !== room) frame = frameOf(now, room);
			const exact = rows?.every((row) => row.exact);
			const key = `${frame.size},${rows && state.layer},${state.heads},${exact},${scene.ink.name},${state.pooling},${density()}`;
			if (key !== drawn) {
				drawn = key;
				drawCells(fitCanvas(canvas, ...frame.size), now, frame);
			}
			const above = JSON.stringify([key, scene.focus, now.span]);
			if (above !== drawnOver) {
				drawnOver = above;
				drawOver(fitCanvas(over, ...frame.size), now, frame);
			}
			setText(caption, headsText(scene));
			setName(
				stage,
				`question and context, ${headsText(scene)}: rows are the question’s ${state.unit}s, columns the context’s; arrow keys move, Enter pins`,
			);
			const several = state.heads.length > 1 ? [`mean over ${state.heads.length} heads`] : [];
			const words = state.unit === "word" ? ["words: mean from, sum to"] : [];
			const pooled = frame.level ? `${2 ** frame.level} ${state.unit}s of the context` : "";
			remark.say(state.pooling, pooled, [...several, ...words]);
			setText(line, cellText(now));
		},
	};
}

function within(token: number, [first, stop]: readonly [number, number]): number {
	return Math.min(stop - 1, Math.max(first, token));
}

/** The weight of the one cell that is looked at. */
function cellText({ scene, rows, question, context }: Case): string {
	const [query, key] = scene.focus.pair ?? [-1, -1];
	const row = rows?.[query - question[0]];
	if (!row || key < context[0] || key >= context[1]) return "";
	const { queries, keys } = scene.tokens;
	const weight = weightText(row.mean[key] as number, row.exact);
	return `${quoted(queries, [query])} reads ${quoted(keys, [key])}: ${weight}`;
}
