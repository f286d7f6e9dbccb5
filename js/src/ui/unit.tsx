import { type TokenTable, UNITS } from "../protocol.gen";
import type { Tokens } from "../source/source";
import type { Store, Synced } from "../store";
import { segmentsOf } from "./lines";

const MEANING = "words and segments read the mean of their tokens, and are read with their sum";
const NO_PIECES = "each token is a word of its own";

/** Whether a row and a column are a token, a word or, where there are several, a segment. */
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
	const tables = tokens ? [tokens.queries, tokens.keys].map(partsOf) : [];
	const parted = unit === "segment" || tables.some(({ segments }) => segments > 1);
	const same = unit === "token" && tokens && !tables.some(({ pieces }) => pieces);
	const why = live ? (same && !parted ? NO_PIECES : "") : "this takes the kernel";
	return (
		<fieldset class="segments small" aria-label="unit" title={why || MEANING} disabled={why !== ""}>
			{UNITS.filter((name) => parted || name !== "segment").map((name) => (
				<button
					key={name}
					type="button"
					aria-pressed={unit === name}
					disabled={same && name === "word"}
					title={same && name === "word" ? NO_PIECES : ""}
					onClick={() => store.set("unit", name)}
				>
					{`${name[0]?.toUpperCase()}${name.slice(1)}s`}
				</button>
			))}
		</fieldset>
	);
}

interface Parts {
	readonly pieces: boolean;
	readonly segments: number;
}

/** Looked up once a table: of a long text it would take a ms in every frame. */
const known = new WeakMap<TokenTable, Parts>();

function partsOf(table: TokenTable): Parts {
	const { word } = table;
	const parts = known.get(table) ?? {
		pieces: word.some((number, i) => number >= 0 && number === word[i - 1]),
		segments: segmentsOf(table).length,
	};
	known.set(table, parts);
	return parts;
}
