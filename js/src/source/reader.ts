import type { Axis, LineKey, MassKey, SpanKey, StripKey, TileKey } from "../protocol.gen";
import type { Line, Tile, WeightCache } from "./cache";
import type { Reader } from "./source";
import type { RowTerms } from "./terms";

export type Wish =
	| { readonly tile: TileKey }
	| { readonly strip: StripKey }
	| { readonly mass: MassKey }
	| { readonly span: SpanKey }
	| { readonly scores: true }
	| { readonly terms: LineKey; readonly keys: readonly number[] }
	| { readonly axis: Axis; readonly line: LineKey };

/** Reads from what is here, and remembers what the latest drawing missed. */
export class WishfulReader implements Reader {
	wishes = new Map<string, Wish>();
	#urgent = false;
	readonly #cache: WeightCache;
	readonly #pump: () => boolean;

	constructor(cache: WeightCache, pump: () => boolean) {
		this.#cache = cache;
		this.#pump = pump;
	}

	collect(draw: () => void): boolean {
		this.wishes = new Map();
		this.#urgent = false;
		draw();
		return this.wishes.size === 0 || !this.#pump() || !this.#urgent;
	}

	tile(key: TileKey, urgent = true): Tile | undefined {
		const tile = this.#cache.tile(key);
		if (!tile) this.#wish(`tile,${key}`, { tile: key }, urgent);
		return tile;
	}

	peek(key: TileKey): Tile | undefined {
		return this.#cache.tile(key);
	}

	strip(key: StripKey): Uint8Array | undefined {
		const strip = this.#cache.strip(key);
		if (!strip) this.#wish(`strip,${key}`, { strip: key });
		return strip;
	}

	line(axis: Axis, key: LineKey, exact: boolean): Line | undefined {
		const line = this.#cache.line(axis, key);
		if (!line || (exact && !line.exact)) this.#wish(`${axis},${key}`, { axis, line: key });
		return line;
	}

	mass(key: MassKey): Float32Array | undefined {
		const mass = this.#cache.mass(key);
		if (!mass) this.#wish(`mass,${key}`, { mass: key });
		return mass;
	}

	span(key: SpanKey): Float32Array | undefined {
		const span = this.#cache.span(key);
		if (!span) this.#wish(`span,${key}`, { span: key });
		return span;
	}

	scores(): Float32Array | undefined {
		const { scores } = this.#cache;
		if (!scores) this.#wish("scores", { scores: true });
		return scores;
	}

	terms(line: LineKey, keys: readonly number[]): RowTerms | undefined {
		const { terms } = this.#cache;
		const missing = terms.missing(line, keys);
		const row = terms.rows.get(`${line}`);
		if (!row || missing.length) this.#wish(`terms,${line}`, { terms: line, keys: missing });
		return row;
	}

	#wish(name: string, wish: Wish, urgent = true): void {
		this.wishes.set(name, wish);
		this.#urgent ||= urgent;
	}
}

/** Whether a wish is fulfilled. */
export function isHere(cache: WeightCache, wish: Wish): boolean {
	if ("tile" in wish) return cache.tile(wish.tile) !== undefined;
	if ("mass" in wish) return cache.mass(wish.mass) !== undefined;
	if ("span" in wish) return cache.span(wish.span) !== undefined;
	if ("scores" in wish) return cache.scores !== undefined;
	if ("terms" in wish) return cache.terms.missing(wish.terms, wish.keys).length === 0;
	if ("strip" in wish) return cache.strip(wish.strip) !== undefined;
	return cache.line(wish.axis, wish.line)?.exact === true;
}
