import { make, setText } from "../ui/dom";
import { FEW_NUMBERS } from "../ui/words";
import { type Place, tokensInView } from "./place";

/** What stands behind a label: a bar each, or, for more heads than bars can tell apart, a cell each. */
export interface Marks {
	readonly bars: readonly { readonly share: number; readonly colour: string }[];
	/** CSS colours. */
	readonly cells: readonly string[];
}

/** What one side of the head view shows at each token. */
export interface Side {
	readonly count: number;
	focused(index: number): boolean;
	marks(index: number): Marks;
	number(index: number): number | undefined;
	label(index: number): string;
	special(index: number): boolean;
}

interface Row {
	readonly el: HTMLElement;
	readonly bars: HTMLElement;
	readonly label: HTMLElement;
	readonly number: HTMLElement;
	place: string;
	marks: string;
}

/** The token labels of one side; only those in view are in the document. */
export function tokenColumn(role: "query" | "key") {
	const el = make("div", { class: `column ${role}`, "aria-hidden": "true" });
	const rows = new Map<number, Row>();
	let stands = "";

	function newRow(): Row {
		const bars = make("span", { class: "bars" });
		const label = make("span", { class: "label", dir: "auto" });
		const number = make("span", { class: "number" });
		const row = {
			el: make("div", { class: "row" }, bars, label, number),
			bars,
			label,
			number,
			place: "",
			marks: "",
		};
		el.append(row.el);
		return row;
	}

	function update(side: Side, place: Place): void {
		const { across, step, sideBySide } = place;
		const [at, length] = sideBySide ? ["left", "width"] : ["top", "height"];
		const [from, room] =
			role === "query" ? [0, across.from - 8] : [across.to + 8, across.size - across.to - 8];
		const style = sideBySide
			? `left:0;top:${from}px;height:${room}px`
			: `top:0;left:${from}px;width:${room}px`;
		if (style !== stands) el.style.cssText = stands = style;
		const [first, last] = tokensInView(place, side.count);
		// What leaves the view comes in at its other end.
		const left: Row[] = [];
		for (const [index, row] of rows)
			if (index < first || index >= last) {
				left.push(row);
				rows.delete(index);
			}
		for (let index = first; index < last; index++) {
			const row = rows.get(index) ?? left.pop() ?? newRow();
			rows.set(index, row);
			const placed = `${at}:${index * step}px;${length}:${step}px`;
			if (row.place !== placed) row.el.style.cssText = row.place = placed;
			const label = side.label(index);
			const title = `${label} · position ${index}`;
			if (row.label.title !== title) {
				row.label.title = title;
				setText(row.label, label);
			}
			row.el.classList.toggle("special", side.special(index));
			row.el.classList.toggle("focused", side.focused(index));
			drawMarks(row, side.marks(index), sideBySide);
			const weight = side.number(index);
			const number =
				weight !== undefined && Math.abs(weight) >= FEW_NUMBERS ? weight.toFixed(2) : "";
			setText(row.number, number);
		}
		for (const row of left) row.el.remove();
	}
	return { el, update };
}

function drawMarks(row: Row, { bars, cells }: Marks, sideBySide: boolean): void {
	const el = row.bars;
	const widths = bars.map(({ share }) => `${(Math.min(1, share) * 100).toFixed(2)}%`);
	const shown = [...widths, ...bars.map(({ colour }) => colour), ...cells, sideBySide].join();
	if (shown === row.marks) return;
	row.marks = shown;
	el.classList.toggle("several", bars.length > 1 || cells.length > 0);
	// One element for all cells: with dozens of heads an element each would be thousands in view.
	el.style.background = cells.length ? stripOf(cells, sideBySide) : "";
	while (el.children.length > bars.length) el.lastElementChild?.remove();
	while (el.children.length < bars.length) el.append(make("i"));
	for (const [i, { colour }] of bars.entries()) {
		const { style } = el.children[i] as HTMLElement;
		style.inlineSize = widths[i] as string;
		style.backgroundColor = colour;
	}
}

/** Colours beside each other, each with as much room, a gap between them. */
function stripOf(colours: readonly string[], down: boolean): string {
	const gap = 15 / colours.length;
	const stops = colours.map((colour, i) => {
		const [from, to] = [(100 * i) / colours.length, (100 * (i + 1)) / colours.length];
		return `${colour} ${from}% ${to - gap}%, #0000 ${to - gap}% ${to}%`;
	});
	return `linear-gradient(to ${down ? "bottom" : "right"}, ${stops.join()})`;
}
