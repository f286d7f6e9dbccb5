import type { Scene } from "./scene";

type Sorted = Pick<Scene, "description" | "state">;

/** Which of its scores heads are sorted by, as the description lists them; -1 by layer. */
function indexOf({ description, state }: Sorted): number {
	return description.scores.findIndex((score) => score.startsWith(`${state.sort}:`));
}

/** Whether heads are sorted by a score. */
export function isSorted(scene: Sorted): boolean {
	return indexOf(scene) >= 0;
}

/** Whether the map shows each head's score, and not its weights. */
export function showsScores(scene: Sorted): boolean {
	return scene.state.paint === "score" && isSorted(scene);
}

/** The numbers that heads are sorted by; undefined by layer, and until they are here. */
export function scoresOf(scene: Scene): Float32Array | undefined {
	if (!isSorted(scene)) return undefined;
	const { layers, heads } = scene.description;
	const first = indexOf(scene) * layers.length * heads;
	return scene.reader.scores()?.subarray(first, first + layers.length * heads);
}

/** The least and the greatest of all heads; undefined where none has a number. */
export function endsOf(
	scores: Float32Array,
): readonly [least: number, greatest: number] | undefined {
	const numbers = scores.filter((score) => !Number.isNaN(score));
	return numbers.length ? [Math.min(...numbers), Math.max(...numbers)] : undefined;
}
