import type { Palette } from "../draw/colour";
import { fitCanvas, handled, isEnter, make, setName, setText, withModifier } from "../ui/dom";
import { nearest, nextAlong } from "../views/evidence-points";
import { ARROWS } from "../views/gestures";
import { card } from "./card";
import { type CellsLayout, cellsLayout, drawCells } from "./cells";
import { drawPoints, type PointsLayout, pointsLayout } from "./points";
import type { HeadKey } from "./protocol.gen";
import { dotText } from "./said";
import { type AtlasScene, type Dot, isMap } from "./scene";
import { sameHead } from "./store";

const REACH = 16;
const HEIGHT = 420;

/** All heads in one picture: dots, or a grid. A pointer or arrow keys name one, a click or Enter chooses it. */
export function plotView(choose: (head: HeadKey) => void, redraw: () => void, signal: AbortSignal) {
	const canvas = make("canvas");
	const above = make("div", { class: "muted axis" });
	const below = make("div", { class: "muted axis below" });
	const said = make("div", { class: "hidden", "aria-live": "polite" });
	const shown = card();
	const stage = make("div", { class: "plot", tabindex: 0, role: "application" }, canvas, shown.el);
	const el = make("div", { class: "scatter" }, above, stage, below, said);
	let width = 0;
	let scene: AtlasScene | undefined;
	let points: PointsLayout | undefined;
	let cells: CellsLayout | undefined;
	let pointed: HeadKey | null = null;
	let byKey = false;

	const dotOf = (head: HeadKey | null) =>
		(head && scene?.there.find((dot) => sameHead(dot.head, head))) ?? null;

	function point(dot: Dot | null, isKey: boolean): void {
		const head = dot?.head ?? null;
		byKey = isKey;
		if (sameHead(head, pointed)) return;
		pointed = head;
		redraw();
	}

	function at(event: MouseEvent): Dot | null {
		if (!scene) return null;
		const { left, top } = stage.getBoundingClientRect();
		const place = [event.clientX - left, event.clientY - top] as const;
		if (cells) return dotOf(cells.at(...place));
		if (!points) return null;
		const axes = { x: points.x.at, y: points.y.at };
		const index = nearest(axes, scene.there, place, REACH);
		return index === null ? null : (scene.there[index] ?? null);
	}

	/** The next dot that way; in the grid the next cell that is shown. */
	function next(from: Dot, [down, right]: readonly [number, number]): Dot | undefined {
		if (!scene) return undefined;
		if (!cells) {
			const index = scene.there.indexOf(from);
			const to = down
				? nextAlong(scene.there, index, "y", -down)
				: nextAlong(scene.there, index, "x", right);
			return scene.there[to];
		}
		let [layer, head] = from.head;
		const { layers, heads } = scene.info;
		for (;;) {
			[layer, head] = [layer + down, head + right];
			if (layer < 0 || head < 0 || layer >= layers.length || head >= heads) return from;
			const dot = dotOf([layer, head]);
			if (dot) return dot;
		}
	}

	function onKey(event: KeyboardEvent): void {
		const [first] = scene?.there ?? [];
		const start = dotOf(pointed) ?? dotOf(scene?.chosen.head ?? null) ?? first;
		if (!start) return;
		const step = ARROWS[event.key];
		if (step && !withModifier(event)) point((pointed ? next(start, step) : start) ?? start, true);
		else if (isEnter(event)) choose(start.head);
		else if (event.key === "Escape" && pointed) point(null, true);
		else return;
		handled(event);
	}

	const options = { signal };
	stage.addEventListener("pointermove", (event) => point(at(event), false), options);
	stage.addEventListener("pointerleave", () => point(null, false), options);
	stage.addEventListener("blur", () => point(null, false), options);
	stage.addEventListener("keydown", onKey, options);
	stage.addEventListener(
		"click",
		(event) => {
			const dot = at(event);
			if (dot) choose(dot.head);
		},
		options,
	);

	return {
		el,
		measure() {
			width = el.clientWidth;
		},
		update(now: AtlasScene, colours: Palette): void {
			scene = now;
			const { chosen, info } = now;
			const dot = dotOf(pointed);
			const isGrid = chosen.plot === "grid";
			cells = isGrid ? cellsLayout(now, width) : undefined;
			points = isGrid ? undefined : pointsLayout(now, width, HEIGHT);
			const height = cells?.height ?? HEIGHT;
			const context = fitCanvas(canvas, width, height);
			if (cells) drawCells(context, cells, now, dot, colours);
			else if (points) drawPoints(context, points, now, dot, colours);
			setText(above, aboveText(now));
			setText(below, belowText(now));
			const name = dot && dotText(info, dot, chosen.x, chosen.y);
			setText(said, byKey && name ? name : "");
			setName(
				stage,
				`${now.there.length} of ${now.dots.length} heads, ${HOW[chosen.plot](chosen)}; arrow keys move among them, Enter chooses one`,
			);
			const place = dot && (cells ?? points)?.place(dot);
			shown.update(dot, now, place ? [...place, width, height] : null);
		},
	};
}

type Axes = AtlasScene["chosen"];

const HOW: Readonly<Record<Axes["plot"], (chosen: Axes) => string>> = {
	scores: ({ x, y }) => `${y} against ${x}`,
	mds: () => "by how far their attention is from each other's",
	umap: () => "by how far their attention is from each other's",
	grid: ({ score }) => `a layer a row, coloured by ${score}`,
};

function aboveText({ chosen, map }: AtlasScene): string {
	if (map?.kind === "waiting") return "Laying out the map …";
	if (map?.kind === "failed") return "";
	if (isMap(chosen.plot)) return "Heads that read alike lie near each other";
	return chosen.plot === "grid" ? `layers ↓ heads → · ${chosen.score}` : `↑ ${chosen.y}`;
}

function belowText({ chosen }: AtlasScene): string {
	if (chosen.plot === "scores") return `${chosen.x} →`;
	return isMap(chosen.plot)
		? `${chosen.plot === "mds" ? "classical scaling" : "UMAP"} of Jensen-Shannon divergences`
		: "";
}
