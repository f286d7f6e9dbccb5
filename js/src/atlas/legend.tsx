import type { Palette } from "../draw/colour";
import { fitCanvas } from "../ui/dom";
import { rampImage, scoreEnds } from "./cells";
import { drawMark, type Mark, markOf } from "./marks";
import { UNNAMED } from "./protocol.gen";
import { digits } from "./said";
import type { AtlasScene } from "./scene";
import type { AtlasStore } from "./store";

const SIDE = 14;

interface Props {
	readonly scene: AtlasScene;
	readonly colours: Palette;
	readonly store: AtlasStore;
}

/** What forms and colours mean; each is a switch: only heads with one that is on are shown. */
export function Legend({ scene, colours, store }: Props) {
	const { info, chosen } = scene;
	const counts = new Map<string, number>();
	for (const dot of scene.dots)
		for (const name of dot.labels.length ? dot.labels.map((it) => it.name) : [UNNAMED])
			counts.set(name, (counts.get(name) ?? 0) + 1);
	const toggle = (name: string) =>
		store.set({
			labels: chosen.labels.includes(name)
				? chosen.labels.filter((it) => it !== name)
				: [...chosen.labels, name],
		});
	return (
		<div class="legend-line">
			<fieldset class="marks" aria-label="labels">
				{[...info.names, UNNAMED].map((name, place) => (
					<button
						key={name}
						type="button"
						aria-pressed={chosen.labels.includes(name)}
						onClick={() => toggle(name)}
					>
						<Sign mark={markOf(name === UNNAMED ? undefined : name, place)} dark={colours.dark} />
						{name} <span class="muted">{counts.get(name) ?? 0}</span>
					</button>
				))}
			</fieldset>
			{chosen.plot === "grid" ? (
				<Ramp scene={scene} colours={colours} />
			) : (
				<span class="muted small">larger: its label holds in more of the texts</span>
			)}
		</div>
	);
}

export function Sign({ mark, dark }: { mark: Mark; dark: boolean }) {
	const draw = (canvas: HTMLCanvasElement | null) => {
		if (canvas)
			drawMark(fitCanvas(canvas, SIDE, SIDE), mark, [SIDE / 2, SIDE / 2], SIDE / 2 - 2.5, dark);
	};
	return <canvas class="sign" ref={draw} />;
}

function Ramp({ scene, colours }: { scene: AtlasScene; colours: Palette }) {
	const [least, most] = scoreEnds(scene);
	return (
		<span class="ramp muted small">
			{scene.chosen.score} {digits(least)}
			<i style={{ background: rampImage(colours) }} />
			{digits(most)}
		</span>
	);
}
