import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type Snapshot, TILE, type WeightsRequest } from "../src/protocol.gen";
import { cellsOf } from "../src/source/cache";
import { KernelSource } from "../src/source/kernel";
import type { Reader } from "../src/source/source";
import { frame } from "./events";
import { descriptionOf } from "./host";
import { Kernel } from "./kernel";
import { numbered, rowOf, softmaxWeights, tokenTable, weightsOf } from "./weights";

const SMALL = softmaxWeights(3, 2, 7, 5);
/** More than is sent at once: 2 x 3 x 1000 x 900. */
const LARGE = weightsOf([2, 3, 1000, 900], (l, h, q, k) => ((l + h + q + k) % 97) / 97);

const NOTHING: Snapshot = { header: null, buffer: null };

function connected(weights = SMALL, snapshot = NOTHING) {
	const [queries, keys] = [numbered(weights.queries, "q"), numbered(weights.keys, "k")];
	const kernel = new Kernel(weights, tokenTable(queries), tokenTable(keys));
	const life = new AbortController();
	onTestFinished(() => life.abort());
	const source = new KernelSource(descriptionOf(weights, false), snapshot, life.signal);
	const reader = source.reader(life.signal);
	const connect = () => source.connect(Promise.resolve(kernel.model.wrapped()));
	return { kernel, source, reader, life, connect };
}

function cellsAsked({ tiles }: WeightsRequest): number {
	return tiles.reduce((sum, key) => sum + cellsOf(descriptionOf(LARGE, false), key), 0);
}

const tokensHere = (source: KernelSource) =>
	expect.poll(() => source.tokens(), { interval: 5 }).toBeDefined();
const asked = (kernel: Kernel, count: number) =>
	expect.poll(() => kernel.requests.length, { interval: 5 }).toBe(count);
const quiet = (kernel: Kernel) => expect.poll(() => kernel.idle, { interval: 5 }).toBe(true);
const statusIs = (source: KernelSource, kind: string) =>
	expect.poll(() => source.status.kind, { interval: 5 }).toBe(kind);

function want(reader: Reader, layer: number, queries: readonly number[]): void {
	reader.collect(() => {
		for (const query of queries) reader.line("row", [layer, 1, query], true);
	});
}

describe("asking", () => {
	test("tokens come first, then everything where it is small, then never again", async () => {
		const { kernel, source, reader, connect } = connected();
		connect();
		await asked(kernel, 2);
		await quiet(kernel);
		await expect.poll(() => reader.line("row", [2, 1, 6], true)).toBeDefined();
		expect(kernel.requests.map((request) => request.kind)).toEqual(["tokens", "everything"]);
		reader.collect(() => {
			const line = reader.line("row", [2, 1, 6], true);
			expect([...(line?.values ?? [])]).toEqual(rowOf(SMALL, 2, 1, 6));
			expect(line?.exact).toBe(true);
			reader.line("column", [0, 0, 4], true);
			reader.tile([1, 1, 0, 0, 0, "max"]);
		});
		expect(kernel.requests).toHaveLength(2);
		expect(source.status.kind).toBe("live");
	});

	test("what is large is asked for by what is drawn, never whole", async () => {
		const { kernel, source, reader, connect } = connected(LARGE);
		connect();
		await tokensHere(source);
		want(reader, 1, [999, 3]);
		await asked(kernel, 2);
		await expect.poll(() => reader.line("row", [1, 1, 999], true)?.exact).toBe(true);
		expect(reader.line("row", [1, 1, 999], true)?.values).toEqual(
			Float32Array.from(rowOf(LARGE, 1, 1, 999)),
		);
		expect(kernel.requests[1]).toMatchObject({
			kind: "weights",
			tiles: [],
			rows: [
				[1, 1, 999],
				[1, 1, 3],
			],
			columns: [],
		});
		expect(kernel.asked("everything")).toBe(0);
	});

	test("one request is in flight, however much is drawn meanwhile", async () => {
		const { kernel, source, reader, connect } = connected(LARGE);
		connect();
		await tokensHere(source);
		kernel.answering = false;
		for (let query = 0; query < 30; query++) want(reader, 0, [query]);
		await asked(kernel, 2);
		kernel.resume();
		await expect.poll(() => reader.line("row", [0, 1, 29], true)?.exact).toBe(true);
	});

	test("after an answer only the latest drawing's wishes are asked for", async () => {
		const { kernel, source, reader, connect } = connected(LARGE);
		connect();
		await tokensHere(source);
		kernel.answering = false;
		want(reader, 0, [1]);
		want(reader, 0, [2, 3]);
		want(reader, 1, [900]);
		kernel.resume();
		await asked(kernel, 3);
		await quiet(kernel);
		const rows = kernel.requests.slice(1).map((request) => (request as WeightsRequest).rows);
		expect(rows).toEqual([[[0, 1, 1]], [[1, 1, 900]]]);
	});

	test("two readers' wishes go in one request, each once", async () => {
		const { kernel, source, reader, life, connect } = connected(LARGE);
		const second = source.reader(life.signal);
		connect();
		await tokensHere(source);
		kernel.answering = false;
		want(reader, 0, [1]);
		want(reader, 0, [5, 6]);
		want(second, 0, [6, 7]);
		kernel.resume();
		await asked(kernel, 3);
		expect((kernel.requests[2] as WeightsRequest).rows).toEqual([
			[0, 1, 5],
			[0, 1, 6],
			[0, 1, 7],
		]);
	});

	test("what a removed reader wished for isn't asked for", async () => {
		const { kernel, source, reader, connect } = connected(LARGE);
		const gone = new AbortController();
		const second = source.reader(gone.signal);
		connect();
		await tokensHere(source);
		kernel.answering = false;
		want(reader, 0, [1]);
		want(second, 0, [6]);
		gone.abort();
		kernel.resume();
		await expect.poll(() => reader.line("row", [0, 1, 1], true)?.exact).toBe(true);
		expect(kernel.requests).toHaveLength(2);
	});

	test("many tiles come in several answers, all of them", async () => {
		const { kernel, source, reader, connect } = connected(LARGE);
		connect();
		await tokensHere(source);
		const keys = [0, 1, 2].flatMap((head) =>
			[0, 1, 2, 3].flatMap((q) => [0, 1, 2, 3].map((k) => [1, head, 0, q, k, "max"] as const)),
		);
		const missing = () => {
			let count = 0;
			reader.collect(() => {
				count = keys.filter((key) => !reader.tile(key)).length;
			});
			return count;
		};
		await expect.poll(missing, { timeout: 5000 }).toBe(0);
		for (const request of kernel.requests.slice(1))
			expect(cellsAsked(request as WeightsRequest)).toBeLessThanOrEqual(17 * TILE * TILE);
	});
});

describe("answers that aren't for us", () => {
	test("a reply with another's id is ignored: all tabs on a kernel get all replies", async () => {
		const { kernel, source, connect } = connected();
		kernel.answering = false;
		connect();
		await asked(kernel, 1);
		const foreign = tokenTable(["not", "ours"]);
		kernel.reply({ id: "someone-0", kind: "tokens", queries: foreign, keys: null, steps: [] });
		expect(source.tokens()).toBeUndefined();
		expect(kernel.requests).toHaveLength(1);
		kernel.resume();
		await tokensHere(source);
		expect(source.tokens()?.queries.text[6]).toBe("q6");
	});

	test("two sources never share an id", async () => {
		const ids = await Promise.all(
			[connected(), connected()].map(async ({ kernel, connect }) => {
				connect();
				await asked(kernel, 2);
				return kernel.requests.map((request) => request.id);
			}),
		);
		expect(new Set(ids.flat()).size).toBe(4);
	});
});

describe("errors", () => {
	test("an error is told, and its wishes aren't asked for again for ever", async () => {
		const { kernel, source, reader, connect } = connected(LARGE);
		connect();
		await tokensHere(source);
		kernel.failing = "layer 1 can't be rebuilt";
		want(reader, 1, [4]);
		await expect.poll(() => source.fault?.message).toBe("layer 1 can't be rebuilt");
		for (let i = 0; i < 5; i++) want(reader, 1, [4]);
		expect(kernel.requests).toHaveLength(2);
		kernel.failing = null;
		want(reader, 0, [4]);
		await expect.poll(() => reader.line("row", [0, 1, 4], true)?.exact).toBe(true);
		source.dismissFault();
		expect(source.fault).toBeNull();
	});

	test("an answer that can't be read is a fault, and the next one is asked for", async () => {
		const { kernel, source, reader, connect } = connected(LARGE);
		connect();
		await tokensHere(source);
		kernel.answering = false;
		want(reader, 0, [4]);
		const { id, ...body } = kernel.requests[1] as WeightsRequest;
		const rubbish = new DataView(Uint8Array.from([1, 2, 3, 4]).buffer);
		const rest = { id, encoding: "quartic8", scores: false, progress: null } as const;
		kernel.reply({ ...body, ...rest }, [rubbish, rubbish]);
		await expect.poll(() => source.fault?.message).toContain("could not be read");
		kernel.answering = true;
		want(reader, 0, [5]);
		await expect.poll(() => reader.line("row", [0, 1, 5], true)?.exact).toBe(true);
	});
});

describe("a kernel that is busy", () => {
	afterEach(() => void vi.useRealTimers());

	test("it is busy after a second, not an error; live again with the answer", async () => {
		const { kernel, source, connect } = connected();
		kernel.answering = false;
		vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
		connect();
		await frame();
		expect(kernel.requests).toHaveLength(1);
		vi.advanceTimersByTime(990);
		expect(source.status.kind).toBe("connecting");
		vi.advanceTimersByTime(20);
		expect(source.status).toEqual({ kind: "busy", seconds: 1 });
		vi.advanceTimersByTime(6000);
		expect(source.status).toEqual({ kind: "busy", seconds: 7 });
		expect(kernel.requests).toHaveLength(1);
		expect(source.fault).toBeNull();
		kernel.resume();
		await statusIs(source, "live");
		await asked(kernel, 2);
	});
});

describe("a kernel that is gone", () => {
	test("no data model: what was saved is all there is, and it is there", async () => {
		const { kernel } = connected();
		const { source, reader } = connected(SMALL, await kernel.snapshot());
		source.connect(Promise.reject(new Error("model not found")));
		await statusIs(source, "gone");
		await tokensHere(source);
		await expect.poll(() => reader.line("row", [2, 1, 6], true)).toBeDefined();
		expect([...(reader.line("row", [2, 1, 6], true)?.values ?? [])]).toEqual(rowOf(SMALL, 2, 1, 6));
	});

	test("saved data that is broken is a fault, not silence", async () => {
		const buffer = new DataView(new ArrayBuffer(12));
		const { source } = connected(SMALL, { header: buffer, buffer });
		await expect.poll(() => source.fault?.message).toContain("saved with the notebook");
	});

	test("the host says that the comm is dead: gone, and what is here stays", async () => {
		const { kernel, source, reader } = connected(LARGE);
		const model = Object.assign(kernel.model, { comm_live: true });
		source.connect(Promise.resolve(model as never));
		await tokensHere(source);
		want(reader, 0, [4]);
		await expect.poll(() => reader.line("row", [0, 1, 4], true)).toBeDefined();
		model.comm_live = false;
		model.emit("comm_live_update");
		expect(source.status.kind).toBe("gone");
		want(reader, 0, [4, 5]);
		expect(kernel.requests).toHaveLength(2);
		expect(reader.line("row", [0, 1, 4], true)?.exact).toBe(true);
	});

	test("a comm that is dead from the start is never asked", async () => {
		const { kernel, source } = connected();
		const model = Object.assign(kernel.model, { comm_live: false });
		source.connect(Promise.resolve(model as never));
		await statusIs(source, "gone");
		expect(kernel.requests).toHaveLength(0);
	});

	test.each(["dead", "autorestarting"])("the host's kernel is %s: gone", async (status) => {
		const { kernel, source } = connected();
		const slots = new Set<(sender: unknown, status: string) => void>();
		const statusChanged = {
			connect: (slot: (sender: unknown, status: string) => void) => slots.add(slot),
			disconnect: (slot: (sender: unknown, status: string) => void) => slots.delete(slot),
		};
		const manager = { ...kernel.model.widget_manager, kernel: { statusChanged } };
		source.connect(
			Promise.resolve(Object.assign(kernel.model, { widget_manager: manager }) as never),
		);
		await tokensHere(source);
		for (const slot of slots) slot(null, "busy");
		expect(source.status.kind).toBe("live");
		for (const slot of slots) slot(null, status);
		expect(source.status.kind).toBe("gone");
	});

	test("a send that throws, as after a restart: gone, and no error reaches the host", async () => {
		const { kernel, source, reader, connect } = connected(LARGE);
		connect();
		await tokensHere(source);
		want(reader, 0, [4]);
		await expect.poll(() => reader.line("row", [0, 1, 4], true)).toBeDefined();
		kernel.model.failing = new Error("Cannot send");
		expect(() => want(reader, 0, [5])).not.toThrow();
		expect(source.status.kind).toBe("gone");
		expect(reader.line("row", [0, 1, 4], true)?.exact).toBe(true);
	});
});

test("closing takes every listener off the data model", async () => {
	const { kernel, source, life } = connected();
	const before = kernel.model.listenerCount();
	source.connect(Promise.resolve(kernel.model as never));
	await tokensHere(source);
	expect(kernel.model.listenerCount()).toBeGreaterThan(before);
	life.abort();
	expect(kernel.model.listenerCount()).toBe(before);
});

test("a model that is found after closing is left alone", async () => {
	const { kernel, source, life } = connected();
	const before = kernel.model.listenerCount();
	const found = Promise.resolve(kernel.model.wrapped());
	source.connect(found);
	life.abort();
	await found;
	expect(kernel.model.listenerCount()).toBe(before);
	expect(kernel.requests).toHaveLength(0);
});
