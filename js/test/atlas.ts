import { expect, onTestFinished } from "vitest";
import atlas from "../src/atlas";
import type {
	AtlasInfo,
	AtlasReply,
	AtlasRequest,
	AtlasState,
	ExemplarInfo,
	LabelInfo,
} from "../src/atlas/protocol.gen";
import { deflate } from "../src/page/bytes";
import { Shown } from "./host";
import { HostModel } from "./model";

export const [LAYERS, HEADS] = [3, 4] as const;
export const SCORES = ["entropy", "peak", "previous", "distance"] as const;
const PAIR = ["The", "<b>cat</b>", "sat", "on", "its", "mat"];

/** A score of a head: every score has another order of heads. */
export function meanOf(score: number, index: number): number {
	return ((index * ([1, 5, 7, 11][score] ?? 1)) % (LAYERS * HEADS)) / 10;
}

function label(name: string, measure: string, score: number): LabelInfo {
	return { name, measure, score, baseline: 0.1, support: 40, holds: 30, aside: [] };
}

export function infoOf(changes: Partial<AtlasInfo> = {}): AtlasInfo {
	return {
		model: "a test model",
		// The model's own numbers: of a hybrid one, say.
		layers: [3, 7, 11],
		heads: HEADS,
		texts: 40,
		kept: 20,
		tokens: 400,
		scores: SCORES.map((name) => ({ name, says: `what ${name} says`, baseline: 0.25 })),
		names: ["first token", "previous token"],
		labels: Array.from({ length: LAYERS * HEADS }, (_, i) => [
			...(i % 4 === 1 ? [label("first token", "entropy", 0.9)] : []),
			...(i % 6 === 1 ? [label("previous token", "previous", 0.6 + i / 100)] : []),
		]),
		confidence: 0.95,
		notes: [],
		closed: "",
		...changes,
	};
}

const EXEMPLAR: ExemplarInfo = { text: 7, query: 2, key: 1, weight: 0.625, score: 0.5 };

/** Answers requests as `answering.py` does. */
export class AtlasKernel {
	readonly requests: AtlasRequest[] = [];
	readonly model = new HostModel<object>({});
	/** The shares of a text that are answered first. */
	reading: number[] = [];
	/** What is said of every request; "" where all is well. */
	failing = "";
	/** What else happens once a text is there. */
	opened: (request: AtlasRequest & { kind: "open" }) => void = () => {};

	constructor() {
		this.model.on("sent", (request: AtlasRequest) => {
			this.requests.push(request);
			void this.#answer(request);
		});
	}

	async #answer(request: AtlasRequest): Promise<void> {
		const { id } = request;
		const buffers: DataView[] = [];
		let reply: AtlasReply;
		if (this.failing) reply = { id, kind: "error", message: this.failing, detail: "" };
		else if (request.kind === "positions") {
			const places = Array.from({ length: 2 * LAYERS * HEADS }, (_, i) => Math.sin(i));
			buffers.push(await deflate([Float32Array.from(places)]));
			reply = { id, kind: "positions" };
		} else if (request.kind === "open") {
			const progress = this.reading.shift() ?? 1;
			if (progress === 1) this.opened(request);
			reply = { id, kind: "open", progress };
		} else
			reply = {
				id,
				kind: "exemplars",
				said: "",
				groups: [{ name: "highest tenth", exemplars: [EXEMPLAR] }],
				texts: {
					7: {
						tokens: PAIR,
						gaps: ["", " ", " ", " ", " ", " "],
						special: PAIR.map(() => false),
					},
				},
			};
		await new Promise((done) => setTimeout(done));
		this.model.emit("msg:custom", reply, buffers);
	}
}

let atlases = 0;

/** A host with one atlas. */
export async function mountAtlas(state: Partial<AtlasState> = {}, width = 1100) {
	const kernel = new AtlasKernel();
	const count = LAYERS * HEADS;
	const plane = (of: (score: number, index: number) => number) =>
		SCORES.flatMap((_, score) => Array.from({ length: count }, (_, i) => of(score, i)));
	const planes = [...plane(meanOf), ...plane(() => 0.05), ...plane(() => 40)];
	const model = new HostModel<AtlasState>({
		plot: "scores",
		x: "distance",
		y: "entropy",
		score: "peak",
		head: null,
		layers: [],
		labels: [],
		least: null,
		most: null,
		exemplar: null,
		theme: "light",
		_info: infoOf(),
		_numbers: await deflate([Float32Array.from(planes)]),
		_source: "IPY_MODEL_data",
		_explorer: null,
		_open: null,
		_held: null,
		_uuid: `atlas-${atlases++}`,
		...state,
	});
	model.others.set("data", kernel.model);
	const definition = atlas();
	const life = new AbortController();
	definition.initialize({ model: model.wrapped(), signal: life.signal } as never);
	const el = document.createElement("div");
	el.style.width = `${width}px`;
	document.body.append(el);
	definition.render({ model: model.wrapped(), el, signal: life.signal } as never);
	const view = new Shown(el, () => life.abort());
	onTestFinished(() => view.remove());
	await expect.poll(() => view.one(".atlas").ariaBusy).toBe("false");
	await expect.poll(() => view.all(".plot").length).toBe(1);
	return { model, kernel, view };
}
