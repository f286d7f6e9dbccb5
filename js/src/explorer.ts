import { type ComponentChild, h, render } from "preact";
import { inkOf, type Palette } from "./draw/colour";
import { whileNoting } from "./draw/noted";
import { Taking } from "./export/taking";
import { isTyping, wayOf } from "./history";
import { partOf } from "./part";
import type { Taker } from "./picture";
import { pinned, pinsOf } from "./pins";
import { type Axis, type Pointer, VIEW_NAMES, type ViewName } from "./protocol.gen";
import { combined, focusOf, type HoveredAs, readingOf, receivedBy, type Scene } from "./scene";
import type { TileSource, Tokens } from "./source/source";
import type { Store, Synced } from "./store";
import { css } from "./style";
import { handled, isNative, make } from "./ui/dom";
import { Faults, Notes } from "./ui/faults";
import { closeMenus } from "./ui/hide";
import type { Kept } from "./ui/kept";
import { Meter } from "./ui/meter";
import { Readout } from "./ui/readout";
import { Steps } from "./ui/steps";
import { Take } from "./ui/take";
import { dressOf, onHostTheme, PALETTES } from "./ui/theme";
import { Toolbar } from "./ui/toolbar";
import { Finder } from "./views/find";
import { headsView } from "./views/heads";
import { Inks } from "./views/inks";
import { lazyView } from "./views/lazy";
import { matrixView } from "./views/matrix";
import { modelView } from "./views/model";
import { textView } from "./views/text";
import type { Actions, ExtraView, HeadOf, View } from "./views/view";

/** From this width on, the head view and the matrix stand side by side. */
const WIDE = 860;

/** Build one explorer in `host`, as `kept` left the last; everything it starts ends with `signal`. */
export function mountExplorer(
	host: HTMLElement,
	store: Store,
	source: TileSource,
	kept: Kept,
	extra: ExtraView | null,
	signal: AbortSignal,
): void {
	const toolbar = make("header");
	const messages = make("div");
	const meter = make("div");
	const readout = make("footer", { class: "readout", "aria-live": "polite" });
	const steps = make("div");
	const panes = make("div", { class: "panes" });
	const root = make("div", { class: "explorer" }, toolbar, messages, meter);
	const style = document.createElement("style");
	style.textContent = css + (extra?.css ?? "");
	const shadow = host.attachShadow({ mode: "open" });
	shadow.append(style, root);
	kept.hold(root);
	closeMenus(root, signal);
	signal.addEventListener("abort", () => kept.take(shadow, root));

	let hoveredAs: HoveredAs = "token";
	let peek: HeadOf | null = null;
	const dress = dressOf(host);
	const pin = ([selected, ...also]: readonly Pointer[]) => {
		store.set("selected", selected ?? null);
		store.set("also", also);
	};
	const redraw = animationFrame(() => guarded(draw), signal);
	const actions: Actions = {
		hover(pointer, as) {
			hoveredAs = as;
			store.set("hovered", pointer);
		},
		pin(pointer, also) {
			pin(pinned(pinsOf(store.state), pointer, also));
		},
		set: (name, value, moving) => store.set(name, value, moving),
		peek(head) {
			if (head?.layer === peek?.layer && head?.head === peek?.head) return;
			peek = head;
			redraw();
		},
		choose({ layer, head }, also) {
			const chosen = also && layer === store.get("layer") ? store.get("heads") : [];
			const heads = chosen.includes(head) ? chosen.filter((h) => h !== head) : [...chosen, head];
			store.set("layer", layer);
			if (heads.length)
				store.set(
					"heads",
					heads.sort((a, b) => a - b),
				);
		},
		open(block, between) {
			kept.block = block;
			store.set("unit", "token");
			store.set("between", between);
		},
		redraw,
	};
	const finder = new Finder(kept.find, (pointer) => {
		kept.find = finder.text;
		actions.hover(pointer, "token");
		redraw();
	});
	const text = textView(actions, finder, signal);
	const heads = headsView(actions, signal);
	const matrix = matrixView(actions, signal, kept.block);
	kept.block = null;
	const model = modelView(actions, signal);
	const parts = { actions, finder, source, store, kept, signal };
	const [neuron, evidence] = [lazyView("neuron", parts), lazyView("evidence", parts)];
	root.append(text.el, steps, panes, neuron.el, evidence.el, readout);
	panes.append(heads.el, model.el, matrix.el);

	const peeked = (scene: Scene): Scene =>
		peek ? { ...scene, state: { ...scene.state, layer: peek.layer, heads: [peek.head] } } : scene;

	const reader = source.reader(signal);
	const inks = new Inks();
	let colours: Palette = PALETTES.light;
	let ink = inkOf(colours, "sqrt", 1);
	let failure: { message: string; detail: string } | null = null;
	let latest: Scene | undefined;
	/** The row that was looked at last: its numbers can be copied once the pointer has left it. */
	let row: number | null = null;
	const exactRow = () => {
		if (!latest || row === null) return undefined;
		const { layer, heads } = latest.state;
		const reading =
			latest.focus.query === null
				? readingOf(reader, "row", layer, heads, row, true)
				: latest.reads;
		return reading?.exact ? { reading, scene: latest } : undefined;
	};
	let asked: Promise<Taker> | undefined;
	const taker = () => {
		if (kept.taker) return Promise.resolve(kept.taker);
		asked ??= partOf<Taker>(source, "picture").finally(() => {
			asked = undefined;
		});
		return asked.then((found) => {
			kept.taker = found;
			return found;
		});
	};
	// What only some explorers have: of two traces, or of a question.
	const own = store.compared
		? ({ name: "compare", view: lazyView("compare", parts) } as const)
		: extra && { name: extra.name, view: extra.mount(parts) };
	if (own) root.insertBefore(own.view.el, text.el);
	const views: Partial<Record<ViewName, View>> = {
		text,
		heads,
		matrix,
		model,
		neuron,
		evidence,
		...(own && { [own.name]: own.view }),
	};
	const names = VIEW_NAMES.filter((name) => name in views);
	const taking = new Taking(
		{
			root,
			redraw,
			failed: fail,
			taker,
			row: exactRow,
			picture: (view, { pictureOf, captionOf, fileName }) =>
				whileNoting(draw, (notes) => {
					if (!latest) throw new Error("nothing is shown yet.");
					const el = views[view]?.el;
					if (!el) throw new Error("that view isn't there.");
					const remarks = Array.from(
						el.querySelectorAll(".remark > *"),
						(part) => part.textContent,
					);
					return {
						drawing: pictureOf(el, captionOf(view, latest, remarks), notes),
						name: fileName(view, latest),
					};
				}),
		},
		signal,
	);

	function draw(): void {
		const { state } = store;
		const wide = root.clientWidth >= WIDE;
		colours = dress.put(root, state.theme);
		root.classList.toggle("wide", wide);
		const tokens = source.tokens();
		root.classList.toggle("waiting", !tokens && source.status.kind !== "gone");
		const alone = state.view.length === 1 && state.view[0] === "model";
		text.el.hidden = !tokens || !state.view.includes("text");
		heads.el.hidden = !tokens || !state.view.includes("heads");
		model.el.hidden = !tokens || !state.view.includes("model");
		// Beside the map by itself the head under the pointer is shown large.
		matrix.el.hidden = !tokens || !(alone || state.view.includes("matrix"));
		neuron.el.hidden = !tokens || !state.view.includes("neuron");
		evidence.el.hidden = !tokens || !state.view.includes("evidence");
		if (own) own.view.el.hidden = !tokens || !state.view.includes(own.name);
		if (!tokens) {
			drawControls(state);
			root.ariaBusy = "true";
			return;
		}
		finder.over(tokens);
		render(h(Steps, { tokens, selected: state.selected, store }), steps);
		// The map last: what the others miss is asked for first.
		const all: readonly View[] = [
			...(own ? [own.view] : []),
			text,
			heads,
			matrix,
			neuron,
			evidence,
			model,
		];
		const shown = all.filter((view) => !view.el.hidden);
		for (const view of shown) view.measure();
		const complete = reader.collect(() => {
			const scene = sceneOf(state, tokens);
			latest = scene;
			row = scene.focus.query ?? row;
			drawControls(state);
			for (const view of shown) view.update(view === matrix ? peeked(scene) : scene);
			render(h(Meter, { scene }) as ComponentChild, meter);
			render(h(Readout, { scene, set: actions.set }) as ComponentChild, readout);
		});
		kept.release(root);
		root.ariaBusy = String(!complete || shown.some(({ el }) => el.ariaBusy === "true"));
	}

	function drawControls(state: Synced): void {
		const { description, status, fault } = source;
		const shown = { description, state, status, source, names, colours, ink, finder, store };
		const offered = names.filter((view) => !views[view]?.el.hidden);
		const row = taking.open && exactRow() !== undefined;
		const can = status.kind !== "gone" || kept.taker !== undefined;
		const take = h(Take, { taking, views: offered, can, row, opened: redraw });
		render(h(Toolbar, { ...shown, take }), toolbar);
		kept.focus(toolbar);
		const dismiss = () => {
			failure = null;
			source.dismissFault();
		};
		const why = status.kind === "gone" ? status.why : "";
		render(
			[
				h(Faults, { fault: failure ?? fault, dismiss }),
				h(Notes, { notes: description.notes, why }),
			] as unknown as ComponentChild,
			messages,
		);
	}

	function sceneOf(state: Synced, tokens: Tokens): Scene {
		const { description, table, status } = source;
		const { layer, heads } = state;
		ink = inks.choose({ description, state, reader, table }, colours);
		const focus = focusOf(pinsOf(state), state.hovered, hoveredAs);
		const read = (axis: Axis, indices: readonly number[]) =>
			combined(
				indices.map((index) => readingOf(reader, axis, layer, heads, index, true)),
				state.combine,
			);
		return {
			description,
			state,
			tokens,
			focus,
			peek,
			reader,
			status,
			table,
			colours,
			ink,
			reads: read("row", focus.queries),
			readers: read("column", focus.keys),
			received:
				focus.query === null && focus.key === null
					? receivedBy(reader, description, table, layer, heads)
					: undefined,
		};
	}

	/** A fault of ours is shown where the person looks; the widget stays usable. */
	function guarded(run: () => void): void {
		try {
			run();
		} catch (error) {
			fail("A view could not be drawn.", error);
		}
	}

	function fail(message: string, error: unknown): void {
		const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
		failure = { message, detail };
		console.error(error);
		drawControls(store.state);
	}

	const { length: layers } = source.description.layers;
	const find = () => toolbar.querySelector<HTMLElement>(".find input")?.focus();
	root.addEventListener("keydown", (event) => onKey(event, store, layers, find), { signal });
	const moved = () => {
		dress.forget();
		redraw();
	};
	const sizes = new ResizeObserver(moved);
	sizes.observe(root);
	signal.addEventListener("abort", () => {
		sizes.disconnect();
		for (const el of [toolbar, messages, meter, steps, readout]) render(null, el);
	});
	store.onChange(redraw, signal);
	source.onChange(redraw, signal);
	onHostTheme(moved, signal);
	redraw();
}

/** Many changes, one drawing: the browser's next frame. */
export function animationFrame(draw: () => void, signal: AbortSignal): () => void {
	let requested = 0;
	signal.addEventListener("abort", () => cancelAnimationFrame(requested));
	return () => {
		if (requested || signal.aborted) return;
		requested = requestAnimationFrame(() => {
			requested = 0;
			draw();
		});
	};
}

function onKey(event: KeyboardEvent, store: Store, layers: number, find: () => void): void {
	const way = wayOf(event);
	if (way && isTyping(event)) event.stopPropagation();
	else if (way) {
		store.go(way);
		handled(event);
	}
	if (event.ctrlKey || event.metaKey || event.altKey) return;
	const layer = store.get("layer");
	if (event.key === "[") store.set("layer", Math.max(0, layer - 1));
	else if (event.key === "]") store.set("layer", Math.min(layers - 1, layer + 1));
	else if (event.key === "r" && !isNative(event))
		store.set("direction", store.get("direction") === "reads" ? "is read by" : "reads");
	else if (event.key === "/" && !isNative(event)) find();
	else if (event.key === "Escape") {
		store.set("selected", null);
		store.set("also", []);
		store.set("hovered", null);
	} else {
		// Neither what is typed here is for the host (`d d` would delete the notebook's cell), nor
		// what a control does with a key: a notebook in command mode takes Enter and the arrows.
		if (event.key.length === 1 || isNative(event)) event.stopPropagation();
		return;
	}
	handled(event);
}
