const SVG = "http://www.w3.org/2000/svg";

/** What XML can't hold, not even escaped: control characters, halves of pairs. */
const UNWRITABLE = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

type Attributes = Readonly<Record<string, string | number | null | undefined>>;

/** Make an element; numbers to hundredths of a pixel, without what has no value. */
export function svg(tag: string, attributes: Attributes = {}, text = ""): SVGElement {
	const el = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes))
		if (value !== null && value !== undefined && value !== "")
			el.setAttribute(name, typeof value === "number" ? `${Number(value.toFixed(2))}` : value);
	if (text) el.textContent = text.replace(UNWRITABLE, "\uFFFD");
	return el;
}

const known = new Map<string, readonly [string, number]>();
let probe: OffscreenCanvasRenderingContext2D | null = null;

/** A CSS colour as every reader of SVG knows it, and its opacity. */
export function plain(colour: string): readonly [colour: string, opacity: number] {
	const found = known.get(colour);
	if (found) return found;
	probe ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	if (!probe) throw new Error("This browser has no 2D canvas.");
	probe.clearRect(0, 0, 1, 1);
	probe.fillStyle = colour;
	probe.fillRect(0, 0, 1, 1);
	const [r = 0, g = 0, b = 0, a = 0] = probe.getImageData(0, 0, 1, 1).data;
	const made = [`rgb(${r},${g},${b})`, a / 255] as const;
	known.set(colour, made);
	return made;
}

/** The attributes that paint in a colour: as "fill", "stroke" or "stop-color". */
export function paint(name: "fill" | "stroke" | "stop", colour: string): Attributes {
	const [rgb, opacity] = plain(colour);
	return {
		[name === "stop" ? "stop-color" : name]: rgb,
		[`${name}-opacity`]: opacity < 1 ? opacity : null,
	};
}
