import type { ExemplarInfo, Place } from "./protocol.gen";
import { digits } from "./said";
import { piecesOf, tokenText } from "./sentence";
import type { Exemplars, Loaded } from "./source";

interface Props {
	readonly loaded: Loaded<Exemplars>;
	readonly score: string;
	readonly chosen: Place | null;
	open(place: Place): void;
}

/** Texts in which a head does something, from where it does it most to where it does it least. */
export function ExemplarList({ loaded, score, chosen, open }: Props) {
	if (loaded.kind === "waiting") return <p class="muted">Looking for texts …</p>;
	if (loaded.kind === "failed")
		return (
			<p class="wrong" role="alert">
				{loaded.fault.message}
			</p>
		);
	const { groups, texts } = loaded.value;
	if (!groups.some(({ exemplars }) => exemplars.length))
		return <p class="muted">None of the texts that are kept.</p>;
	return (
		<>
			{groups.map(({ name, exemplars }) => (
				<section key={name} aria-label={name}>
					<h4>
						{name}
						<span class="muted">{rangeText(score, exemplars)}</span>
					</h4>
					<ol class="exemplars">
						{exemplars.map((exemplar) => (
							<Exemplar
								key={placeOf(exemplar).join()}
								exemplar={exemplar}
								texts={texts}
								on={placeOf(exemplar).join() === chosen?.join()}
								open={open}
							/>
						))}
					</ol>
				</section>
			))}
		</>
	);
}

function Exemplar({
	exemplar,
	texts,
	on,
	open,
}: {
	exemplar: ExemplarInfo;
	texts: Exemplars["texts"];
	on: boolean;
	open: Props["open"];
}) {
	const text = texts[exemplar.text];
	const { weight } = exemplar;
	const read = [exemplar.query, exemplar.key].map((at) => tokenText(text, at)).filter(Boolean);
	const says = `open text ${exemplar.text}${read.length ? `, ${read.join(" reads ")}` : ""}${weight === null ? "" : `, ${digits(weight)}`}`;
	return (
		<li class={on ? "exemplar on" : "exemplar"}>
			<p dir="auto">
				{text &&
					piecesOf(text, exemplar).map(({ text: piece, role }, i) =>
						role === "" ? piece : <Marked key={`${i} ${role}`} role={role} text={piece} />,
					)}
			</p>
			<span class="number">{weight === null ? "" : digits(weight)}</span>
			<button
				type="button"
				class="over"
				aria-pressed={on}
				aria-label={says}
				onClick={() => open(placeOf(exemplar))}
			/>
		</li>
	);
}

function Marked({ role, text }: { role: string; text: string }) {
	return role === "aside" ? <span class="muted">{text}</span> : <mark class={role}>{text}</mark>;
}

function placeOf({ text, query, key }: ExemplarInfo): Place {
	return [text, query, key];
}

/** From the least to the greatest score of a group. */
function rangeText(score: string, exemplars: readonly ExemplarInfo[]): string {
	const known = exemplars.map((it) => it.score).filter((it) => it !== null);
	if (!known.length) return "";
	const [least, most] = [Math.min(...known), Math.max(...known)].map(digits);
	return `${score} ${least === most ? least : `${least} to ${most}`}`;
}
