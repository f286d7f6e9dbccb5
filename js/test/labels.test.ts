import { expect, test } from "vitest";
import { mount, numbered, softmaxWeights } from "./host";

test("what a classifier says of the text stands above it, as text", async () => {
	const labels = [
		["<b>entailment</b>", 0.934],
		["neutral", 0.05],
	] as const;
	const weights = softmaxWeights(1, 1, 5, 5);
	const description = { labels, labels_by: "softmax" };
	const view = await mount(weights, numbered(5), { description }).open();
	const pills = view.all(".text .labels span").map((el) => el.textContent);
	expect(pills).toEqual(["<b>entailment</b> 0.93", "neutral 0.05"]);
	expect(view.one(".labels").ariaLabel).toContain("softmax");
	const other = await mount(weights, numbered(5)).open();
	expect(other.all(".labels")).toEqual([]);
});
