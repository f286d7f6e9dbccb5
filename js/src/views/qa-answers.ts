import type { QaInfo } from "../protocol.gen";
import { make, pressable, setName } from "../ui/dom";
import { type Case, shareText } from "./qa-reading";

export function answerText(text: string): string {
	return text || "no answer";
}

/** The answers, the best first; `choose` gets the place of one. */
export function answerPills(qa: QaInfo, choose: (place: number) => void) {
	const pills = qa.answers.map(({ text, probability, window }, place) => {
		const many = qa.windows.length > 1;
		const pill = make(
			"span",
			{ class: text ? "pill" : "pill none" },
			make("span", { class: "what", dir: "auto" }, answerText(text)),
			make("b", {}, shareText(probability)),
		);
		const away = many && window !== qa.window ? `window ${window + 1}` : "";
		if (away) pill.append(make("small", {}, away));
		const button = pressable(pill, () => choose(place));
		const whole = `${answerText(text)}, probability ${probability.toFixed(4)}`;
		button.title = away ? `${whole}; opens ${away}` : whole;
		setName(button, button.title);
		return { pill, button };
	});
	return {
		el: make(
			"div",
			{ class: "pills", role: "group", "aria-label": "answers" },
			make("span", { class: "muted" }, "answers"),
			...pills.map(({ pill }) => pill),
		),
		update({ chosen }: Case) {
			for (const [place, { pill, button }] of pills.entries()) {
				pill.classList.toggle("on", place === chosen);
				button.ariaPressed = String(place === chosen);
			}
		},
	};
}

/** Which part of a long context is shown; null where the model reads all of it at once. */
export function windowChoice(qa: QaInfo, open: (window: number) => void): HTMLElement | null {
	if (qa.windows.length < 2) return null;
	const best = qa.answers[0]?.window;
	const select = make("select", { "aria-label": "window of the context" });
	for (const [i, name] of qa.windows.entries())
		select.append(
			make("option", { value: i }, `window ${name}${i === best ? " · best answer" : ""}`),
		);
	select.value = String(qa.window);
	select.addEventListener("change", () => {
		open(Number(select.value));
		// Until it is open, this one is.
		select.value = String(qa.window);
	});
	return select;
}
