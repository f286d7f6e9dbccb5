import { imported } from "./imported";
import { type Kit, kit } from "./kit";
import type { PartName, TileSource } from "./source/source";

/** A part of the renderer: its code from the source, run with what it takes from the page. */
export async function partOf<T>(source: TileSource, name: PartName): Promise<T> {
	const make = await imported<(kit: Kit) => T>(await source.part(name));
	return make(kit);
}
