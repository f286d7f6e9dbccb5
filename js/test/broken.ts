import axe from "axe-core";
import type { Shown } from "./host";

/** What of WCAG 2.2 AA a view breaks, as axe names it. */
export async function broken(view: Shown): Promise<string[]> {
	const root = view.one(".explorer");
	document.body.style.background = root.dataset.theme === "dark" ? "#141417" : "#fff";
	// Over pictures axe can't tell the ground of letters.
	const { violations } = await axe.run(view.el, {
		resultTypes: ["violations"],
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
		// These are of whole pages, not of what is put into one.
		rules: { region: { enabled: false }, "page-has-heading-one": { enabled: false } },
	});
	return violations
		.filter(({ impact }) => impact === "serious" || impact === "critical")
		.flatMap(({ id, nodes }) =>
			nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
		);
}
