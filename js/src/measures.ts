import type { Description, Measure } from "./protocol.gen";

/** Why each thing that may be shown can't be had, "" where it may. */
export function reasonsOf({ measures }: Description): Map<Measure, string> {
	return new Map(
		measures.map((line) => {
			const [name = "", ...why] = line.split(": ");
			return [name as Measure, why.join(": ")];
		}),
	);
}
