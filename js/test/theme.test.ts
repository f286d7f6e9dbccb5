import { afterEach, expect, test } from "vitest";
import { hostIsDark } from "../src/ui/theme";
import { frame } from "./events";
import { mount, numbered, type Shown, softmaxWeights } from "./host";
import { contrast } from "./pixels";

const { body } = document;

afterEach(() => {
	delete body.dataset.jpThemeLight;
	body.className = "";
	body.removeAttribute("style");
});

const open = (theme: "auto" | "light" | "dark") =>
	mount(softmaxWeights(2, 3, 5, 5), numbered(5), { state: { theme } }).open();
const themeOf = (view: Shown) => view.one(".explorer").dataset.theme;

test("auto follows JupyterLab's theme, also when it is switched under it", async () => {
	body.dataset.jpThemeLight = "false";
	const view = await open("auto");
	expect(themeOf(view)).toBe("dark");
	body.dataset.jpThemeLight = "true";
	await expect.poll(() => themeOf(view)).toBe("light");
	body.dataset.jpThemeLight = "false";
	await expect.poll(() => themeOf(view)).toBe("dark");
});

test.each([
	["dark", "dark"],
	["vscode-dark", "dark"],
	["light", "light"],
])("auto follows the class %s of other hosts", async (name, theme) => {
	body.className = name;
	expect(themeOf(await open("auto"))).toBe(theme);
});

test.each([
	["rgb(20, 20, 23)", "dark"],
	["rgb(250, 250, 245)", "light"],
	["oklch(0.2 0.02 280)", "dark"],
	["oklch(0.98 0.01 280)", "light"],
	["color(srgb 1 1 1)", "light"],
])("of a host that says nothing, the ground decides: %s", async (ground, theme) => {
	body.style.backgroundColor = ground;
	expect(themeOf(await open("auto"))).toBe(theme);
});

test("inside of a host's own shadow root the ground behind it decides too", () => {
	body.style.backgroundColor = "rgb(250, 250, 245)";
	const outside = document.createElement("div");
	outside.style.backgroundColor = "rgb(20, 20, 23)";
	const inside = document.createElement("div");
	outside.attachShadow({ mode: "open" }).append(inside);
	body.append(outside);
	expect(hostIsDark(inside)).toBe(true);
	outside.remove();
});

test("a theme that was chosen wins over the host's", async () => {
	body.dataset.jpThemeLight = "true";
	const view = await open("dark");
	expect(themeOf(view)).toBe("dark");
	body.dataset.jpThemeLight = "false";
	await frame();
	expect(themeOf(await open("light"))).toBe("light");
});

test.each([
	"light",
	"dark",
] as const)("%s: text, faint text and controls can be read", async (theme) => {
	const view = await open(theme);
	const bytes = (colour: string) =>
		(colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number) as unknown as [number, number, number];
	const ground = bytes(getComputedStyle(view.one(".explorer")).backgroundColor);
	for (const selector of [".token", ".muted", "select", ".caption", ".chips button", ".legend"]) {
		const ink = bytes(getComputedStyle(view.one(selector)).color);
		expect(contrast(ink, ground), selector).toBeGreaterThan(4.5);
	}
});

test("nothing of its styles gets out into the page", async () => {
	const outside = document.createElement("button");
	outside.className = "chips explorer";
	body.append(outside);
	const before = { ...getComputedStyle(outside) };
	const sheets = document.styleSheets.length;
	await open("dark");
	expect(document.styleSheets).toHaveLength(sheets);
	expect(getComputedStyle(outside).backgroundColor).toBe(before.backgroundColor);
	outside.remove();
});
