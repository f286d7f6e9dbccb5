import { imported } from "./imported";
import { parse } from "./page/bytes";
import { PageModel } from "./page/model";
import type { Module } from "./page/modules";
import type { RecordedExplorer, RecordedPage } from "./protocol.gen";

/** The line below an explorer that says what the page doesn't hold. */
function sayIn(section: HTMLElement): (text: string) => void {
	const line = document.createElement("p");
	line.className = "says";
	line.role = "status";
	section.append(line);
	return (text) => {
		line.textContent = text;
	};
}

async function open(
	section: HTMLElement,
	explorer: RecordedExplorer,
	page: RecordedPage,
	code: Promise<Module>,
): Promise<void> {
	const definition = (await code)();
	const el = document.createElement("div");
	section.replaceChildren(el);
	const model = new PageModel(explorer, page.parts, sayIn(section));
	const host = { model, signal: new AbortController().signal };
	definition.initialize(host);
	definition.render({ ...host, el });
}

function start(): void {
	const holder = document.querySelector('script[type="application/json"]');
	const page = parse<RecordedPage>(holder?.textContent ?? "");
	holder?.remove();
	const modules = Object.entries(page.modules).map(
		([name, text]) => [name, imported<Module>(text)] as const,
	);
	const codes = new Map(modules);
	const sections = document.querySelectorAll<HTMLElement>("main > section");
	for (const [i, explorer] of page.explorers.entries()) {
		const [section, code] = [sections[i], codes.get(explorer.module)];
		if (!section || !code) continue;
		open(section, explorer, page, code).catch((error: unknown) => {
			console.error(error);
			sayIn(section)(`This browser could not run the page's code: ${error}`);
		});
	}
}

// Within another page its title is there already.
document.documentElement.classList.toggle("framed", window.parent !== window);
start();
