import { css, type Rgb } from "../draw/colour";
import { paintCells } from "../draw/matrix";
import type { Scene } from "../scene";
import { Pool } from "../source/pool";
import { clipped, short } from "../ui/words";
import { labelStep } from "./axes";
import type { Case } from "./qa-reading";

const FONT = "12px system-ui, sans-serif";
const LETTERS = 14;
const SLANT = Math.PI / 4;
/** What a row and a column have at most, all rows together, and a column at least, in CSS pixels. */
const ROW = 24;
const ROWS = 480;
const COLUMN = 96;
const THINNEST = 3;
/** Labels this far apart can be read. */
const PITCH = 13;
/** Where fewer than each so-many-th token has room for its label, only what is looked at has one. */
const LABELS_UP_TO = 3;

/** The answer's green. */
export function answerColour(dark: boolean): Rgb {
	return dark ? [75, 191, 135] : [16, 122, 76];
}

/** Where the cells lie, in CSS pixels; `pitch` is what a token has across, `each`-th ones have labels. */
export interface Frame {
	readonly left: number;
	readonly top: number;
	readonly pitch: number;
	readonly down: number;
	readonly width: number;
	readonly height: number;
	readonly level: number;
	readonly each: number;
	readonly size: readonly [number, number];
}

const measures = new OffscreenCanvas(1, 1).getContext("2d");

function widthOf(text: string): number {
	if (!measures) return 0;
	measures.font = FONT;
	return measures.measureText(text).width;
}

/** The frame of a width. */
export function frameOf({ scene, question, context }: Case, room: number): Frame {
	const { queries, keys } = scene.tokens;
	const rows = question[1] - question[0];
	const count = context[1] - context[0];
	const labels = (table: typeof keys, [first, stop]: readonly [number, number]) =>
		Array.from({ length: stop - first }, (_, i) => widthOf(short(table, first + i, LETTERS)));
	const left = Math.min(room / 4, 18 + Math.max(...labels(queries, question)));
	const across = Math.max(THINNEST, Math.min(room - left - 1, count * COLUMN));
	const each = labelStep(across / count, PITCH);
	const labelled = each <= LABELS_UP_TO;
	const widths = labelled ? labels(keys, context) : [];
	const reach = widths.map((width) => (width + 8) * Math.cos(SLANT));
	// The last labels lean over the last cells.
	const over = Math.max(
		0,
		...reach.map((along, i) => along - (count - i - 0.5) * (across / count)),
	);
	const width = across - Math.max(0, over - (room - left - 1 - across));
	const down = Math.max(4, Math.min(ROW, Math.floor(ROWS / rows)));
	const top = labelled ? Math.ceil(Math.max(...widths) * Math.sin(SLANT) + 20) : 24;
	return {
		left,
		top,
		pitch: width / count,
		down,
		width,
		height: rows * down,
		level: Math.max(0, Math.ceil(Math.log2((THINNEST * count) / width))),
		each: labelled ? each : 0,
		size: [room, top + rows * down],
	};
}

/** A cell a weight, on a ground where none is seen. */
export function drawCells(
	onto: CanvasRenderingContext2D,
	{ scene, rows, context }: Case,
	{ left, top, pitch, down, width, height, level }: Frame,
): void {
	const ground = scene.colours.dark ? "rgb(255 255 255 / .05)" : "rgb(20 20 60 / .04)";
	onto.fillStyle = ground;
	onto.fillRect(left, top, width, height);
	if (!rows) return;
	const columns = Math.ceil((context[1] - context[0]) / 2 ** level);
	const values = new Float32Array(rows.length * columns);
	for (const [i, { mean }] of rows.entries()) {
		const row = mean.subarray(...context);
		const pool = new Pool(1, columns, level, scene.state.pooling);
		pool.add(row, row.length, 0, 0);
		values.set(pool.cells(), i * columns);
	}
	const image = paintCells({ rows: rows.length, columns, values }, scene.ink);
	const bitmap = new OffscreenCanvas(columns, rows.length);
	bitmap.getContext("2d")?.putImageData(image, 0, 0);
	const cell = pitch * 2 ** level;
	onto.imageSmoothingEnabled = false;
	onto.save();
	onto.beginPath();
	onto.rect(left, top, width, height);
	onto.clip();
	onto.drawImage(bitmap, left, top, columns * cell, height);
	onto.restore();
	const across = cell >= 10 ? 2 : cell >= 5 ? 1 : 0;
	const between = down >= 10 ? 2 : down >= 5 ? 1 : 0;
	for (let i = 1; i < columns && across; i++)
		onto.clearRect(Math.round(left + i * cell) - across / 2, top, across, height);
	for (let i = 1; i < rows.length && between; i++)
		onto.clearRect(left, top + i * down - between / 2, width, between);
}

/** What follows the pointer: labels, the row that reads, the column that is read; and the answer. */
export function drawOver(onto: CanvasRenderingContext2D, now: Case, frame: Frame): void {
	const { scene, question, context, span, asking, asked } = now;
	const { left, top, pitch, down, width, height, each } = frame;
	const { colours, tokens, focus } = scene;
	const [query, key] = focus.pair ?? [];
	const rows = query === undefined ? asking : [query].filter((at) => inside(at, question));
	const columns = key === undefined ? asked : [key].filter((at) => inside(at, context));
	const ink = (alpha: number) => css(colours.dark ? [235, 235, 240] : [27, 27, 31], alpha);
	const good = css(answerColour(colours.dark));
	onto.textBaseline = "middle";
	onto.textAlign = "right";
	for (let token = question[0]; token < question[1]; token++) {
		const here = rows.includes(token);
		if (down < PITCH - 2 && !here) continue;
		const y = top + (token - question[0] + 0.5) * down;
		onto.font = `${here ? "600 " : ""}${FONT}`;
		onto.fillStyle = here ? css(colours.reader) : ink(0.72);
		onto.fillText(fitted(onto, scene, "queries", token, left - 12), left - 8, y);
	}
	const middle = (token: number) => left + (token - context[0] + 0.5) * pitch;
	onto.textAlign = "left";
	for (let token = context[0]; each && token < context[1]; token++) {
		const here = columns.includes(token);
		const answers = span !== null && inside(token, span);
		if ((token - context[0]) % each && !here && !answers) continue;
		onto.font = `${here || answers ? "600 " : ""}${FONT}`;
		onto.fillStyle = answers ? good : ink(here ? 1 : 0.72);
		onto.save();
		onto.translate(middle(token), top - 8);
		onto.rotate(-SLANT);
		onto.fillText(short(tokens.keys, token, LETTERS), 0, 0);
		onto.restore();
	}
	if (span) {
		onto.fillStyle = good;
		const from = left + (span[0] - context[0]) * pitch;
		onto.fillRect(from, top - 4, Math.max(2, (span[1] - span[0]) * pitch - 2), 2);
	}
	if (!each) {
		const [token] = columns;
		const centre =
			token === undefined ? span && (middle(span[0]) + middle(span[1] - 1)) / 2 : middle(token);
		if (centre !== null) {
			const text = token === undefined ? clipped(now.answer.text, 40) : short(tokens.keys, token);
			onto.font = `600 ${FONT}`;
			onto.fillStyle = token === undefined ? good : ink(1);
			const half = onto.measureText(text).width / 2;
			const x = Math.max(left, Math.min(left + width - 2 * half, centre - half));
			onto.fillText(text, x, top - 14);
		}
	}
	onto.lineWidth = 1.5;
	onto.strokeStyle = css(colours.read);
	for (const token of columns)
		onto.strokeRect(left + (token - context[0]) * pitch, top, Math.max(1, pitch), height);
	onto.strokeStyle = css(colours.reader);
	for (const token of rows) onto.strokeRect(left, top + (token - question[0]) * down, width, down);
}

function inside(token: number, [first, stop]: readonly [number, number]): boolean {
	return token >= first && token < stop;
}

/** A token cut to its room. */
function fitted(
	onto: CanvasRenderingContext2D,
	{ tokens }: Scene,
	side: "queries" | "keys",
	token: number,
	room: number,
): string {
	const text = short(tokens[side], token, LETTERS);
	const share = room / onto.measureText(text).width;
	return share < 1
		? short(tokens[side], token, Math.max(1, Math.floor(Array.from(text).length * share)))
		: text;
}
