import type { TokenTable } from "../protocol.gen";
import { readingOf, type Scene } from "../scene";
import { type Frame, tokensInView } from "./viewport";

/** Cells of two segments are as large as their numbers need. */
export const BLOCK_CELL = 56;
const READABLE = 44;

/** How often a segment's share of all tokens a mass is: 1 were all read alike. */
export function liftOf(mass: number, { count }: TokenTable, key: number): number {
	const total = count.reduce((sum, tokens) => sum + tokens, 0);
	return (mass * total) / (count[key] ?? total);
}

/** Each block's mass and lift, in the block; false until all of them are here. */
export function drawBlocks(context: CanvasRenderingContext2D, scene: Scene, frame: Frame): boolean {
	const { description, state, reader, tokens, ink, colours } = scene;
	const { x, y, cell, query, key } = frame;
	if (state.unit !== "segment" || cell < READABLE) return true;
	const [q0, q1] = tokensInView(frame, "query", description.queries);
	const [k0, k1] = tokensInView(frame, "key", description.keys);
	context.textAlign = "center";
	let complete = true;
	for (let q = q0; q < q1; q++) {
		const row = readingOf(reader, "row", state.layer, state.heads, q, true);
		complete &&= row?.exact === true;
		for (let k = k0; row && k < k1; k++) {
			const mass = row.mean[k] as number;
			const [cx, cy] = [x + (k - key + 0.5) * cell, y + (q - query + 0.5) * cell];
			context.fillStyle = ink.on(mass) || (colours.dark ? "#fff" : "#000");
			context.font = "600 12px system-ui, sans-serif";
			context.fillText(mass.toFixed(2), cx, cy - 1);
			context.font = "11px system-ui, sans-serif";
			if (!description.shares) continue;
			context.fillText(`×${liftOf(mass, tokens.keys, k).toFixed(1)}`, cx, cy + 13);
		}
	}
	return complete;
}
