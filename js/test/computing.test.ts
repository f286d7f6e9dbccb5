import { expect, test } from "vitest";
import { click, hover } from "./events";
import { mount, numbered, softmaxWeights } from "./host";

const N = 300;
const WEIGHTS = softmaxWeights(3, 40, N, N);

test("while tiles are computed it says how far, and goes on asking while the pointer moves", async () => {
	const { kernel, model, open } = mount(WEIGHTS, numbered(N));
	const view = await open();
	kernel.shares = new Array(100_000).fill(0.25);
	model.set("layer", 1);
	await expect.poll(() => view.one(".status").textContent).toBe("computing, 6.3 %");
	expect(view.one<HTMLProgressElement>("progress").value).toBe(0.0625);
	for (const token of [3, 5, 8]) await hover(view.token(token));
	expect(view.one(".explorer").ariaBusy).toBe("true");
	kernel.shares.length = 3;
	await expect.poll(() => view.one(".explorer").ariaBusy, { timeout: 5000 }).toBe("false");
	expect(kernel.shares).toEqual([]);
	expect(view.one(".status").textContent).toBe("live, exact");
	expect(view.all("progress")).toEqual([]);
});

test("stop stops asking for what is computed, and go on asks again", async () => {
	const { kernel, model, open } = mount(WEIGHTS, numbered(N));
	const view = await open();
	kernel.shares = new Array(100_000).fill(0.5);
	model.set("layer", 2);
	await expect.poll(() => view.all("progress").length).toBe(1);
	const button = (name: string) =>
		view.all<HTMLButtonElement>(".about button").find((el) => el.textContent === name);
	await click(button("stop") as HTMLButtonElement);
	await expect.poll(() => view.one(".status").textContent).toBe("stopped");
	const asked = kernel.requests.length;
	await hover(view.token(4));
	await expect.poll(() => view.one(".readout").textContent).toMatch(/reads.*\d\.\d{4}/);
	const later = kernel.requests.slice(asked);
	expect(later.every((request) => request.kind !== "weights" || request.tiles.length === 0)).toBe(
		true,
	);
	kernel.shares = [];
	await click(button("go on") as HTMLButtonElement);
	await expect.poll(() => view.one(".status").textContent).toBe("live, exact");
	await expect.poll(() => view.one(".explorer").ariaBusy).toBe("false");
});
