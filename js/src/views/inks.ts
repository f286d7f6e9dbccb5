import { type Ink, inkOf, type Palette } from "../draw/colour";
import type { TileKey } from "../protocol.gen";
import type { Scene } from "../scene";
import { levelOf, overviewOf } from "./thumbnails";

/** Cells a side are enough to find the largest weight in: they are pooled by it. */
const SIDE = 64;

/** Makes each frame's ink: one scale for every view, up to the model's or the chosen heads' largest weight. */
export class Inks {
	readonly #largest = new WeakMap<Uint8Array, number>();
	#ofHeads = 0;

	choose(scene: Pick<Scene, "description" | "state" | "reader" | "table">, colours: Palette): Ink {
		const { scale, scale_to } = scene.state;
		const largest = scale_to === "head" ? this.#largestOf(scene) : 0;
		return inkOf(colours, scale, largest || scene.description.scale);
	}

	/** Until it is known of other heads, it stays as it was. */
	#largestOf(scene: Pick<Scene, "description" | "state" | "reader" | "table">): number {
		const { description, state, reader, table } = scene;
		const keys = state.heads.map(
			(head): TileKey => [state.layer, head, levelOf(description, SIDE), 0, 0, "max"],
		);
		const found = keys.map((key) => {
			const overview = overviewOf(scene, key);
			if (overview?.sampled) reader.tile(key, false);
			return overview;
		});
		const largest = found.map((overview) => overview && this.#largestIn(overview.codes, table));
		if (largest.every((weight) => weight !== undefined)) this.#ofHeads = Math.max(...largest);
		return this.#ofHeads;
	}

	#largestIn(codes: Uint8Array, table: Float32Array): number {
		const known = this.#largest.get(codes);
		if (known !== undefined) return known;
		let largest = 0;
		for (const code of codes) largest = Math.max(largest, Math.abs(table[code] as number));
		this.#largest.set(codes, largest);
		return largest;
	}
}
