/** What a module's code exports by default: run from a blob, which hosts' policies let in. */
export async function imported<T>(code: BlobPart): Promise<T> {
	const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
	try {
		return ((await import(/* @vite-ignore */ url)) as { default: T }).default;
	} finally {
		URL.revokeObjectURL(url);
	}
}
