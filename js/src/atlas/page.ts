import { type ComponentChild, h, render } from "preact";
import { animationFrame } from "../explorer";
import base from "../style/base.css?inline";
import messages from "../style/messages.css?inline";
import toolbarCss from "../style/toolbar.css?inline";
import { handled, isNative, make } from "../ui/dom";
import { Faults, Notes } from "../ui/faults";
import { closeMenus } from "../ui/hide";
import { dressOf, onHostTheme } from "../ui/theme";
import css from "./atlas.css?inline";
import { scoreEnds } from "./cells";
import { Legend } from "./legend";
import { Panel } from "./panel";
import { plotView } from "./plot";
import { Reading } from "./reading";
import { type AtlasScene, atlasScene } from "./scene";
import type { AtlasSource } from "./source";
import type { AtlasStore } from "./store";
import { Table } from "./table";
import { Toolbar } from "./toolbar";

/** From this width on the chosen head stands beside the picture. */
const WIDE = 860;

/** Build one atlas in `host`; everything it starts ends with `signal`. */
export function mountAtlas(
	host: HTMLElement,
	store: AtlasStore,
	source: AtlasSource,
	signal: AbortSignal,
): void {
	const toolbar = make("header");
	const messagesEl = make("div");
	const legend = make("div");
	const panel = make("div", { class: "side" });
	const table = make("div");
	const reading = make("div", { class: "reading" });
	const explorer = make("div", { class: "opened" });
	const redraw = animationFrame(draw, signal);
	const plot = plotView((head) => store.choose(head), redraw, signal);
	const both = make("div", { class: "beside" }, plot.el, panel);
	const root = make("div", { class: "explorer atlas" }, toolbar, messagesEl, legend, both, table);
	root.append(reading, explorer);
	const style = document.createElement("style");
	style.textContent = [base, toolbarCss, messages, css].join("");
	host.attachShadow({ mode: "open" }).append(style, root);
	closeMenus(root, signal);

	const rows = { all: false, open: false };
	const dress = dressOf(host);
	let known: { readonly of: string; readonly scene: AtlasScene } | undefined;
	let isRendered = false;

	/** Worked out anew only where what is chosen, or where heads lie, is another: not while hovering. */
	function sceneNow(): AtlasScene | undefined {
		const { numbers } = source;
		if (!numbers) return undefined;
		const { theme, exemplar, ...chosen } = store.chosen;
		const isLaidOut = known?.scene.map?.kind !== "waiting";
		const of = JSON.stringify([chosen, exemplar]);
		if (known?.of !== of || !isLaidOut)
			known = { of, scene: atlasScene(store.get("_info"), store.chosen, numbers, source) };
		return known.scene;
	}

	function draw(): void {
		const chosen = store.chosen;
		const colours = dress.put(root, chosen.theme);
		root.classList.toggle("wide", root.clientWidth >= WIDE);
		const info = store.get("_info");
		const scene = sceneNow();
		const fault = scene?.map?.kind === "failed" ? scene.map.fault : source.fault;
		show(messagesEl, [
			h(Faults, { fault, dismiss: () => store.set({ plot: "scores" }) }),
			h(Notes, { notes: info.notes, why: store.get("_held")?.said ?? "" }),
		]);
		root.ariaBusy = String(!scene);
		if (!scene) return;
		plot.measure();
		show(toolbar, h(Toolbar, { info, chosen, ends: scoreEnds(scene), store }));
		show(legend, h(Legend, { scene, colours, store }));
		plot.update(scene, colours);
		show(panel, h(Panel, { scene, source, store, colours }));
		const showAll = () => {
			rows.all = true;
			redraw();
		};
		const toggle = (open: boolean) => {
			if (open === rows.open) return;
			rows.open = open;
			redraw();
		};
		show(table, h(Table, { scene, store, ...rows, showAll, toggle }));
		show(reading, h(Reading, { info, chosen, source, store }));
		const { isShown } = source.opened;
		explorer.hidden = !isShown;
		// Once: it follows its own model from then on.
		if (isShown && !isRendered) {
			isRendered = true;
			source.opened.render(explorer, signal);
		}
	}

	root.addEventListener(
		"keydown",
		(event) => {
			const fromExplorer = event.composedPath().includes(explorer);
			if (fromExplorer || event.ctrlKey || event.metaKey || event.altKey) return;
			// What is typed here is not for the host: `d d` would delete the notebook's cell.
			if (event.key === "Escape" && store.get("head") && !isNative(event)) {
				store.choose(null);
				handled(event);
			} else if (event.key.length === 1 || isNative(event)) event.stopPropagation();
		},
		{ signal },
	);
	const moved = () => {
		dress.forget();
		redraw();
	};
	const sizes = new ResizeObserver(moved);
	sizes.observe(root);
	signal.addEventListener("abort", () => {
		sizes.disconnect();
		for (const el of [toolbar, messagesEl, legend, panel, table, reading]) render(null, el);
	});
	store.onChange(redraw, signal);
	source.onChange(redraw, signal);
	onHostTheme(moved, signal);
	redraw();
}

function show(el: HTMLElement, what: ComponentChild | ComponentChild[]): void {
	render(what as ComponentChild, el);
}
