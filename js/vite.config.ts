import { deflateSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/**
 * The module travels with every explorer and is saved with every notebook, so it packs itself: a
 * loader of some lines around its own deflated code, which any host that imports it can run.
 */
function packed(): Plugin {
	return {
		name: "packed",
		apply: "build",
		generateBundle(_, bundle) {
			for (const chunk of Object.values(bundle))
				if (chunk.type === "chunk" && chunk.isEntry) {
					const unpacked = Buffer.byteLength(chunk.code);
					chunk.code = loader(deflateSync(chunk.code, { level: 9 }).toString("base64"));
					const size = Buffer.byteLength(chunk.code);
					this.info(`${size} bytes travel, ${unpacked} unpacked`);
					if (size > 100_000) this.error(`the bundle has ${size} bytes, of at most 100,000`);
				}
		},
	};
}

function loader(code: string): string {
	return `const bytes = Uint8Array.from(atob("${code}"), (c) => c.charCodeAt(0));
const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
const text = await new Response(inflated).text();
const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
const module = await import(/* @vite-ignore */ url);
URL.revokeObjectURL(url);
export default module.default;
`;
}

export default defineConfig({
	plugins: [packed()],
	build: {
		outDir: "../widget/attention_explorer/static",
		// Emptying the folder would kill anywidget's hot reload.
		emptyOutDir: false,
		minify: true,
		// An ES library keeps its white space unless the bundler itself is told.
		rolldownOptions: { output: { minify: true } },
		target: "es2022",
		lib: { entry: "src/widget.ts", formats: ["es"], fileName: () => "widget.js" },
	},
});
