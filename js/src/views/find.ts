import type { Pointer, TokenTable } from "../protocol.gen";
import type { Tokens } from "../source/source";

/** Neighbouring tokens of one side that a search found together. */
export interface Hit {
	readonly table: TokenTable;
	readonly first: number;
	readonly last: number;
}

export const FOUND = 1;
export const FOUND_HERE = 2;

/** Finds tokens by the text as written: whatever its case and accents, over the ends of tokens. */
export class Finder {
	hits: readonly Hit[] = [];
	at = 0;
	#text = "";
	#tokens: Tokens | undefined;
	#marks = new Map<TokenTable, Uint8Array>();
	readonly #found: (pointer: Pointer | null) => void;

	/** `found` hears where the search stands, each time that it goes elsewhere. */
	constructor(text: string, found: (pointer: Pointer | null) => void) {
		this.#text = text;
		this.#found = found;
	}

	get text(): string {
		return this.#text;
	}

	/** The hit that is gone to. */
	get here(): Hit | undefined {
		return this.hits[this.at];
	}

	search(text: string): void {
		this.#text = text;
		this.at = 0;
		this.#look();
		this.#go();
	}

	/** Go some hits on, or back; after the last comes the first. */
	step(by: number): void {
		const count = this.hits.length;
		if (count) this.at = (this.at + by + count) % count;
		this.#go();
	}

	/** Search in these tokens from now on. */
	over(tokens: Tokens): void {
		if (tokens === this.#tokens) return;
		this.#tokens = tokens;
		this.#look();
	}

	/** Of each token of a side: whether it is `FOUND`, or `FOUND_HERE`; undefined where none is. */
	marks(table: TokenTable): Uint8Array | undefined {
		return this.#marks.get(table);
	}

	#look(): void {
		const { queries, keys } = this.#tokens ?? {};
		const tables = new Set([queries, keys].filter((table) => table !== undefined));
		this.hits = [...tables].flatMap((table) => hitsIn(table, this.#text));
		this.#mark();
	}

	#mark(): void {
		this.#marks = new Map();
		for (const hit of this.hits) {
			const marks = this.#marks.get(hit.table) ?? new Uint8Array(hit.table.text.length);
			marks.fill(hit === this.here ? FOUND_HERE : FOUND, hit.first, hit.last + 1);
			this.#marks.set(hit.table, marks);
		}
	}

	#go(): void {
		this.#mark();
		const { here } = this;
		const as = (table: TokenTable | undefined) =>
			here && here.table === table ? here.first : null;
		const tokens = this.#tokens;
		this.#found(here ? [as(tokens?.queries), as(tokens?.keys)] : null);
	}
}

function hitsIn(table: TokenTable, text: string): Hit[] {
	const wanted = folded(text).trimStart();
	const hits: Hit[] = [];
	if (!wanted) return hits;
	const { all, starts } = written(table);
	for (let at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, at + wanted.length))
		hits.push({
			table,
			first: tokenAt(starts, at),
			last: tokenAt(starts, at + wanted.trimEnd().length - 1),
		});
	return hits;
}

/** In Latin, Greek and Cyrillic accents are folded; elsewhere such signs are letters. */
function folded(text: string): string {
	return text
		.toLowerCase()
		.normalize("NFD")
		.replace(/[\u0300-\u036f]/g, "")
		.replace(/\s+/g, " ");
}

interface Written {
	readonly all: string;
	/** Where each token's text begins. */
	readonly starts: Uint32Array;
}

const known = new WeakMap<TokenTable, Written>();

/** The whole text of a side, folded once. */
function written(table: TokenTable): Written {
	const before = known.get(table);
	if (before) return before;
	const starts = new Uint32Array(table.text.length);
	let all = "";
	for (const [i, text] of table.text.entries()) {
		if (table.gap[i] || table.special[i] || table.special[i - 1]) all += " ";
		starts[i] = all.length;
		all += folded(text);
	}
	known.set(table, { all, starts });
	return { all, starts };
}

/** The last token that begins at a place or before it. */
function tokenAt(starts: Uint32Array, place: number): number {
	let low = 0;
	let high = starts.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((starts[middle] as number) <= place) low = middle + 1;
		else high = middle;
	}
	return low - 1;
}
