import { codeInks, paintCodes } from "../draw/matrix";
import type { Description, Reduction, TileKey } from "../protocol.gen";
import type { Scene } from "../scene";
import { tileKey, weightsOf } from "../source/cache";
import { boxIn, cellsInView, type Grid, headIn, inView, type Room } from "./grid";
import type { HeadOf } from "./view";

/** Up to so many cells a side are a head in the map. */
const SIDES = [16, 32, 64] as const;
/** Heads of longer texts take long: they are shown from a sample first, and always as large. */
const SAMPLED_FROM = 1024;
const LONG_FROM = 4096;
const LONG_SIDE = 32;
/** More weights than that take a core's hours: heads stay as the sample shows them. */
const EXACT_UP_TO = 2 ** 37;

/** How the heads in view are drawn, for the remark below them. */
export interface Drawn {
	readonly sampled: boolean;
	readonly complete: boolean;
	readonly level: number;
}

/** Clears what is drawn on, and has `heads` drawn there. */
type Paint = (heads: (context: CanvasRenderingContext2D) => void) => void;

/** One layer's heads side by side, as far as they are painted. */
interface Sheet {
	readonly canvas: OffscreenCanvas;
	readonly context: OffscreenCanvasRenderingContext2D | null;
	readonly painted: Map<number, "all" | "sample">;
}

interface Found {
	readonly codes: Uint8Array;
	readonly sampled: boolean;
}

/** Draws every head in view: the whole of it, or the row or column of the token that is looked at. */
export class Thumbnails {
	#sheets = new Map<number, Sheet>();
	readonly #lines = new OffscreenCanvas(1, 1);
	#shown = "";

	/** Gives `paint` how to draw the heads, where they changed or all is wanted `anew`. */
	draw(scene: Scene, grid: Grid, view: Room, anew: boolean, paint: Paint): Drawn {
		const level = levelOf(scene.description, Math.max(grid.across, grid.down) * devicePixelRatio);
		const { query, key } = scene.focus;
		const inkOf = codeInks(scene.table, scene.ink);
		return query === null && key === null
			? this.#drawHeads(scene, grid, view, level, inkOf, anew, paint)
			: this.#drawLines(scene, grid, view, level, inkOf, paint);
	}

	#drawHeads(
		scene: Scene,
		grid: Grid,
		view: Room,
		level: number,
		inkOf: Uint32Array,
		anew: boolean,
		paint: Paint,
	): Drawn {
		const { description, ink, state } = scene;
		const rows = sideOf(description.queries, level);
		const columns = sideOf(description.keys, level);
		this.#reset(JSON.stringify([level, state.pooling, ink.name]));
		const heads: HeadOf[] = [];
		let changed = anew;
		let sampled = false;
		let complete = true;
		for (const [row, column] of cellsInView(grid, view)) {
			const at = headIn(grid, row, column);
			const { layer, head } = at;
			heads.push(at);
			const { context, painted } = this.#sheet(layer, columns * grid.heads, rows);
			const before = painted.get(head);
			if (before !== "all") {
				const found = overviewOf(scene, [layer, head, level, 0, 0, state.pooling]);
				const now = found && (found.sampled ? "sample" : "all");
				if (now && now !== before) {
					context?.putImageData(paintCodes(found.codes, columns, inkOf), head * columns, 0);
					painted.set(head, now);
					changed = true;
				}
			}
			sampled ||= painted.get(head) === "sample";
			complete &&= painted.get(head) === "all";
		}
		if (changed)
			paint((context) => {
				for (const [row, column] of cellsInView(grid, view)) {
					const { layer, head } = headIn(grid, row, column);
					const { canvas, painted } = this.#sheet(layer, columns * grid.heads, rows);
					if (!painted.has(head)) continue;
					const [left, top, width, height] = boxIn(grid, row, column);
					// Smoothed where several cells share a pixel, else each cell is seen.
					context.imageSmoothingEnabled = columns > width * devicePixelRatio;
					context.drawImage(canvas, head * columns, 0, columns, rows, left, top, width, height);
				}
			});
		if (sampled && weightsOf(description) <= EXACT_UP_TO) this.#wishExact(scene, level, heads);
		return { sampled, complete, level };
	}

	/** All in view as one picture, a pixel high for each row of heads: it changes with every hover. */
	#drawLines(
		{ description, focus, state, reader }: Scene,
		grid: Grid,
		view: Room,
		level: number,
		inkOf: Uint32Array,
		paint: Paint,
	): Drawn {
		const axis = focus.query !== null ? "row" : "column";
		const line = (focus.query ?? focus.key) as number;
		const cells = sideOf(axis === "row" ? description.keys : description.queries, level);
		const [row0, row1] = inView(view.y, view.height, grid.top, grid.down, grid.layers);
		const [column0, column1] = inView(view.x, view.width, grid.left, grid.across, grid.heads);
		const width = cells * (column1 - column0);
		if (width <= 0 || row1 <= row0) {
			paint(() => {});
			return { sampled: false, complete: true, level };
		}
		const image = new ImageData(width, row1 - row0);
		const pixels = new Uint32Array(image.data.buffer);
		let complete = true;
		for (let row = row0; row < row1; row++)
			for (let column = column0; column < column1; column++) {
				const { layer, head } = headIn(grid, row, column);
				const codes = reader.strip([layer, head, line, level, state.pooling, axis]);
				complete &&= codes !== undefined;
				const start = (row - row0) * width + (column - column0) * cells;
				for (let i = 0; codes && i < codes.length; i++)
					pixels[start + i] = inkOf[codes[i] as number] as number;
			}
		this.#lines.width = width;
		this.#lines.height = row1 - row0;
		this.#lines.getContext("2d")?.putImageData(image, 0, 0);
		const [left, top] = boxIn(grid, row0, column0);
		const across = grid.across * (column1 - column0);
		const height = grid.down - grid.gap;
		paint((context) => {
			context.imageSmoothingEnabled = width > across * devicePixelRatio;
			for (let row = 0; row < row1 - row0; row++) {
				const y = top + row * grid.down;
				context.drawImage(this.#lines, 0, row, width, 1, left, y, across, height);
			}
			for (let column = 1; column <= column1 - column0; column++) {
				const x = left + column * grid.across - grid.gap;
				context.clearRect(x, top, grid.gap, grid.down * (row1 - row0));
			}
		});
		return { sampled: false, complete, level };
	}

	#reset(shown: string): void {
		if (shown !== this.#shown) this.#sheets = new Map();
		this.#shown = shown;
	}

	#sheet(layer: number, width: number, height: number): Sheet {
		const known = this.#sheets.get(layer);
		if (known) return known;
		const canvas = new OffscreenCanvas(width, height);
		const sheet = { canvas, context: canvas.getContext("2d"), painted: new Map() };
		this.#sheets.set(layer, sheet);
		return sheet;
	}

	/** Once every head in view is there in some form, what the samples left out follows behind all else. */
	#wishExact({ reader, state }: Scene, level: number, heads: readonly HeadOf[]): void {
		for (const { layer, head } of heads)
			if (this.#sheets.get(layer)?.painted.get(head) === "sample")
				reader.tile(tileKey(layer, head, level, 0, 0, state.pooling), false);
	}
}

/** A head in one tile; of long texts from a sample until the whole is here. */
export function overviewOf(
	{ reader, description }: Pick<Scene, "reader" | "description">,
	[layer, head, level, , , pooling]: TileKey,
): Found | undefined {
	const exact = tileKey(layer, head, level, 0, 0, pooling);
	const { queries, keys, samples } = description;
	if (!samples || Math.max(queries, keys) <= SAMPLED_FROM) {
		const tile = reader.tile(exact);
		return tile && { codes: tile.codes, sampled: false };
	}
	const tile = reader.peek(exact);
	if (tile) return { codes: tile.codes, sampled: false };
	const sample: TileKey = [layer, head, level, 0, 0, `${pooling as Reduction} sampled`];
	const sampled = reader.tile(sample);
	return sampled && { codes: sampled.codes, sampled: true };
}

function sideOf(tokens: number, level: number): number {
	return Math.ceil(tokens / 2 ** level);
}

/** The level at which a head has about as many cells as it has pixels. */
export function levelOf({ queries, keys }: Description, pixels: number): number {
	const longest = Math.max(queries, keys);
	const side =
		longest > LONG_FROM ? LONG_SIDE : (SIDES.find((cells) => cells >= pixels) ?? SIDES[2]);
	return Math.max(0, Math.ceil(Math.log2(longest / side)));
}
