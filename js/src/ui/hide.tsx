import { pinnedIn, pinsOf } from "../pins";
import { type Description, HIDEABLES, type Hideable, type TokenTable } from "../protocol.gen";
import type { Tokens } from "../source/source";
import type { Store, Synced } from "../store";
import { handled } from "./dom";
import { short } from "./words";

const NAMED = 3;

/** Which keys' weights are set aside, and whether the others are raised to their rows' sums. */
export function Hide({
	description,
	state,
	tokens,
	live,
	store,
}: {
	description: Description;
	state: Synced;
	tokens: Tokens | undefined;
	live: boolean;
	store: Store;
}) {
	const { hide, hide_tokens, renormalise, unit } = state;
	const { hides, hidden_tokens, encoding } = description;
	const keys = tokens?.keys;
	const pinned = unit === "token" && keys ? pinnedIn(pinsOf(state), 1) : [];
	const others = pinned.filter((key) => !hide_tokens.includes(key));
	const toggle = (name: Hideable) =>
		store.set(
			"hide",
			HIDEABLES.filter((it) => hide.includes(it) !== (it === name)),
		);
	const setTokens = (keys: readonly number[]) =>
		store.set(
			"hide_tokens",
			[...keys].sort((a, b) => a - b),
		);
	return (
		<details
			class="menu"
			onToggle={(event) => keepWithin(event.currentTarget)}
			onKeyDown={closeByEscape}
		>
			<summary aria-label={hides > 0 ? `hide ${hides}, hidden keys` : "hide keys"}>
				hide{hides > 0 && <b> {hides}</b>}
			</summary>
			<fieldset class="panel" disabled={!live} aria-label="keys that are hidden">
				{HIDEABLES.filter((name) => name !== "special" || !keys || hasSpecials(keys)).map(
					(name) => (
						<Switch
							key={name}
							name={name === "first" ? "first token" : name}
							more={name === "special" && keys ? specialsIn(keys) : ""}
							on={hide.includes(name)}
							change={() => toggle(name)}
						/>
					),
				)}
				{hide_tokens.map((key, i) => {
					const name = hidden_tokens[i] ?? "";
					return (
						<button
							key={key}
							type="button"
							class="quiet"
							aria-label={`show ${name}, position ${key}`}
							onClick={() => setTokens(hide_tokens.filter((it) => it !== key))}
						>
							“{name}” ({key}) ×
						</button>
					);
				})}
				{keys && others[0] !== undefined && (
					<button
						type="button"
						class="quiet"
						onClick={() => setTokens([...hide_tokens, ...others])}
					>
						hide “{short(keys, others[0])}”{others.length > 1 && ` and ${others.length - 1} more`}
					</button>
				)}
				<Switch
					name="renormalise"
					more="(raise the rest)"
					on={renormalise}
					off={encoding === "signed8"}
					change={() => store.set("renormalise", !renormalise)}
				/>
			</fieldset>
		</details>
	);
}

function Switch({
	name,
	more,
	on,
	off = false,
	change,
}: {
	name: string;
	more: string;
	on: boolean;
	off?: boolean;
	change: () => void;
}) {
	return (
		<label>
			<input type="checkbox" aria-label={name} checked={on} disabled={off} onChange={change} />
			{name} <span class="muted">{more}</span>
		</label>
	);
}

function hasSpecials({ special }: TokenTable): boolean {
	return special.includes(true);
}

function specialsIn(table: TokenTable): string {
	const names = new Set(table.text.filter((_, i) => table.special[i]));
	return [...names].slice(0, NAMED).join(" ");
}

/** A panel that would stick out of the page opens to the other side. */
export function keepWithin(menu: HTMLElement): void {
	const [page, panel] = [menu.closest(".explorer"), menu.lastElementChild as HTMLElement];
	panel.style.right = "";
	const edge = page?.getBoundingClientRect().right ?? 0;
	if (panel.getBoundingClientRect().right > edge) panel.style.right = "0";
}

/** Escape closes a menu, and no more than that. */
export function closeByEscape(event: KeyboardEvent): void {
	const menu = event.currentTarget as HTMLDetailsElement;
	if (event.key !== "Escape" || !menu.open) return;
	menu.open = false;
	menu.querySelector("summary")?.focus();
	handled(event);
}

/** A click elsewhere closes the menu. */
export function closeMenus(root: HTMLElement, signal: AbortSignal): void {
	document.addEventListener(
		"pointerdown",
		(event) => {
			for (const menu of root.querySelectorAll<HTMLDetailsElement>(".menu[open]"))
				if (!event.composedPath().includes(menu)) menu.open = false;
		},
		{ signal },
	);
}
