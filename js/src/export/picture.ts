import type { Noted } from "../draw/noted";
import { fontOf, isDrawn, measured, Painter } from "./painter";
import { paint, svg } from "./svg";

const MARGIN = 16;
const CAPTION = { size: 12, line: 18 } as const;
/** How far outlines may reach beyond their view. */
const EDGE = 4;

/** A view as a drawing of its own, with what `caption` says of it below; in CSS pixels. */
export function pictureOf(
	pane: HTMLElement,
	caption: readonly string[],
	notes: ReadonlyMap<Element, Noted>,
): SVGElement {
	const { left, top, width: across } = pane.getBoundingClientRect();
	// Beside a longer view it is stretched.
	const down = Math.max(...[...pane.children].filter(isDrawn).map(bottomOf)) - top;
	const style = getComputedStyle(pane);
	const lines = wrapped(caption, across, fontOf(style, `${CAPTION.size}px`));
	const width = Math.ceil(across) + 2 * MARGIN;
	const below = Math.ceil(down) + 2 * MARGIN;
	const height = below + lines.length * CAPTION.line + MARGIN / 2;
	const out = svg("svg", {
		width,
		height,
		viewBox: `0 0 ${width} ${height}`,
		"font-family": style.fontFamily,
		"font-size": style.fontSize,
		style: `font-variant-numeric:${style.fontVariantNumeric}`,
		"xml:space": "preserve",
	});
	const colour = (name: string) => paint("fill", style.getPropertyValue(name));
	out.append(svg("rect", { width, height, ...colour("--ground") }));
	const clip = new DOMRect(left - EDGE, top - EDGE, across + 2 * EDGE, down + 2 * EDGE);
	new Painter(left - MARGIN, top - MARGIN, notes, style).draw(pane, out, clip, null);
	for (const [i, line] of lines.entries()) {
		const y = below + i * CAPTION.line + CAPTION.size;
		out.append(
			svg("text", { x: MARGIN, y, "font-size": CAPTION.size, ...colour("--muted") }, line),
		);
	}
	return out;
}

function bottomOf(el: Element): number {
	return el.getBoundingClientRect().bottom;
}

/** Parts with points between them, on as many lines as they take. */
function wrapped(parts: readonly string[], width: number, font: string): string[] {
	const lines: string[] = [];
	for (const part of parts) {
		const longer = lines.length ? `${lines.at(-1)} · ${part}` : part;
		if (lines.length && measured(longer, font).width <= width) lines[lines.length - 1] = longer;
		else lines.push(part);
	}
	return lines;
}
