import { bytesOf, inflate } from "../source/codec";

/** The planes of `AtlasState._numbers`. */
const PLANES = 3;

/** What is measured of every head, by score: NaN where no text has it. */
export interface Numbers {
	mean(score: number, head: number): number;
	/** Half of the mean's confidence interval. */
	half(score: number, head: number): number;
	/** How many texts it is the mean of. */
	texts(score: number, head: number): number;
}

export async function readNumbers(
	packed: DataView,
	scores: number,
	heads: number,
): Promise<Numbers> {
	const data = await floats(packed);
	const plane = scores * heads;
	if (data.length !== PLANES * plane)
		throw new Error(`expected ${PLANES * plane} numbers, got ${data.length}`);
	const of = (which: number) => (score: number, head: number) =>
		data[which * plane + score * heads + head] ?? Number.NaN;
	return { mean: of(0), half: of(1), texts: of(2) };
}

/** Float32 numbers of zlib. */
export async function floats(packed: DataView): Promise<Float32Array> {
	return new Float32Array((await inflate(bytesOf(packed))).buffer);
}
