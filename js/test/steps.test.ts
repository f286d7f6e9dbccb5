import { expect, test } from "vitest";
import { click } from "./events";
import { mount, numbered, softmaxWeights } from "./host";
import { rowOf } from "./weights";

const WEIGHTS = softmaxWeights(2, 3, 7, 7);
const STEPS = [
	{
		token: 5,
		query: 4,
		probability: 0.77,
		alternatives: [
			[" Paris", 0.77],
			[" the", 0.1],
		],
	},
	{
		token: 6,
		query: 5,
		probability: 0.5,
		alternatives: [
			["\n", 0.5],
			["<b>x</b>", 0.25],
		],
	},
] as const;

async function generated() {
	const mounted = mount(WEIGHTS, numbered(7));
	mounted.kernel.steps = STEPS;
	const view = await mounted.open();
	const button = (name: string) =>
		view.one<HTMLButtonElement>(`.steps button[aria-label="${name}"]`);
	return { ...mounted, view, button };
}

test("stepping pins the row that chose the token, and shows the token with its probability", async () => {
	const { model, view, button } = await generated();
	expect(view.text(".steps")).toContain("2 generated tokens");
	await click(button("next step"));
	expect(model.get("selected")).toEqual([4, null]);
	expect(view.text(".chosen")).toBe(`${numbered(7)[5]} 0.7700`);
	expect(view.all(".token.answer").map((el) => el.dataset.token)).toEqual(["5"]);
	const strongest = Math.max(...rowOf(WEIGHTS, 0, 0, 4)).toFixed(4);
	await expect.poll(() => view.text(".readout")).toContain(strongest);
	await click(button("next step"));
	expect(model.get("selected")).toEqual([5, null]);
	expect(view.text(".steps")).toContain("step 2 of 2");
	expect(button("next step").disabled).toBe(true);
	expect(view.text(".alternatives")).toContain('"\\n" 0.50');
	expect(view.text(".alternatives")).toContain("<b>x</b> 0.25");
	expect(view.all(".alternatives b b")).toEqual([]);
	await click(button("step before"));
	expect(model.get("selected")).toEqual([4, null]);
});

test("a pin from Python on a step's query is that step; another pin is none", async () => {
	const { model, view } = await generated();
	model.set("selected", [5, null]);
	await expect.poll(() => view.text(".steps")).toContain("step 2 of 2");
	model.set("selected", [1, 1]);
	await expect.poll(() => view.text(".steps")).toContain("choose a step");
	expect(view.all(".token.answer")).toEqual([]);
});

test("without generated tokens there is no step control", async () => {
	const { open } = mount(WEIGHTS, numbered(7));
	const view = await open();
	expect(view.all(".steps")).toEqual([]);
});
