import { css } from "../draw/colour";
import { type Noted, TAKEN_DENSITY } from "../draw/noted";
import { cut, runsOf } from "./runs";
import { paint, plain, svg } from "./svg";

/** Controls say nothing of the numbers, and what a remark says is in the caption. */
const LEFT_OUT = "button, select, input, fieldset, label, form, .remark";
const ANCHORS: Readonly<Partial<Record<CanvasTextAlign, string>>> = {
	right: "end",
	end: "end",
	center: "middle",
};
const SIDES = ["Top", "Right", "Bottom", "Left"] as const;
const CORNERS = ["TopLeft", "TopRight", "BottomRight", "BottomLeft"] as const;

const measures = new OffscreenCanvas(1, 1).getContext("2d");

export function measured(text: string, font: string): TextMetrics {
	if (!measures) throw new Error("This browser has no 2D canvas.");
	measures.font = font;
	return measures.measureText(text);
}

export function fontOf(style: CSSStyleDeclaration, size = style.fontSize): string {
	return `${style.fontStyle} ${style.fontWeight} ${size} ${style.fontFamily}`;
}

/** Whether anything of an element is. */
export function isDrawn(el: Element): boolean {
	const { display, visibility } = getComputedStyle(el);
	if (el.matches(LEFT_OUT) || display === "none" || visibility === "hidden") return false;
	// What is folded away has a display, too.
	return !(el instanceof HTMLElement) || el.checkVisibility();
}

/** Draws what the browser has laid out: boxes, letters at their places, and canvases. */
export class Painter {
	readonly #x: number;
	readonly #y: number;
	readonly #notes: ReadonlyMap<Element, Noted>;
	readonly #plain: CSSStyleDeclaration;

	/** From a corner of the page; letters in the font of `plain` need not say it. */
	constructor(
		x: number,
		y: number,
		notes: ReadonlyMap<Element, Noted>,
		plain: CSSStyleDeclaration,
	) {
		this.#x = x;
		this.#y = y;
		this.#notes = notes;
		this.#plain = plain;
	}

	/** Draw an element and what is in it where it meets `clip`; beyond `ends` words end in "…". */
	draw(el: Element, into: SVGElement, clip: DOMRect, ends: DOMRect | null): void {
		const style = getComputedStyle(el);
		const { display, opacity } = style;
		if (!isDrawn(el)) return;
		const group = opacity === "1" ? into : into.appendChild(svg("g", { opacity }));
		for (const box of el.getClientRects()) if (shared(box, clip)) this.#box(box, style, group);
		if (el instanceof HTMLCanvasElement) this.#canvas(el, group);
		else this.#inside(el, style, group, clip, display === "inline" ? ends : null);
	}

	#inside(
		el: Element,
		style: CSSStyleDeclaration,
		into: SVGElement,
		clip: DOMRect,
		ends: DOMRect | null,
	): void {
		const { scrollWidth, scrollHeight, clientWidth, clientHeight, clientLeft, clientTop } = el;
		const cuts = style.display !== "inline" && style.overflowX !== "visible";
		let [group, within, end]: [SVGElement, DOMRect | null, DOMRect | null] = [into, clip, ends];
		if (cuts && (scrollWidth > clientWidth || scrollHeight > clientHeight)) {
			const { left, top } = el.getBoundingClientRect();
			const inner = new DOMRect(left + clientLeft, top + clientTop, clientWidth, clientHeight);
			within = shared(inner, clip);
			if (!within) return;
			if (style.textOverflow === "ellipsis") end = inner;
			group = this.#window(within, into);
		}
		for (const child of el.childNodes)
			if (child instanceof Text) this.#words(child, style, group, within, end);
			else if (child instanceof Element) this.draw(child, group, within, end);
		this.#after(el, group, within);
	}

	#at({ left, top, width, height }: DOMRect) {
		return { x: left - this.#x, y: top - this.#y, width, height };
	}

	/** What is drawn into it is cut at the box. */
	#window(box: DOMRect, into: SVGElement): SVGElement {
		const at = this.#at(box);
		const viewBox = [at.x, at.y, at.width, at.height].map((n) => n.toFixed(2)).join(" ");
		return into.appendChild(svg("svg", { ...at, viewBox }));
	}

	#box(box: DOMRect, style: CSSStyleDeclaration, into: SVGElement): void {
		const { backgroundColor, backgroundImage, boxShadow, outlineStyle, outlineColor } = style;
		const at = this.#at(box);
		const { x, y, width, height } = at;
		const add = (...shape: Parameters<typeof svg>) => into.append(svg(...shape));
		const most = Math.min(width, height) / 2;
		const radii = CORNERS.map((corner) => Math.min(most, px(style[`border${corner}Radius`])));
		const shape = (more: Parameters<typeof svg>[1]) => {
			const [rx = 0] = radii;
			if (radii.every((r) => r === rx)) add("rect", { ...at, rx, ...more });
			else add("path", { d: rounded(at, radii), ...more });
		};
		if (plain(backgroundColor)[1]) shape(paint("fill", backgroundColor));
		if (backgroundImage.startsWith("linear-gradient")) strip(backgroundImage, at, into);
		const [, colour, depth] = /^(.+\)) 0px -([\d.]+)px .*inset$/.exec(boxShadow) ?? [];
		if (colour)
			add("rect", {
				x,
				y: y + height - px(depth),
				width,
				height: px(depth),
				...paint("fill", colour),
			});
		for (const [i, side] of SIDES.entries()) {
			const thick = px(style[`border${side}Width`]);
			if (!thick) continue;
			const across = i % 2 === 1;
			add("rect", {
				x: side === "Right" ? x + width - thick : x,
				y: side === "Bottom" ? y + height - thick : y,
				width: across ? thick : width,
				height: across ? height : thick,
				...paint("fill", style[`border${side}Color`]),
			});
		}
		if (outlineStyle === "none") return;
		const thick = px(style.outlineWidth);
		const by = thick / 2 + px(style.outlineOffset);
		add("rect", {
			x: x - by,
			y: y - by,
			width: width + 2 * by,
			height: height + 2 * by,
			rx: (radii[0] ?? 0) + by,
			fill: "none",
			"stroke-width": thick,
			...paint("stroke", outlineColor),
		});
	}

	#canvas(canvas: HTMLCanvasElement, into: SVGElement): void {
		const { x, y, width, height } = this.#at(canvas.getBoundingClientRect());
		if (!canvas.width || !canvas.height || !width) return;
		const noted = this.#notes.get(canvas);
		// Between two pixels of the picture each would be a mixture of its neighbours.
		const [left, top] = [x, y].map((n) => Math.round(n * TAKEN_DENSITY) / TAKEN_DENSITY);
		const whole = svg("svg", { x: left, y: top, width, height });
		into.append(whole);
		if (noted?.curves.length) {
			const scaled = svg("g", { fill: "none", transform: `scale(${1 / TAKEN_DENSITY})` });
			whole.append(scaled);
			for (const { curve, length, down } of noted.curves) {
				const { from, to, thickness, colour, alpha } = curve;
				const at = (across: number, along: number) =>
					(down ? [along, across] : [across, along]).map((n) => n.toFixed(1)).join();
				scaled.append(
					svg("path", {
						d: `M${at(0, from)}C${at(length / 3, from)} ${at((2 * length) / 3, to)} ${at(length, to)}`,
						stroke: css(colour),
						"stroke-opacity": alpha,
						"stroke-width": thickness,
					}),
				);
			}
		} else
			whole.append(
				svg("image", { width, height, preserveAspectRatio: "none", href: canvas.toDataURL() }),
			);
		for (const { text, x, y, font, colour, align, transform } of noted?.letters ?? []) {
			const { a, b, c, d, e, f } = new DOMMatrix()
				.scale(1 / TAKEN_DENSITY, 1 / TAKEN_DENSITY)
				.multiply(transform);
			whole.append(
				svg(
					"text",
					{
						x,
						y,
						transform: `matrix(${[a, b, c, d, e, f].map((n) => Number(n.toFixed(4))).join()})`,
						"text-anchor": ANCHORS[align],
						style: `font:${font}`,
						...paint("fill", colour),
					},
					text,
				),
			);
		}
	}

	#words(
		node: Text,
		style: CSSStyleDeclaration,
		into: SVGElement,
		clip: DOMRect,
		ends: DOMRect | null,
	): void {
		if (!node.data.trim()) return;
		const vertical = style.writingMode.startsWith("vertical");
		const room = px(style.fontSize);
		const over = (box: DOMRect, by: number) =>
			ends !== null &&
			(vertical
				? box.bottom > ends.bottom - by
				: style.direction === "rtl"
					? box.left < ends.left + by
					: box.right > ends.right - by);
		for (const run of runsOf(node, vertical, !style.whiteSpaceCollapse.startsWith("preserve"))) {
			if (!shared(run.box, clip)) continue;
			const whole = !over(run.box, -1);
			const text = whole ? run.text : cut(node, run, (box) => over(box, room));
			this.#text(text, run.box, style, into, whole);
		}
	}

	/** Letters in their box; `fitted` to it, whatever font the reader of the picture has. */
	#text(
		text: string,
		box: DOMRect,
		style: CSSStyleDeclaration,
		into: SVGElement,
		fitted: boolean,
	): void {
		const { x, y, width, height } = this.#at(box);
		const vertical = style.writingMode.startsWith("vertical");
		const rtl = style.direction === "rtl" && !vertical;
		const { fontBoundingBoxAscent: above } = measured(text, fontOf(style));
		const other = (name: "fontSize" | "fontFamily" | "fontWeight" | "fontStyle") =>
			style[name] === this.#plain[name] ? null : style[name];
		const thick = px(style.webkitTextStrokeWidth);
		const long = fitted && Array.from(text).length > 1;
		into.append(
			svg(
				"text",
				{
					x: vertical ? x + width / 2 : rtl ? x + width : x,
					y: vertical ? y : y + above,
					"font-size": other("fontSize"),
					"font-family": other("fontFamily"),
					"font-weight": other("fontWeight"),
					"font-style": other("fontStyle"),
					"writing-mode": vertical ? "vertical-rl" : null,
					direction: rtl ? "rtl" : null,
					textLength: long ? (vertical ? height : width) : null,
					lengthAdjust: long ? "spacingAndGlyphs" : null,
					...paint("fill", style.color),
					...(thick && { "stroke-width": thick, ...paint("stroke", style.color) }),
				},
				text,
			),
		);
		const { textDecorationLine, textDecorationColor, textDecorationStyle } = style;
		if (textDecorationLine !== "underline") return;
		const deep = px(style.textDecorationThickness) || 1;
		for (let line = 0; line < (textDecorationStyle === "double" ? 2 : 1); line++)
			into.append(
				svg("rect", {
					x,
					y: y + above + px(style.textUnderlineOffset) + 2 * line * deep,
					width,
					height: deep,
					...paint("fill", textDecorationColor),
				}),
			);
	}

	/** What a style sheet writes behind an element, by its place: a number under its token. */
	#after(el: Element, into: SVGElement, clip: DOMRect): void {
		const style = getComputedStyle(el, "::after");
		const [, text] = /^"(.+)"$/.exec(style.content) ?? [];
		const [box] = el.getClientRects();
		if (!text || !box) return;
		const { fontBoundingBoxAscent, fontBoundingBoxDescent } = measured(text, fontOf(style));
		const height = fontBoundingBoxAscent + fontBoundingBoxDescent;
		const { e, f } = new DOMMatrix(style.transform);
		const place = new DOMRect(
			box.left + px(style.left) + e,
			box.top + px(style.top) + f + (px(style.height) - height) / 2,
			px(style.width),
			height,
		);
		if (shared(place, clip)) this.#text(text, place, style, into, true);
	}
}

function px(length: string | undefined): number {
	return Number.parseFloat(length ?? "") || 0;
}

/** What two boxes share; null where nothing. */
function shared(a: DOMRect, b: DOMRect): DOMRect | null {
	const [left, top] = [Math.max(a.left, b.left), Math.max(a.top, b.top)];
	const width = Math.min(a.right, b.right) - left;
	const height = Math.min(a.bottom, b.bottom) - top;
	return width > 0 && height > 0 ? new DOMRect(left, top, width, height) : null;
}

interface Box {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** A box with corners of several radii, clockwise from the upper left. */
function rounded({ x, y, width, height }: Box, radii: readonly number[]): string {
	const [a = 0, b = 0, c = 0, d = 0] = radii;
	const arc = (r: number, dx: number, dy: number) => `a${r},${r} 0 0 1 ${r * dx},${r * dy}`;
	const [right, bottom] = [x + width, y + height];
	return `M${x + a},${y}H${right - b}${arc(b, 1, 1)}V${bottom - c}${arc(c, -1, 1)}H${x + d}${arc(d, -1, -1)}V${y + a}${arc(a, 1, -1)}Z`;
}

/** Colours side by side, as a style sheet's gradient from one place to another. */
function strip(gradient: string, at: Box, into: SVGElement): void {
	const down = !gradient.includes("to right");
	const stops = [...gradient.matchAll(/(\w+\([^)]*\)) ([\d.]+)%/g)].map(([, colour, place]) => ({
		colour: colour as string,
		place: Number(place) / 100,
	}));
	for (const [i, { colour, place }] of stops.entries()) {
		const next = stops[i + 1];
		if (next?.colour !== colour || !plain(colour)[1]) continue;
		const long = next.place - place;
		into.append(
			svg("rect", {
				x: down ? at.x : at.x + place * at.width,
				y: down ? at.y + place * at.height : at.y,
				width: down ? at.width : long * at.width,
				height: down ? long * at.height : at.height,
				...paint("fill", colour),
			}),
		);
	}
}
