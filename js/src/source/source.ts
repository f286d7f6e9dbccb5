import type {
	Axis,
	Description,
	LineKey,
	MassKey,
	PartRequest,
	SpanKey,
	StepInfo,
	StripKey,
	TileKey,
	TokenTable,
} from "../protocol.gen";
import type { Line, Tile } from "./cache";
import type { Errands } from "./errands";
import type { RowTerms } from "./terms";

/** The tokens of both sides; `keys` is `queries` where they are the same. */
export interface Tokens {
	readonly queries: TokenTable;
	readonly keys: TokenTable;
	/** How each generated token came to be; empty where none was. */
	readonly steps: readonly StepInfo[];
}

/** From then on a kernel that doesn't answer may be gone as well as busy. */
export const SILENT_AFTER_S = 20;

/** How the numbers are reached; `why` is a sentence for the person who looks. */
export type Status =
	| { readonly kind: "connecting" }
	| { readonly kind: "live" }
	| { readonly kind: "computing"; readonly share: number }
	| { readonly kind: "stopped" }
	| { readonly kind: "busy"; readonly seconds: number }
	| { readonly kind: "gone"; readonly why: string };

export interface Fault {
	readonly message: string;
	readonly detail: string;
}

/**
 * One view's reading of a source. What a drawing misses is asked for once the drawing is done, and only
 * what the *latest* drawing missed: what has scrolled away is never waited for.
 */
export interface Reader {
	/**
	 * Run a drawing; reads inside it that miss become the wishes of this reader.
	 *
	 * @returns Whether all that was read was here, as far as it can be had.
	 */
	collect(draw: () => void): boolean;
	/** What isn't urgent comes after the rest, and the page counts as complete without it. */
	tile(key: TileKey, urgent?: boolean): Tile | undefined;
	/** A tile that would do for now: it isn't asked for. */
	peek(key: TileKey): Tile | undefined;
	/** A pooled row or column, as 8-bit codes. */
	strip(key: StripKey): Uint8Array | undefined;
	/** One score of the description after the other, of all heads, layer by layer; NaN for none. */
	scores(): Float32Array | undefined;
	/** How much of what each query reads is hidden. */
	mass(key: MassKey): Float32Array | undefined;
	/** The mean over some queries of the sum over some keys, of all heads, layer by layer. */
	span(key: SpanKey): Float32Array | undefined;
	/** What a row's scores are made of, once asked for against these keys. */
	terms(line: LineKey, keys: readonly number[]): RowTerms | undefined;
	/** A line to draw from; with `exact`, decoded codes serve only until the float32 line is here. */
	line(axis: Axis, key: LineKey, exact: boolean): Line | undefined;
}

/** A part of the renderer that the kernel keeps until it is needed. */
export type PartName = PartRequest["name"];

/** Where numbers come from; a view never knows whether a kernel or saved data answers. */
export interface TileSource extends Errands {
	readonly description: Description;
	/** The weight of each 8-bit code of a tile. */
	readonly table: Float32Array;
	readonly status: Status;
	readonly fault: Fault | null;
	tokens(): Tokens | undefined;
	reader(signal: AbortSignal): Reader;
	onChange(listener: () => void, signal: AbortSignal): void;
	dismissFault(): void;
	/** Stop asking for what is being computed now. */
	stop(): void;
	/** Ask again for what was stopped. */
	goOn(): void;
	/** A part of the renderer that only some views need, as text of a module. */
	part(name: PartName): Promise<string>;
}
