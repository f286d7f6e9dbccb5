import { measuredText } from "./said";
import type { AtlasScene, Dot } from "./scene";
import { type AtlasStore, sameHead } from "./store";

/** Rows that are laid out before more are asked for. */
const FIRST = 100;

interface Props {
	readonly scene: AtlasScene;
	readonly store: AtlasStore;
	readonly all: boolean;
	readonly open: boolean;
	showAll(): void;
	toggle(open: boolean): void;
}

/** The heads as a table, those with most of the score first. */
export function Table({ scene, store, all, open, showAll, toggle }: Props) {
	const { chosen, dots } = scene;
	const names = [...new Set([chosen.score, chosen.x, chosen.y])];
	const rows = open ? dots.filter(({ isIn }) => isIn).sort(byScore) : [];
	return (
		<details class="as-table" open={open} onToggle={(event) => toggle(event.currentTarget.open)}>
			<summary>Heads as a table</summary>
			{open && (
				// biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys too.
				<section class="scrolled" tabIndex={0} aria-label="heads">
					<table>
						<thead>
							<tr>
								<th scope="col">head</th>
								<th scope="col">labels</th>
								{names.map((name) => (
									<th key={name} scope="col">
										{name}
									</th>
								))}
							</tr>
						</thead>
						<tbody>
							{rows.slice(0, all ? undefined : FIRST).map((dot) => (
								<Row key={dot.name} dot={dot} names={names} chosen={chosen} store={store} />
							))}
						</tbody>
					</table>
					{!all && rows.length > FIRST && (
						<button type="button" class="quiet" onClick={showAll}>
							{`all ${rows.length} heads`}
						</button>
					)}
				</section>
			)}
		</details>
	);
}

function Row({
	dot,
	names,
	chosen,
	store,
}: {
	dot: Dot;
	names: readonly string[];
	chosen: AtlasScene["chosen"];
	store: AtlasStore;
}) {
	const of = new Map([
		[chosen.x, dot.across],
		[chosen.y, dot.up],
		[chosen.score, dot.score],
	]);
	const on = sameHead(dot.head, chosen.head);
	return (
		<tr class={on ? "on" : ""}>
			<th scope="row">
				<button
					type="button"
					class="quiet"
					aria-pressed={on}
					onClick={() => store.choose(dot.head)}
				>
					{dot.name}
				</button>
			</th>
			<td>{dot.labels.map(({ name }) => name).join(", ")}</td>
			{names.map((name) => {
				const measured = of.get(name);
				return <td key={name}>{measured && measuredText(measured)}</td>;
			})}
		</tr>
	);
}

/** Those without the score last. */
function byScore({ score: a }: Dot, { score: b }: Dot): number {
	const of = (value: number) => (Number.isNaN(value) ? -Infinity : value);
	return of(b.value) - of(a.value) || 0;
}
