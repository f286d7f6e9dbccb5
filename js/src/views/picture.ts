import { addTile, type Cells } from "../draw/matrix";
import type { TileKey } from "../protocol.gen";
import type { Scene } from "../scene";
import { type Tile, tileKeys } from "../source/cache";

/** The mean over the chosen heads, at one level. */
export interface Picture {
	readonly level: number;
	/** How many of its tiles are here. */
	readonly here: number;
	/** Put the cells together: only when they are to be drawn. */
	cells(): Cells;
}

/** The picture at the level that is wanted or, until any of it is here, at the finest that is whole. */
export function pictureOf(scene: Scene, wanted: number): Picture {
	const { reader, description } = scene;
	const picture = gather(scene, wanted, (key) => reader.tile(key));
	if (picture.here) return picture;
	const longest = Math.max(description.queries, description.keys);
	for (let level = wanted + 1; longest / 2 ** level >= 1; level++) {
		const coarser = gather(scene, level, (key) => reader.peek(key));
		if (coarser.here && coarser.here === coarser.needed) return coarser;
	}
	return picture;
}

function gather(
	{ description, state, table }: Scene,
	level: number,
	tileAt: (key: TileKey) => Tile | undefined,
): Picture & { needed: number } {
	const keys = state.heads.flatMap((head) => tileKeys(description, state.layer, head, level));
	const found = keys.flatMap((key) => {
		const tile = tileAt(key);
		return tile ? [{ tile, key }] : [];
	});
	const cells = () => {
		const rows = Math.ceil(description.queries / 2 ** level);
		const columns = Math.ceil(description.keys / 2 ** level);
		const whole: Cells = { rows, columns, values: new Float32Array(rows * columns) };
		const share = 1 / state.heads.length;
		for (const { tile, key } of found)
			addTile(
				whole,
				key[3],
				key[4],
				tile,
				(at) => share * (table[tile.codes[at] as number] as number),
			);
		return whole;
	};
	return { level, here: found.length, needed: keys.length, cells };
}
