import type { SweepStudied, SweepStudy } from "../protocol.gen";
import { studiesOf } from "../source/studies";
import { isChosen } from "../ui/ranks";
import { short } from "../ui/words";
import { type Case, foundOf } from "./evidence-case";
import type { Dot, Plot } from "./evidence-scatter";

/** What was run last for each alone, as dots; undefined until it is here. */
export function plotOf(now: Case): Plot | undefined {
	const { swept } = now.draft;
	const found = swept ? foundOf(studiesOf(now.source).of(swept), "sweep") : undefined;
	if (!swept || !found) return undefined;
	return {
		x: found.attention,
		y: found.effect,
		band: found.band,
		bandName: `random ${swept.over}, middle 95 %`,
		colours: now.scene.colours,
		...(swept.over === "heads" ? ofHeads(now, found) : ofKeys(now, found, swept)),
	};
}

type Of = Pick<Plot, "dots" | "look" | "go">;

function ofHeads({ scene, actions }: Case, found: SweepStudied): Of {
	const { heads, layers } = scene.description;
	const headOf = (index: number) => ({ layer: Math.floor(index / heads), head: index % heads });
	return {
		dots: dotsOf(found, (index) => {
			const { layer, head } = headOf(index);
			return { name: `${layers[layer]}.${head}`, on: isChosen({ layer, head }, scene.state) };
		}),
		look: (dot) => actions.peek(dot && headOf(dot.of)),
		go: (dot, also) => actions.choose(headOf(dot.of), also),
	};
}

function ofKeys({ scene, actions, pair }: Case, found: SweepStudied, { query }: SweepStudy): Of {
	const { keys } = scene.tokens;
	return {
		dots: dotsOf(found, (key) => ({
			name: short(keys, key),
			on: pair !== null && pair[0] === query && pair[1] === key,
		})),
		look: (dot) => actions.hover(dot && [query, dot.of], "cell"),
		go: (dot, also) => actions.pin([query, dot.of], also),
	};
}

/** Those whose two numbers are known. */
function dotsOf(
	{ attentions, effects }: SweepStudied,
	about: (index: number) => Pick<Dot, "name" | "on">,
): Dot[] {
	return attentions.flatMap((x, of) => {
		const y = effects[of] ?? null;
		return x === null || y === null ? [] : [{ x, y, of, ...about(of) }];
	});
}
