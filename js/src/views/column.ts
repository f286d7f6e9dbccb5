import { make, setText } from "../ui/dom";
import { FEW_NUMBERS } from "../ui/words";
import type { Across } from "./curves";

export interface Bar {
	readonly share: number;
	readonly colour: string;
}

/** What one side of the head view shows at each token. */
export interface Side {
	readonly focused: number | null;
	bars(index: number): readonly Bar[];
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
}

/** The token labels of one side; only those in view are in the document. */
export function tokenColumn(role: "query" | "key") {
	const el = make("div", { class: `column ${role}`, "aria-hidden": "true" });
	const rows = new Map<number, Row>();

	function rowAt(index: number): Row {
		const bars = make("span", { class: "bars" });
		const label = make("span", { class: "label", dir: "auto" });
		const number = make("span", { class: "number" });
		const row = {
			el: make("div", { class: "row" }, bars, label, number),
			bars,
			label,
			number,
			place: "",
		};
		rows.set(index, row);
		el.append(row.el);
		return row;
	}

	function update(
		[first, last]: readonly [number, number],
		side: Side,
		across: Across,
		height: number,
	): void {
		const width = role === "query" ? across.left - 8 : across.width - across.right - 8;
		el.style.width = `${width}px`;
		for (const [index, row] of rows)
			if (index < first || index >= last) {
				row.el.remove();
				rows.delete(index);
			}
		for (let index = first; index < last; index++) {
			const row = rows.get(index) ?? rowAt(index);
			const place = `top:${index * height}px;height:${height}px`;
			if (row.place !== place) row.el.style.cssText = row.place = place;
			const label = side.label(index);
			if (row.label.textContent !== label) {
				row.label.textContent = label;
				row.label.title = `${label} · position ${index}`;
			}
			row.el.classList.toggle("special", side.special(index));
			row.el.classList.toggle("focused", side.focused === index);
			drawBars(row.bars, side.bars(index));
			const weight = side.number(index);
			const number =
				weight !== undefined && Math.abs(weight) >= FEW_NUMBERS ? weight.toFixed(2) : "";
			setText(row.number, number);
		}
	}
	return { el, update };
}

function drawBars(el: HTMLElement, bars: readonly Bar[]): void {
	el.classList.toggle("several", bars.length > 1);
	while (el.children.length > bars.length) el.lastElementChild?.remove();
	while (el.children.length < bars.length) el.append(make("i"));
	for (const [i, { share, colour }] of bars.entries()) {
		const style = (el.children[i] as HTMLElement).style;
		const width = `${(Math.min(1, share) * 100).toFixed(2)}%`;
		if (style.width !== width) style.width = width;
		if (style.backgroundColor !== colour) style.backgroundColor = colour;
	}
}
