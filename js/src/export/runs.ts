/** Letters that stand on one line, where the page has them. */
export interface Run {
	readonly text: string;
	readonly box: DOMRect;
}

/** The lines of a text node; `vertical` where they go down. */
export function runsOf(node: Text, vertical: boolean, collapses: boolean): Run[] {
	const range = document.createRange();
	range.selectNodeContents(node);
	// A space that doesn't break isn't one of those that do so.
	const written = (text: string) => (collapses ? text.replace(/[ \t\n\r\f]+/g, " ") : text);
	const boxes = range.getClientRects();
	if (boxes.length === 1 && boxes[0]) return [{ text: written(node.data), box: boxes[0] }];
	const runs: { text: string; box: DOMRect }[] = [];
	for (const { text, box } of lettersOf(node)) {
		const last = runs.at(-1);
		if (last && sameLine(last.box, box, vertical)) {
			last.text += text;
			last.box = union(last.box, box);
		} else if (box.width && box.height) runs.push({ text, box });
	}
	return runs.map(({ text, box }) => ({ text: written(text), box }));
}

/** A run's letters up to the first that is `over` the room there is; "…" for the rest. */
export function cut(node: Text, { text, box }: Run, over: (box: DOMRect) => boolean): string {
	if (!over(box)) return text;
	let kept = "";
	for (const letter of lettersOf(node)) {
		if (over(letter.box)) break;
		kept += letter.text;
	}
	return `${kept}…`;
}

function* lettersOf(node: Text): Generator<Run> {
	const range = document.createRange();
	let at = 0;
	for (const text of node.data) {
		range.setStart(node, at);
		at += text.length;
		range.setEnd(node, at);
		const boxes = range.getClientRects();
		const box = boxes[boxes.length - 1];
		if (box) yield { text, box };
	}
}

function sameLine(a: DOMRect, b: DOMRect, vertical: boolean): boolean {
	return vertical
		? Math.abs(a.left - b.left) < a.width / 2
		: Math.abs(a.top - b.top) < a.height / 2;
}

function union(a: DOMRect, b: DOMRect): DOMRect {
	const [left, top] = [Math.min(a.left, b.left), Math.min(a.top, b.top)];
	const [right, bottom] = [Math.max(a.right, b.right), Math.max(a.bottom, b.bottom)];
	return new DOMRect(left, top, right - left, bottom - top);
}
