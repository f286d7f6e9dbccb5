import type { TermsInfo } from "../protocol.gen";
import type { KeyTerms } from "../source/terms";

/** One step from the sum of a key's products to its score. */
export interface Column {
	readonly name: string;
	of(term: KeyTerms): number;
}

/** The steps that this head takes; the last is the score. */
export function columnsOf({ scaling, softcap, biased }: TermsInfo): readonly Column[] {
	const scaled = ({ product }: KeyTerms) => product * scaling;
	const steps: Column[] = [{ name: "Σ q × k", of: (term) => term.product }];
	if (scaling !== 1) steps.push({ name: `× ${+scaling.toPrecision(4)}`, of: scaled });
	if (softcap !== null)
		steps.push({
			name: `softcap ${softcap}`,
			of: (term) => softcap * Math.tanh(scaled(term) / softcap),
		});
	if (biased) steps.push({ name: "+ bias", of: (term) => term.bias }, { name: "", of: scaled });
	const last = steps.pop();
	return [...steps, { name: `${last?.name}\n= score`, of: (term) => term.score }];
}

/** The weight that a score takes, the key's or the sink's. */
export function weightOf({ log_sum }: TermsInfo, score: number): number {
	return Math.exp(score - log_sum);
}

/** A number of a column, short enough for it. */
export function numberText(number: number): string {
	return signed(number.toFixed(Math.abs(number) < 1000 ? 3 : 1));
}

/** The whole sum, from the products to the weight. */
export function sumsText(info: TermsInfo, term: KeyTerms): string {
	const steps = columnsOf(info).map(({ name, of }) => {
		const says = name.replace(/\n.*|^= score$/, "");
		return `${says}${says === "+ bias" ? "" : " ="} ${exactly(of(term))}`.trim();
	});
	const weight = weightOf(info, term.score).toFixed(6);
	const score = exactly(term.score);
	return `${steps.join(" ")} · exp(${score} − ${exactly(info.log_sum)}) = ${weight}`;
}

/** What one number of the vectors adds. */
export function productText(query: Float32Array, { vector }: KeyTerms, at: number): string {
	const [q, k] = [query[at] as number, vector[at] as number];
	return `dimension ${at}: q ${exactly(q)} × k ${exactly(k)} = ${exactly(q * k)}`;
}

function exactly(number: number): string {
	return signed(number.toFixed(4));
}

function signed(text: string): string {
	return text.replace("-", "−");
}
