import { expect, onTestFinished } from "vitest";
import {
	type Description,
	EVERYTHING_BYTES,
	type TokenTable,
	type ViewState,
} from "../src/protocol.gen";
import qa from "../src/qa";
import widget from "../src/widget";
import { frame } from "./events";
import { Kernel } from "./kernel";
import { HostModel } from "./model";
import { tokenTable, type Weights } from "./weights";

export { numbered, softmaxWeights } from "./weights";

export interface Options {
	readonly state?: Partial<ViewState>;
	readonly description?: Partial<Description>;
	/** The words of the keys where they are others than the queries'. */
	readonly keyWords?: readonly string[];
	/** What else than their texts is said of the words. */
	readonly table?: Partial<TokenTable>;
	readonly connected?: boolean;
}

/** One view in the page, from the outside: what a person and a screen reader get. */
export class Shown {
	readonly el: HTMLElement;
	#root: ShadowRoot;
	readonly #end: () => void;

	constructor(el: HTMLElement, end: () => void) {
		this.el = el;
		this.#root = (el.firstElementChild as HTMLElement).shadowRoot as ShadowRoot;
		this.#end = end;
	}

	/** Of the page that is there now: when something else is shown, another takes its place. */
	get root(): ShadowRoot {
		this.#root = this.el.firstElementChild?.shadowRoot ?? this.#root;
		return this.#root;
	}

	one<E extends HTMLElement = HTMLElement>(selector: string): E {
		const found = this.root.querySelector<E>(selector);
		if (!found) throw new Error(`nothing matches ${selector}`);
		return found;
	}

	all<E extends HTMLElement = HTMLElement>(selector: string): E[] {
		return [...this.root.querySelectorAll<E>(selector)];
	}

	/** The text of what matches, white space as one space. */
	text(selector: string): string {
		return this.all(selector)
			.map((el) => el.textContent)
			.join(" ")
			.replace(/\s+/g, " ")
			.trim();
	}

	token(index: number): HTMLElement {
		return this.one(`[data-token="${index}"]`);
	}

	remove(): void {
		this.#end();
		this.el.remove();
	}
}

export interface Mounted {
	readonly model: HostModel<ViewState>;
	readonly kernel: Kernel;
	/** Show one more view of the same model. */
	render(width?: number): Shown;
	/** Show a view, and wait until it has what it asked for. */
	open(width?: number): Promise<Shown>;
	/** Wait until all that was asked is answered, and drawn. */
	settled(): Promise<void>;
	close(): void;
}

let models = 0;

/** A host with one explorer over `weights`: real entry points, a kernel that really computes. */
export function mount(weights: Weights, words: readonly string[], options: Options = {}): Mounted {
	const keyTable = options.keyWords ? tokenTable(options.keyWords) : null;
	const description = descriptionOf(weights, keyTable === null, options.description);
	const kernel = new Kernel(
		weights,
		{ ...tokenTable(words), ...options.table },
		keyTable,
		description,
	);
	const model = new HostModel<ViewState>({
		kind: "",
		measure: "weights",
		unit: "token",
		hide: [],
		hide_tokens: [],
		renormalise: false,
		layer: 0,
		heads: [0],
		view: ["text", "heads", "matrix"],
		hovered: null,
		selected: null,
		also: [],
		combine: "mean",
		edits: [],
		direction: "reads",
		top_mass: 0.8,
		top_k: null,
		threshold: 0,
		between: [],
		orientation: "vertical",
		pooling: "max",
		scale: "sqrt",
		scale_to: "model",
		sort: "layer",
		paint: "weights",
		answer: 0,
		theme: "light",
		_compared: null,
		_qa: null,
		_description: description,
		_snapshot: { header: null, buffer: null },
		_source: "IPY_MODEL_data",
		_uuid: `model-${models++}`,
		...options.state,
	});
	if (options.connected === false)
		model.widget_manager.get_model = () => Promise.reject(new Error("none"));
	else model.others.set("data", kernel.model);
	const definition = (options.state?._qa ? qa : widget)();
	const life = new AbortController();
	definition.initialize({ model: model.wrapped(), signal: life.signal } as never);
	const views = new Set<Shown>();
	const render = (width = 1100) => {
		const view = renderInto(definition, model, width, () => views.delete(view));
		views.add(view);
		return view;
	};
	const quiet = () =>
		kernel.idle && [...views].every((view) => view.one(".explorer").ariaBusy === "false");
	const settled = () =>
		expect
			.poll(async () => {
				if (!quiet()) return false;
				// A drawing asks for what it misses: quiet is what stays quiet over a frame.
				await frame();
				return quiet();
			}, SLOW)
			.toBe(true);
	return {
		model,
		kernel,
		render,
		settled,
		async open(width) {
			const view = render(width);
			await settled();
			return view;
		},
		close: () => life.abort(),
	};
}

const SLOW = { timeout: 5000, interval: 10 };

/** What Python says of weights before any of them is asked for. */
export function descriptionOf(
	{ layers, heads, queries, keys }: Omit<Weights, "at">,
	same: boolean,
	changes: Partial<Description> = {},
): Description {
	return {
		kind: "",
		shown: "",
		hides: 0,
		hidden_tokens: [],
		kinds: [""],
		check: null,
		measure: "weights",
		measures: ["weights: ", "norms, norms summed, rollout, relevance, logits: a test has none"],
		number: "weight",
		against: "",
		shares: true,
		layers: Array.from({ length: layers }, (_, i) => i),
		heads,
		queries,
		keys,
		causal: false,
		same_tokens: same,
		samples: true,
		whole: layers * heads * queries * keys <= EVERYTHING_BYTES,
		scale: 1,
		encoding: "quartic8",
		model: "a test model",
		source: "made up",
		notes: [],
		scores: ["peak: mean of each row's largest weight"],
		labels: [],
		labels_by: "",
		texts: [],
		held: "",
		...changes,
	};
}

function renderInto(
	definition: ReturnType<typeof widget>,
	model: HostModel<ViewState>,
	width: number,
	removed: () => void,
): Shown {
	const el = document.createElement("div");
	el.style.width = `${width}px`;
	document.body.append(el);
	const life = new AbortController();
	definition.render({ model: model.wrapped(), el, signal: life.signal } as never);
	const view = new Shown(el, () => {
		life.abort();
		removed();
	});
	onTestFinished(() => view.remove());
	return view;
}
