import { expect, test } from "vitest";
import { cdp } from "vitest/browser";
import { hover } from "./events";
import { mount, numbered, softmaxWeights } from "./host";

const WEIGHTS = softmaxWeights(3, 4, 24, 24);
const MANY = 20;

interface Held {
	readonly listeners: number;
	readonly nodes: number;
	readonly bytes: number;
}

/** What the page holds once what nobody can reach any more is gone. */
async function held(): Promise<Held> {
	const session = cdp() as unknown as {
		send(name: string): Promise<{ metrics: readonly { name: string; value: number }[] }>;
	};
	await session.send("Performance.enable");
	for (let i = 0; i < 3; i++) await session.send("HeapProfiler.collectGarbage");
	const { metrics } = await session.send("Performance.getMetrics");
	const of = (name: string) => metrics.find((it) => it.name === name)?.value ?? Number.NaN;
	return { listeners: of("JSEventListeners"), nodes: of("Nodes"), bytes: of("JSHeapUsedSize") };
}

/** Show an explorer with all that it opens later, look at a token, and take all of it away. */
async function openAndClose(): Promise<WeakRef<object>[]> {
	const { model, kernel, open, close } = mount(WEIGHTS, numbered(24), {
		state: { view: ["text", "heads", "matrix", "model", "neuron", "evidence"], selected: [3, 3] },
	});
	const view = await open();
	await hover(view.token(5));
	const reached = [model, kernel, view.el, view.root];
	view.remove();
	close();
	return reached.map((object) => new WeakRef(object));
}

// What a test mounts is held until that test ends: what is left is looked at in the next.
let before: Held;
const left: WeakRef<object>[] = [];

test("the first brings what the page keeps for all that follow", async () => {
	expect(await openAndClose()).toHaveLength(4);
});

test("twenty explorers come and go", { timeout: 60_000 }, async () => {
	before = await held();
	for (let i = 0; i < MANY; i++) left.push(...(await openAndClose()));
	expect(left.length).toBe(4 * MANY);
});

/** Catches a listener, an observer, a timer or a cache that outlives its view. */
test("nothing of them is left", async () => {
	const alive = async () => {
		await held();
		// The browser may hold on to what was shown last, until something else is.
		return left.slice(0, -4).filter((ref) => ref.deref() !== undefined).length;
	};
	// Who waits for an answer looks once a second whether it came.
	await expect.poll(alive, { timeout: 5000 }).toBe(0);
	const after = await held();
	expect(after.listeners - before.listeners, "listeners").toBeLessThan(MANY);
	expect(after.nodes - before.nodes, "nodes").toBeLessThan(MANY);
	// The first of them have the browser compile what is called often, once: some 700 kB.
	expect(after.bytes - before.bytes, "bytes").toBeLessThan(MANY * 100_000);
});
