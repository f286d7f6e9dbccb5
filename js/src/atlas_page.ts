import type { AtlasState } from "./atlas/protocol.gen";
import { imported } from "./imported";
import { parse } from "./page/bytes";
import { Events } from "./page/events";
import type { Module } from "./page/modules";

/** What a file holds of an atlas: the module that shows it, and the state that it opens with. */
interface AtlasPage {
	readonly module: string;
	readonly state: AtlasState;
}

/** The model of the view: what is chosen stays in the page, as nobody else is there. */
class StillModel extends Events {
	readonly widget_manager = { get_model: () => Promise.reject(new Error("a file has no kernel")) };
	readonly #state: AtlasState;

	constructor(state: AtlasState) {
		super();
		this.#state = { ...state };
	}

	get<K extends keyof AtlasState>(name: K): AtlasState[K] {
		return this.#state[name];
	}

	set<K extends keyof AtlasState>(name: K, value: AtlasState[K]): void {
		if (JSON.stringify(this.#state[name]) === JSON.stringify(value)) return;
		this.#state[name] = value;
		this.emit(`change:${name}`);
	}

	save_changes(): void {}
}

async function start(section: HTMLElement): Promise<void> {
	const holder = document.querySelector('script[type="application/json"]');
	const page = parse<AtlasPage>(holder?.textContent ?? "");
	holder?.remove();
	const definition = (await imported<Module>(page.module))();
	const el = document.createElement("div");
	const host = { model: new StillModel(page.state), signal: new AbortController().signal };
	definition.initialize(host);
	section.replaceChildren(el);
	definition.render({ ...host, el });
}

const section = document.querySelector<HTMLElement>("main > section");
if (section)
	start(section).catch((error: unknown) => {
		console.error(error);
		section.textContent = `This browser could not run the page's code: ${error}`;
	});
