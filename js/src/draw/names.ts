/** A name, and where on a canvas the dot is that it belongs to, in CSS pixels. */
export interface Named {
	readonly name: string;
	readonly left: number;
	readonly top: number;
}

const ROOM = 9;
const LINE = 12;

/**
 * Write names beside their dots, in the context's font and colours; one that would lie over another is
 * left out. The stroke is read on the dots that it lies over.
 */
export function drawNames(
	context: CanvasRenderingContext2D,
	names: Iterable<Named>,
	right: number,
): void {
	const taken: [left: number, top: number, right: number][] = [];
	context.textBaseline = "middle";
	context.textAlign = "left";
	context.lineWidth = 3;
	for (const { name, left: x, top } of names) {
		const { width } = context.measureText(name);
		const left = x + ROOM + width > right ? x - ROOM - width : x + ROOM;
		const overlaps = taken.some(
			([from, at, to]) => left < to + 4 && left + width > from - 4 && Math.abs(top - at) < LINE,
		);
		if (overlaps) continue;
		taken.push([left, top, left + width]);
		context.strokeText(name, left, top);
		context.fillText(name, left, top);
	}
}
