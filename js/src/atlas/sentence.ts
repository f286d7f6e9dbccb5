import type { ExemplarInfo, TextInfo } from "./protocol.gen";

/**
 * A stretch of a text: the token that reads, the one that is read, or what lies around them; aside
 * is what isn't of the text.
 */
export interface Piece {
	readonly text: string;
	readonly role: "" | "query" | "key" | "both" | "aside";
}

const CUT = " … ";

/** So many tokens on either side of a marked one are shown. */
const AROUND = 14;

/** A text around its marked tokens, as it was written; what is left out is a sign. */
export function piecesOf(
	{ tokens, gaps, special }: TextInfo,
	{ query, key }: Pick<ExemplarInfo, "query" | "key">,
	around = AROUND,
): Piece[] {
	const marked = [query, key].filter((at) => at !== null);
	const isShown = (at: number) =>
		marked.length ? marked.some((mark) => Math.abs(at - mark) <= around) : at <= 2 * around;
	const pieces: Piece[] = [];
	const put = (text: string, role: Piece["role"]) => {
		const last = pieces.at(-1);
		if (last?.role === role && role === "")
			pieces[pieces.length - 1] = { text: last.text + text, role };
		else if (text) pieces.push({ text, role });
	};
	for (const [at, token] of tokens.entries()) {
		if (!isShown(at)) {
			if (pieces.at(-1)?.text !== CUT) put(CUT, "aside");
			continue;
		}
		// What was added stands by itself.
		const isApart = at > 0 && (special[at] || special[at - 1]);
		put(gaps[at] || (isApart ? " " : ""), "");
		if (at === query && at === key) put(shownAs(token), "both");
		else if (at === query) put(shownAs(token), "query");
		else if (at === key) put(shownAs(token), "key");
		else put(token, special[at] ? "aside" : "");
	}
	return pieces;
}

/** A token as it stands in a line of words; nothing where the text isn't known. */
export function tokenText(text: TextInfo | undefined, at: number | null): string {
	const token = at === null ? undefined : text?.tokens[at];
	return token === undefined ? "" : shownAs(token);
}

const SIGNS: Readonly<Record<string, string>> = { "\n": "⏎", "\t": "⇥", "\r": "␍" };

/** A marked token that would be invisible is shown as a sign. */
function shownAs(token: string): string {
	if (token.trim()) return token.trim();
	return Array.from(token, (letter) => SIGNS[letter] ?? "␣").join("") || "∅";
}
