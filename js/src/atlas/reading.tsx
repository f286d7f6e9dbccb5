import { Faults } from "../ui/faults";
import type { AtlasInfo } from "./protocol.gen";
import { headName } from "./said";
import { tokenText } from "./sentence";
import type { AtlasSource } from "./source";
import type { AtlasStore, Chosen } from "./store";

interface Props {
	readonly info: AtlasInfo;
	readonly chosen: Chosen;
	readonly source: AtlasSource;
	readonly store: AtlasStore;
}

/** How it is with the text that was chosen: read, shown, or why not. */
export function Reading({ info, chosen, source, store }: Props) {
	const { head, exemplar } = chosen;
	if (!head || !exemplar) return null;
	const { opened } = source;
	const close = () => store.set({ exemplar: null });
	const title = `Text ${exemplar[0]} in ${headName(info, head)}`;
	if (info.closed)
		return (
			<p class="opening muted" role="status">
				{info.closed}
			</p>
		);
	if (opened.now?.kind === "failed")
		return (
			<>
				<Faults fault={opened.now.fault} dismiss={close} />
				<button type="button" class="quiet" onClick={() => opened.again()}>
					try again
				</button>
			</>
		);
	if (!opened.isShown)
		return (
			<p class="opening" role="status">
				{title}: the model reads it … <progress aria-label="reading" />
				<button type="button" class="quiet" onClick={close}>
					stop
				</button>
			</p>
		);
	const looked = lookedAt(source, exemplar[0]);
	return (
		<h3 class="opening">
			{title}
			{looked && (
				<button type="button" class="quiet" onClick={() => source.askLike()}>
					more like this: {looked}
				</button>
			)}
			<button type="button" class="quiet" aria-label="close the text" onClick={close}>
				×
			</button>
		</h3>
	);
}

/** What is looked at in the explorer: who reads whom, where those are tokens, and in which head. */
function lookedAt(source: AtlasSource, text: number): string {
	const { explorer } = source.opened;
	const selected = explorer?.get("selected");
	if (!explorer || !selected) return "";
	const at = `${explorer.get("layer")}.${explorer.get("heads")[0]}`;
	const words = explorer.get("unit") === "token" ? source.text(text) : undefined;
	const [query, key] = selected;
	const read = [...new Set([query, key])].map((token) => tokenText(words, token)).filter(Boolean);
	return `${read.length ? `${read.join(" → ")} in ` : ""}${at}`;
}
