/** What an anywidget's module makes; what it is given is the host's. */
interface Definition {
	initialize(host: object): unknown;
	render(host: object & { readonly el: HTMLElement }): unknown;
}

/** A module's text, run: blobs are what the page's own policy lets in. */
export async function imported(text: string): Promise<() => Definition> {
	const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
	try {
		const module = (await import(/* @vite-ignore */ url)) as { default: () => Definition };
		return module.default;
	} finally {
		URL.revokeObjectURL(url);
	}
}
