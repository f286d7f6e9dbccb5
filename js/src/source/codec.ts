import type { Encoding } from "../protocol.gen";

/** The bytes of a view, and only those: a reply's buffer may be a window into a larger one. */
export function bytesOf(view: DataView): Uint8Array<ArrayBuffer> {
	return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}

/**
 * Inflate zlib data with the browser's own decoder, within the task that asks.
 *
 * A blob's bytes would go through another process, and a response's come some tasks later: often a
 * frame.
 */
export async function inflate(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
	const { readable, writable } = new DecompressionStream("deflate");
	const writer = writable.getWriter();
	const written = Promise.all([writer.write(data), writer.close()]);
	// What can't be inflated fails on both sides.
	const [bytes] = await Promise.all([bytesFrom(readable.getReader()), written]);
	return bytes;
}

async function bytesFrom(
	reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
	const parts: Uint8Array[] = [];
	let length = 0;
	for (let next = await reader.read(); !next.done; next = await reader.read()) {
		parts.push(next.value);
		length += next.value.length;
	}
	const bytes = new Uint8Array(length);
	for (const part of parts.reverse()) {
		length -= part.length;
		bytes.set(part, length);
	}
	return bytes;
}

/** The weight that each of the 256 codes of an 8-bit encoding stands for. */
export function decodeTable(signed: boolean, scale: number): Float32Array {
	return Float32Array.from({ length: 256 }, (_, code) => {
		const root = signed ? (code - 128) / 127 : code / 255;
		return Math.sign(root) * root ** 4 * scale;
	});
}

/** The 8-bit code of a weight: the inverse of `decodeTable`, as encoding.py rounds. */
export function encode(weight: number, signed: boolean, scale: number): number {
	const root = Math.min(1, (Math.abs(weight) / scale) ** 0.25);
	const code = weight === 0 ? 0 : Math.max(1, Math.round(root * (signed ? 127 : 255)));
	return signed ? 128 + Math.sign(weight) * code : code;
}

/** Numbers cut at the wrong places would make a plausible picture that is not the model's. */
export function expectBytes(data: Uint8Array, expected: number): void {
	if (data.length !== expected)
		throw new Error(`expected ${expected} bytes of numbers, got ${data.length}`);
}

export const BYTES_PER_WEIGHT: Record<Encoding, number> = { float32: 4, quartic8: 1, signed8: 1 };
