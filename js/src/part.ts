import { type Kit, kit } from "./kit";
import type { PartName, TileSource } from "./source/source";

/** A part of the renderer: its code from the source, run with what it takes from the page. */
export async function partOf<T>(source: TileSource, name: PartName): Promise<T> {
	const code = await source.part(name);
	const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
	try {
		const module = (await import(/* @vite-ignore */ url)) as { default: (kit: Kit) => T };
		return module.default(kit);
	} finally {
		URL.revokeObjectURL(url);
	}
}
