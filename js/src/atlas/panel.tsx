import type { Palette } from "../draw/colour";
import { ExemplarList } from "./exemplars";
import { Sign } from "./legend";
import { markOf } from "./marks";
import { mostOfEach } from "./points";
import type { HeadKey, LabelInfo, Place } from "./protocol.gen";
import { digits, headName, labelText, measuredText } from "./said";
import type { AtlasScene, Dot } from "./scene";
import type { AtlasSource } from "./source";
import type { AtlasStore } from "./store";

interface Props {
	readonly scene: AtlasScene;
	readonly source: AtlasSource;
	readonly store: AtlasStore;
	readonly colours: Palette;
}

/** The chosen head, and the texts in which it does most of the score; or where to begin. */
export function Panel(props: Props) {
	const { scene, source, store } = props;
	const { chosen, current, info } = scene;
	if (!current || !chosen.head) return <Begin {...props} />;
	const open = (place: Place) => {
		const isOpen = chosen.exemplar?.join() === place.join();
		store.set({ exemplar: isOpen ? null : place });
	};
	const { like } = source;
	return (
		<section class="panel-of-head" aria-label="chosen head">
			<h3>
				{headName(info, current.head)}
				<button
					type="button"
					class="quiet"
					aria-label="let the head go"
					onClick={() => store.choose(null)}
				>
					×
				</button>
			</h3>
			{current.labels.map((label) => (
				<LabelLine key={label.name} label={label} {...props} />
			))}
			{!current.labels.length && <p class="muted">Nothing names it.</p>}
			<p>
				<b>{chosen.score}</b> {measuredText(current.score)}{" "}
				<span class="muted">{meaningOf(scene)}</span>
			</p>
			{like ? (
				<>
					<p>
						Where else the head does this{" "}
						<button type="button" class="quiet" onClick={() => source.forgetLike()}>
							by {chosen.score} again
						</button>
					</p>
					<ExemplarList loaded={like} score="" chosen={chosen.exemplar} open={open} />
				</>
			) : (
				<ExemplarList
					loaded={source.exemplars(chosen.head, chosen.score)}
					score={chosen.score}
					chosen={chosen.exemplar}
					open={open}
				/>
			)}
		</section>
	);
}

function LabelLine({ label, scene, colours, store }: Props & { label: LabelInfo }) {
	const { info, chosen } = scene;
	const isBy = chosen.score === label.measure;
	return (
		<p class="label-line">
			<Sign mark={markOf(label.name, info.names.indexOf(label.name))} dark={colours.dark} />
			<span>
				<b>{label.name}</b> {labelText(label)}{" "}
				{label.measure && !isBy && (
					<button type="button" class="quiet" onClick={() => store.set({ score: label.measure })}>
						exemplars by it
					</button>
				)}
			</span>
		</p>
	);
}

/** Of each label the head that has most of it. */
function Begin({ scene, store, colours }: Props) {
	const { info } = scene;
	const most = mostOfEach(scene);
	const go = (head: HeadKey, label: LabelInfo | undefined) => {
		if (label?.measure) store.set({ score: label.measure });
		store.choose(head);
	};
	return (
		<section class="panel-of-head" aria-label="the most of each label">
			<h3>The most of each label</h3>
			<p class="muted">
				Choose a head, here or in the picture, to see texts in which it does what it does.
			</p>
			<ul class="begin">
				{most.map((dot) => (
					<li key={dot.name} class="exemplar">
						<Sign mark={dot.mark} dark={colours.dark} />
						<span>{dot.label?.name}</span>
						<span>{headName(info, dot.head)}</span>
						<span class="number">{dot.label && digits(dot.label.score)}</span>
						<button
							type="button"
							class="over"
							aria-label={beginText(dot)}
							onClick={() => go(dot.head, dot.label)}
						/>
					</li>
				))}
			</ul>
			{!most.length && <p class="muted">Nothing names the heads that are shown.</p>}
		</section>
	);
}

function beginText({ name, label }: Dot): string {
	return `${name}, ${label?.name ?? ""} ${label ? digits(label.score) : ""}`;
}

function meaningOf({ info, chosen }: AtlasScene): string {
	const score = info.scores.find(({ name }) => name === chosen.score);
	if (!score) return "";
	const uniform = score.baseline === null ? "" : `; uniform attention ${digits(score.baseline)}`;
	return `(${score.says}${uniform})`;
}
