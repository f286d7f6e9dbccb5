import {
	type Axis,
	type Description,
	type LineKey,
	type MassKey,
	type Request,
	type SpanKey,
	type StripKey,
	TILE,
	type TileKey,
} from "../protocol.gen";
import { cellsOf } from "./cache";
import type { Wish } from "./reader";

/** Of tiles: 16 at full size, or as many small ones as that. */
const CELLS_A_REQUEST = 16 * TILE * TILE;
const KEYS_A_REQUEST = 1000;
const LINES_A_REQUEST = 400;

export type Body = {
	[K in Request["kind"]]: Omit<Extract<Request, { kind: K }>, "id" | "shown">;
}[Request["kind"]];

/** What is asked for next, and the names of the wishes that it answers. */
export interface Wanted {
	readonly body: Body | null;
	readonly names: readonly string[];
}

/** Put as many wishes into one request as are answered together. */
export function wantedOf(missing: Iterable<[string, Wish]>, description: Description): Wanted {
	const tiles: TileKey[] = [];
	const strips: StripKey[] = [];
	const lines: Record<Axis, LineKey[]> = { row: [], column: [] };
	const masses: MassKey[] = [];
	const spans: SpanKey[] = [];
	const names: string[] = [];
	let cells = 0;
	let scores = false;
	for (const [name, wish] of missing) {
		// They take no time: nobody waits for them behind what does.
		if ("terms" in wish)
			return { body: { kind: "terms", line: wish.terms, keys: wish.keys }, names: [name] };
		if ("scores" in wish) scores = true;
		else if ("mass" in wish) masses.push(wish.mass);
		else if ("span" in wish) spans.push(wish.span);
		else if ("line" in wish) {
			if (lines.row.length + lines.column.length >= LINES_A_REQUEST) continue;
			lines[wish.axis].push(wish.line);
		} else if ("strip" in wish) {
			if (strips.length >= KEYS_A_REQUEST) continue;
			strips.push(wish.strip);
		} else {
			if (cells >= CELLS_A_REQUEST || tiles.length >= KEYS_A_REQUEST) continue;
			cells += cellsOf(description, wish.tile);
			tiles.push(wish.tile);
		}
		names.push(name);
	}
	if (!names.length) return { body: null, names };
	const { row: rows, column: columns } = lines;
	return { body: { kind: "weights", tiles, strips, rows, columns, masses, spans, scores }, names };
}
