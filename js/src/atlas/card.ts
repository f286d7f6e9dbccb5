import { make } from "../ui/dom";
import { headName, labelText, measuredText } from "./said";
import type { AtlasScene, Dot } from "./scene";

const WIDTH = 280;
const AWAY = 16;

/** What is said beside the head that is pointed at. */
export function card() {
	const el = make("div", { class: "card", "aria-hidden": "true" });
	el.hidden = true;
	let shown: Dot | null = null;
	return {
		el,
		update(
			dot: Dot | null,
			{ info, chosen }: AtlasScene,
			place: readonly [left: number, top: number, width: number, height: number] | null,
		): void {
			el.hidden = !dot || !place;
			if (!dot || !place) {
				shown = null;
				return;
			}
			if (dot !== shown) {
				shown = dot;
				const scores = new Map([
					[chosen.x, dot.across],
					[chosen.y, dot.up],
					[chosen.score, dot.score],
				]);
				el.replaceChildren(
					make("b", {}, headName(info, dot.head)),
					...dot.labels.map((label) =>
						make("p", {}, make("b", {}, label.name), ` ${labelText(label)}`),
					),
					...(dot.labels.length ? [] : [make("p", { class: "muted" }, "nothing names it")]),
					...[...scores].map(([name, measured]) =>
						make("p", { class: "number" }, `${name} `, make("span", {}, measuredText(measured))),
					),
				);
			}
			const [left, top, width, height] = place;
			const isRight = left + AWAY + WIDTH <= width;
			el.style.left = `${isRight ? left + AWAY : Math.max(0, left - AWAY - Math.min(WIDTH, el.offsetWidth))}px`;
			el.style.top = `${Math.max(0, Math.min(top - 12, height - el.offsetHeight))}px`;
		},
	};
}
