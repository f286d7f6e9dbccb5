import type { ComponentChild } from "preact";
import { css, type Ink, type Palette } from "../draw/colour";
import type { Description, ViewName } from "../protocol.gen";
import type { Status, TileSource } from "../source/source";
import type { Store, Synced } from "../store";
import type { Finder } from "../views/find";
import { About } from "./about";
import { Find } from "./find";
import { Hide } from "./hide";
import { Legend } from "./legend";
import { MeasureChoice } from "./measure";
import { UnitChoice } from "./unit";
import { VIEW_LABELS } from "./words";

interface Props {
	readonly description: Description;
	readonly state: Synced;
	readonly status: Status;
	readonly source: TileSource;
	readonly colours: Palette;
	readonly ink: Ink;
	/** The views that there are. */
	readonly names: readonly ViewName[];
	readonly finder: Finder;
	readonly store: Store;
	readonly take: ComponentChild;
}

export function Toolbar(props: Props) {
	const { description, state, status, source, colours, ink, finder, store } = props;
	const live = status.kind !== "gone";
	const tokens = source.tokens();
	return (
		<>
			<div class="bar">
				<Views names={props.names} view={state.view} store={store} />
				<KindChoice description={description} store={store} />
				<MeasureChoice {...{ description, measure: state.measure, live, store }} />
				<LayerChoice description={description} layer={state.layer} store={store} />
				<HeadChoice description={description} heads={state.heads} store={store} />
				<UnitChoice unit={state.unit} tokens={tokens} live={live} store={store} />
				<Hide {...{ description, state, tokens, live, store }} />
				<Find finder={finder} />
				<About description={description} unit={state.unit} status={status} source={source} />
				{props.take}
			</div>
			<div class="second">
				<Chips description={description} heads={state.heads} colours={colours} store={store} />
				<Legend
					{...{ colours, ink, state, store, number: description.number }}
					signed={description.encoding === "signed8"}
				/>
			</div>
		</>
	);
}

/** A click switches a view; a double click shows it alone. */
function Views({
	names,
	view,
	store,
}: {
	names: readonly ViewName[];
	view: Synced["view"];
	store: Store;
}) {
	const toggle = (name: ViewName) => {
		const next = names.filter((v) => (v === name ? !view.includes(v) : view.includes(v)));
		if (next.length) store.set("view", next);
	};
	return (
		<fieldset class="segments" aria-label="views">
			{names.map((name) => (
				<button
					key={name}
					type="button"
					aria-pressed={view.includes(name)}
					title={`${VIEW_LABELS[name]} view; double click shows it alone`}
					onClick={() => toggle(name)}
					onDblClick={() => store.set("view", [name])}
				>
					{VIEW_LABELS[name]}
				</button>
			))}
		</fieldset>
	);
}

/** Which attention of an encoder-decoder or two-tower model is shown. */
function KindChoice({ description, store }: { description: Description; store: Store }) {
	if (description.kinds.length < 2) return null;
	return (
		<label>
			Attention
			<select
				value={description.kind}
				aria-label="kind of attention"
				onChange={(event) => store.set("kind", event.currentTarget.value)}
			>
				{description.kinds.map((kind) => (
					<option key={kind} value={kind}>
						{kind}
					</option>
				))}
			</select>
		</label>
	);
}

/** Values are text, as the page has them: numbers would be written anew with every drawing. */
function LayerChoice({
	description,
	layer,
	store,
}: {
	description: Description;
	layer: number;
	store: Store;
}) {
	return (
		<label title="[ and ] step through the layers">
			Layer
			<select
				value={`${layer}`}
				aria-label="layer"
				onChange={(event) => store.set("layer", Number(event.currentTarget.value))}
			>
				{description.layers.map((number, index) => (
					<option key={number} value={`${index}`}>
						{number}
					</option>
				))}
			</select>
		</label>
	);
}

function HeadChoice({
	description,
	heads,
	store,
}: {
	description: Description;
	heads: Synced["heads"];
	store: Store;
}) {
	const all = Array.from({ length: description.heads }, (_, head) => head);
	const value =
		heads.length === all.length && all.length > 1
			? "all"
			: heads.length > 1
				? "several"
				: `${heads[0]}`;
	const choose = (chosen: string) => store.set("heads", chosen === "all" ? all : [Number(chosen)]);
	return (
		<label>
			Head
			<select
				value={value}
				aria-label="head"
				onChange={(event) => choose(event.currentTarget.value)}
			>
				{value === "several" && <option value="several">{heads.join(", ")}</option>}
				{all.length > 1 && <option value="all">all</option>}
				{all.map((head) => (
					<option key={head} value={`${head}`}>
						{head}
					</option>
				))}
			</select>
		</label>
	);
}

function Chips({
	description,
	heads,
	colours,
	store,
}: {
	description: Description;
	heads: Synced["heads"];
	colours: Palette;
	store: Store;
}) {
	if (description.heads < 2) return null;
	const all = Array.from({ length: description.heads }, (_, head) => head);
	const toggle = (head: number) => {
		const next = all.filter((h) => (h === head ? !heads.includes(h) : heads.includes(h)));
		if (next.length) store.set("heads", next);
	};
	return (
		<fieldset class="chips" aria-label="heads">
			{all.map((head) => (
				<button
					key={head}
					type="button"
					aria-pressed={heads.includes(head)}
					aria-label={`head ${head}`}
					title={`head ${head}; double click shows it alone`}
					style={{ "--head": css(colours.head(head)) }}
					onClick={() => toggle(head)}
					onDblClick={() => store.set("heads", [head])}
				>
					{head}
				</button>
			))}
		</fieldset>
	);
}
