import type { Reading, Scene } from "../scene";
import { headText, short } from "../ui/words";

/** A table as spreadsheets and data frames take it from the clipboard. */
export interface Numbers {
	readonly text: string;
	/** How many weights are in it. */
	readonly count: number;
	/** Whose row it is. */
	readonly of: string;
}

/** What a query reads, a line for each key: position, token, and a weight for each chosen head. */
export function numbersOf(reading: Reading, { description, state, tokens }: Scene): Numbers {
	const { lines, parts } = reading;
	const queries = (parts ?? [reading]).map((part) => part.index);
	const of = queries.map((query) => `“${short(tokens.queries, query)}” (${query})`).join(", ");
	const names = state.heads.map((head) => headText(description, { layer: state.layer, head }));
	const rows = tokens.keys.text.map((token, key) => [
		`${key}`,
		token,
		...lines.map(({ values }) => `${Number((values[key] as number).toPrecision(7))}`),
	]);
	const table = [["position", "token", ...names], ...rows];
	return {
		text: table.map((row) => row.map(quoted).join("\t")).join("\n"),
		count: rows.length * lines.length,
		of: queries.length > 1 ? `${state.combine} over ${of}` : of,
	};
}

/** A quotation mark or a line break in a token would else swallow the lines that follow. */
function quoted(field: string): string {
	return /["\t\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
