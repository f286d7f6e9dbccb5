import type { Case } from "../views/evidence-case";
import { Edits } from "./evidence-edits";
import { Head } from "./evidence-head";
import { Reads } from "./evidence-reads";
import { Strip } from "./evidence-strip";
import { Sweep } from "./evidence-sweep";
import { AnotherText } from "./evidence-text";

/** What is read and by which head, and beside it what the model gives when that is changed. */
export function Evidence({
	now,
	hold,
	fixed,
}: {
	now: Case;
	/** Where the dots are drawn. */
	hold: (el: HTMLElement | null) => void;
	/** Where a question is asked, the text is changed there. */
	fixed: boolean;
}) {
	return (
		<>
			{!fixed && <AnotherText now={now} />}
			<Strip now={now} />
			<div class="sides">
				<div>
					<Reads now={now} />
					<Head now={now} />
				</div>
				<div>
					<Edits now={now} />
					<Sweep now={now} hold={hold} />
				</div>
			</div>
		</>
	);
}
