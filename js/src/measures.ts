import type { Description, Measure } from "./protocol.gen";

/** Why a thing that may be shown can't be had, "" where it may. */
export function whyNot({ measures }: Description, measure: Measure): string {
	const line = measures.find((line) => line.split(":")[0]?.split(", ").includes(measure));
	return line?.slice(line.indexOf(":") + 2) ?? "";
}
