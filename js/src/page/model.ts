import type {
	RecordedExplorer,
	RecordedPage,
	RecordedVariant,
	Request,
	ViewState,
} from "../protocol.gen";
import { Events } from "./events";
import { RecordedSource, refusal } from "./source";
import { chosenIn, stateOf, VARIANT } from "./variants";

/** What is said where something is chosen that the page doesn't hold; "" where all is well. */
export type Say = (text: string) => void;

/** The model of a view, as an anywidget's module takes it: what Python would do, a page does. */
export class PageModel extends Events {
	readonly widget_manager: { get_model: () => Promise<PageData> };
	readonly #state: ViewState;
	readonly #explorer: RecordedExplorer;
	readonly #say: Say;
	#shown: RecordedVariant;
	#changed = new Set<keyof ViewState>();

	constructor(explorer: RecordedExplorer, parts: RecordedPage["parts"], say: Say) {
		super();
		const [shown] = explorer.variants;
		if (!shown) throw new Error("the file holds no weights");
		this.#shown = shown;
		const data = new PageData(explorer, parts);
		this.widget_manager = { get_model: async () => data };
		this.#state = { ...explorer.state };
		this.#explorer = explorer;
		this.#say = say;
	}

	get<K extends keyof ViewState>(name: K): ViewState[K] {
		return this.#state[name];
	}

	set<K extends keyof ViewState>(name: K, value: ViewState[K]): void {
		this.#update({ [name]: value });
		this.#changed.add(name);
	}

	save_changes(): void {
		const changed = this.#changed;
		this.#changed = new Set();
		if (VARIANT.some((name) => changed.has(name))) this.#choose();
	}

	/** Show what is chosen, or what was shown where the page doesn't hold that. */
	#choose(): void {
		const { variants, choices } = this.#explorer;
		const chosen = chosenIn(variants, this.#state, this.#shown);
		this.#update(stateOf(chosen ?? this.#shown, this.#state, this.#shown));
		this.#shown = chosen ?? this.#shown;
		this.#say(chosen ? "" : choices);
	}

	#update(state: Partial<ViewState>): void {
		Object.assign(this.#state, state);
		for (const name of Object.keys(state)) this.emit(`change:${name}`);
	}
}

/** The data model: it answers what Python would be asked. */
class PageData extends Events {
	readonly #sources = new Map<string, RecordedSource>();

	constructor({ variants }: RecordedExplorer, parts: RecordedPage["parts"]) {
		super();
		for (const variant of variants)
			this.#sources.set(variant.description.shown, new RecordedSource(variant, parts));
	}

	send(request: Request): void {
		void this.#answer(request);
	}

	async #answer(request: Request): Promise<void> {
		const { reply, buffers } = await this.#found(request).catch((error: unknown) =>
			refusal(request.id, `The file could not be read: ${error}`),
		);
		this.emit("msg:custom", reply, buffers);
	}

	async #found(request: Request) {
		const source = this.#sources.get(request.shown);
		return source?.answer(request) ?? refusal(request.id, "The file doesn't hold this.");
	}
}
