import { inflate } from "../source/codec";

/** The bytes of base64 text: a file holds no others. */
export function bytesFrom(base64: string): Uint8Array<ArrayBuffer> {
	const text = atob(base64);
	const bytes = new Uint8Array(text.length);
	for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
	return bytes;
}

/** The bytes of some arrays one after the other, zlib: as a kernel sends them. */
export async function deflate(arrays: readonly ArrayBufferView[]): Promise<DataView> {
	const { readable, writable } = new CompressionStream("deflate");
	const parts = arrays.map(
		({ buffer, byteOffset, byteLength }) =>
			new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
	);
	const packed = new Response(readable).arrayBuffer();
	const writer = writable.getWriter();
	for (const part of parts) void writer.write(part);
	void writer.close();
	return new DataView(await packed);
}

/** What JSON has in place of bytes. */
interface Bytes {
	readonly bytes: string;
}

/** Read JSON in which bytes are objects with nothing but `bytes`, base64. */
export function parse<T>(json: string): T {
	return JSON.parse(json, (_, value: unknown) =>
		isBytes(value) ? new DataView(bytesFrom(value.bytes).buffer) : value,
	) as T;
}

function isBytes(value: unknown): value is Bytes {
	return typeof value === "object" && value !== null && "bytes" in value;
}

/** Float32 numbers from zlib in base64; what was read once is kept. */
export class Floats {
	readonly #read = new Map<string, Promise<Float32Array>>();

	of(buffer: string): Promise<Float32Array> {
		const read =
			this.#read.get(buffer) ??
			inflate(bytesFrom(buffer)).then((data) => new Float32Array(data.buffer));
		this.#read.set(buffer, read);
		return read;
	}
}
