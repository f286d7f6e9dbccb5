import { describe, expect, test } from "vitest";
import { deflate, parse } from "../src/page/bytes";
import { PageModel } from "../src/page/model";
import type {
	RecordedExplorer,
	RecordedReply,
	RecordedVariant,
	Reply,
	ViewState,
	WeightsReply,
} from "../src/protocol.gen";
import { descriptionOf } from "./host";
import { tokenTable } from "./weights";

const SHAPE = { layers: 2, heads: 3, queries: 4, keys: 5 };

async function packed(numbers: ArrayBufferView): Promise<string> {
	const view = await deflate([numbers]);
	return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}

function header(changes: Partial<WeightsReply>): WeightsReply {
	return {
		id: "",
		kind: "weights",
		tiles: [],
		strips: [],
		encoding: "float32",
		rows: [],
		columns: [],
		masses: [],
		spans: [],
		scores: false,
		progress: null,
		...changes,
	};
}

function variant(shown: string, changes: Partial<RecordedVariant> = {}): RecordedVariant {
	return {
		kind: "encoder",
		measure: "weights",
		unit: "token",
		hide: [],
		hide_tokens: [],
		renormalise: false,
		description: descriptionOf(SHAPE, false, { shown, kind: "encoder", held: "this file" }),
		qa: null,
		tokens: { id: "", kind: "tokens", queries: tokenTable(["a"]), keys: null, steps: [] },
		weights: [],
		terms: [],
		no_terms: "no terms here",
		rows: [],
		studies: [],
		no_study: "no such study",
		...changes,
	};
}

function opened(variants: readonly RecordedVariant[]) {
	const [{ description }] = variants as [RecordedVariant];
	const state = {
		...variants[0],
		layer: 1,
		heads: [2],
		selected: [1, 1],
		hovered: null,
		also: [],
		_description: description,
	} as unknown as ViewState;
	const said: string[] = [];
	const explorer: RecordedExplorer = { module: "", state, variants, choices: "only these" };
	const model = new PageModel(explorer, { neuron: "" }, (text) => said.push(text));
	return { model, said };
}

async function answer(model: PageModel, request: object) {
	const data = await model.widget_manager.get_model();
	return new Promise<[Reply, readonly DataView[]]>((done) => {
		data.on("msg:custom", (reply: Reply, buffers: readonly DataView[]) => done([reply, buffers]));
		data.send({ id: "7", shown: "first", ...request } as never);
	});
}

describe("what is chosen on a page", () => {
	const words = variant("words", { unit: "word" });
	const other = variant("other", {
		kind: "decoder",
		description: descriptionOf({ ...SHAPE, layers: 1, heads: 2 }, false, { shown: "other" }),
	});

	test("what was recorded is shown, and all that depends on it changes with it", () => {
		const { model, said } = opened([variant("first"), words, other]);
		model.set("unit", "word");
		model.save_changes();
		expect(model.get("_description").shown).toBe("words");
		expect(model.get("selected")).toBeNull();
		expect(said).toEqual([""]);
	});

	test("anything else is put back, with a word to the person; a pin stays", () => {
		const { model, said } = opened([variant("first"), words]);
		const changed: string[] = [];
		model.on("change:unit", () => changed.push(model.get("unit")));
		model.set("unit", "segment");
		model.save_changes();
		expect(model.get("unit")).toBe("token");
		expect(changed).toEqual(["segment", "token"]);
		expect(model.get("selected")).toEqual([1, 1]);
		expect(said).toEqual(["only these"]);
	});

	test("another kind is shown as it was recorded, with its own layers and heads", () => {
		const { model } = opened([words, other]);
		model.set("kind", "decoder");
		model.save_changes();
		expect(model.get("unit")).toBe("token");
		expect(model.get("layer")).toBe(0);
		expect(model.get("heads")).toEqual([1]);
	});

	test("to raise the rest where nothing is hidden changes nothing", () => {
		const { model, said } = opened([variant("first")]);
		model.set("renormalise", true);
		model.save_changes();
		expect(said).toEqual([""]);
	});
});

describe("what a page answers", () => {
	test("lines of what was recorded; what isn't there is left out of the answer", async () => {
		const row = Float32Array.of(0.5, 0.25, 0.125, 0.0625, 0.0625);
		const recorded: RecordedReply = {
			reply: header({ rows: [[1, 2, 3]] }),
			buffers: [await packed(new Uint8Array()), await packed(row)],
		};
		const partly = variant("first", {
			description: { ...variant("first").description, whole: false },
			weights: [recorded],
		});
		const { model } = opened([partly]);
		const wanted = { tiles: [], strips: [], columns: [], masses: [], spans: [], scores: false };
		const rows = [
			[1, 2, 3],
			[0, 0, 0],
		];
		const [reply] = await answer(model, { kind: "weights", ...wanted, rows });
		expect(reply).toMatchObject({ id: "7", kind: "weights", rows: [[1, 2, 3]], progress: null });
		const [none] = await answer(model, { kind: "weights", ...wanted, rows: [[0, 0, 0]] });
		expect(none).toMatchObject({ kind: "error", message: "" });
	});

	test("a study by what it asks, whatever the order of its fields", async () => {
		const studied = { of: "head", labels: [], why: "signed" } as const;
		const known = variant("first", {
			studies: [{ study: { of: "head", layer: 0, head: 1 }, studied }],
		});
		const { model } = opened([known]);
		const study = { head: 1, layer: 0, of: "head" };
		const [reply] = await answer(model, { kind: "study", run: "r", study });
		expect(reply).toMatchObject({ kind: "study", studied });
		const other = { of: "head", layer: 0, head: 2 };
		const [none] = await answer(model, { kind: "study", run: "r", study: other });
		expect(none).toMatchObject({ kind: "error", message: "no such study" });
	});

	test("no question: a page has no model", async () => {
		const { model } = opened([variant("first")]);
		const [reply] = await answer(model, { kind: "ask", run: "r", question: "?" });
		expect(reply).toMatchObject({ kind: "error", message: expect.stringContaining("can’t run") });
	});
});

test("bytes are read where JSON has them", () => {
	const { starts } = parse<{ starts: DataView }>('{"starts":{"bytes":"AACAPw=="}}');
	expect(starts.getFloat32(0, true)).toBe(1);
});
