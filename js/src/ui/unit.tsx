import { type TokenTable, UNITS } from "../protocol.gen";
import type { Tokens } from "../source/source";
import type { Store, Synced } from "../store";

const MEANING = "a word reads the mean of its pieces, and is read with their sum";

/** Whether a row and a column are a token or a word. */
export function UnitChoice({
	unit,
	tokens,
	live,
	store,
}: {
	unit: Synced["unit"];
	tokens: Tokens | undefined;
	live: boolean;
	store: Store;
}) {
	const same = unit === "token" && tokens && ![tokens.queries, tokens.keys].some(hasPieces);
	const why = live ? (same ? "each token is a word of its own" : "") : "this takes the kernel";
	return (
		<fieldset class="segments small" aria-label="unit" title={why || MEANING} disabled={why !== ""}>
			{UNITS.map((name) => (
				<button
					key={name}
					type="button"
					aria-pressed={unit === name}
					onClick={() => store.set("unit", name)}
				>
					{name === "token" ? "Tokens" : "Words"}
				</button>
			))}
		</fieldset>
	);
}

/** Looked up once a table: of a long text it would take a ms in every frame. */
const known = new WeakMap<TokenTable, boolean>();

function hasPieces(table: TokenTable): boolean {
	const { word } = table;
	let has = known.get(table);
	has ??= word.some((number, i) => number >= 0 && number === word[i - 1]);
	known.set(table, has);
	return has;
}
