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
					chunk.code = loader(deflateSync(chunk.code, { level: 9 }));
					const size = Buffer.byteLength(chunk.code);
					this.info(`${size} bytes travel, ${unpacked} unpacked`);
					if (size > 100_000) this.error(`the bundle has ${size} bytes, of at most 100,000`);
				}
		},
	};
}

/** Letters that neither a JavaScript string nor JSON nor HTML has to escape. */
const LETTERS =
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?_;()[]{}@%|#~";

/** Four bytes as five letters: a fourth more, where base64 takes a third. */
function base85(bytes: Uint8Array): string {
	let text = "";
	for (let at = 0; at < bytes.length; at += 4) {
		let number = 0;
		for (let i = 0; i < 4; i++) number = number * 256 + (bytes[at + i] ?? 0);
		for (let i = 4; i >= 0; i--) text += LETTERS[Math.floor(number / 85 ** i) % 85];
	}
	return text;
}

function loader(packed: Uint8Array): string {
	return `const letters = "${LETTERS}";
const code = "${base85(packed)}";
const bytes = new Uint8Array(code.length);
for (let from = 0, to = 0; from < code.length; from += 5) {
  let number = 0;
  for (let i = 0; i < 5; i++) number = number * 85 + letters.indexOf(code[from + i]);
  for (let i = 3; i >= 0; i--) bytes[to++] = (number / 256 ** i) & 255;
}
const stream = new Blob([bytes.subarray(0, ${packed.length})]).stream();
const inflated = stream.pipeThrough(new DecompressionStream("deflate"));
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
