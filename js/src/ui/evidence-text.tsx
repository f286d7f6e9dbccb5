import type { Case } from "../views/evidence-case";
import { textsOf } from "../views/evidence-text";
import { handled, typed } from "./dom";
import { Failed, Running } from "./evidence-study";

const NAMES = ["text", "second text"] as const;

/** A line by which the model is given another text. */
export function AnotherText({ now }: { now: Case }) {
	const { source, draft, gone, change } = now;
	const { text } = draft;
	return (
		<div class="another">
			<div class="title">
				<span>evidence: what is read, and whether it matters</span>
				<span class="changing">
					<Running source={source} study={text.sent} what="the reading of the text" />
					<button
						type="button"
						name="change"
						class="quiet"
						aria-expanded={text.open}
						title="let the model read another text; the key e comes here"
						onClick={() => {
							text.open = !text.open;
							change({ at: text.open ? { name: "text 0", from: 0, to: 0 } : null });
						}}
					>
						change the text
					</button>
				</span>
			</div>
			{text.open && <Box now={now} />}
			<Failed source={source} study={text.sent} gone={gone} />
		</div>
	);
}

function Box({ now: { source, draft, gone, actions, change } }: { now: Case }) {
	const { text } = draft;
	const shown = textsOf(source.description);
	const texts = text.typed ?? shown ?? [""];
	const send = () => {
		text.send(source);
		actions.redraw();
	};
	const write = (at: number, value: string) => {
		text.typed = texts.map((one, i) => (i === at ? value : one));
		text.wrong = "";
		actions.redraw();
	};
	const onKeyDown = (event: KeyboardEvent) => {
		if (event.key === "Escape") {
			text.open = false;
			change({ at: { name: "change", from: 0, to: 0 } });
		} else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
		else {
			typed(event);
			return;
		}
		handled(event);
	};
	return (
		<form
			noValidate
			onKeyDown={onKeyDown}
			onSubmit={(event) => {
				handled(event);
				send();
			}}
		>
			{texts.map((value, at) => (
				<textarea
					key={NAMES[at]}
					name={`text ${at}`}
					aria-label={NAMES[at] ?? "text"}
					aria-invalid={text.wrong !== ""}
					rows={at ? 2 : 4}
					dir="auto"
					placeholder={
						shown ? "" : "The text isn’t known here, or too long: write the one that is to be read."
					}
					value={value}
					onInput={({ currentTarget }) => write(at, currentTarget.value)}
				/>
			))}
			<div class="acts">
				<button type="submit" name="read" class="primary" disabled={gone !== ""} title={gone}>
					Read it
				</button>
				<span class="muted">{gone || "Ctrl+Enter reads it, Escape closes"}</span>
			</div>
			{text.wrong && (
				<p class="wrong" role="alert">
					{text.wrong}
				</p>
			)}
		</form>
	);
}
