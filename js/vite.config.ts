import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { zlibAsync } from "@gfx/zopfli";
import { defineConfig, type Plugin } from "vite";

/**
 * The module travels with every explorer and is saved with every notebook, so it packs itself: a
 * loader of some lines around its own deflated code, which any host that imports it can run.
 */
function packed(): Plugin {
	return {
		name: "packed",
		apply: "build",
		async generateBundle(_, bundle) {
			for (const chunk of Object.values(bundle))
				if (chunk.type === "chunk" && chunk.isEntry) {
					const unpacked = Buffer.byteLength(chunk.code);
					// What any inflater reads, some percent smaller than by zlib, for a second of work.
					chunk.code = loader(await zlibAsync(Buffer.from(chunk.code), { numiterations: 100 }));
					const size = Buffer.byteLength(chunk.code);
					this.info(`${size} bytes travel, ${unpacked} unpacked`);
					if (size > 100_000) this.error(`the bundle has ${size} bytes, of at most 100,000`);
				}
		},
	};
}

/** Letters that neither a JavaScript string nor JSON has to escape, nor HTML in a script. */
const LETTERS =
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?_;()[]{}@%|#~$&',>`";

/** Thirteen bits as two letters: 23 % more than bytes, where base64 takes a third. */
function base91(bytes: Uint8Array): string {
	let [text, bits, count] = ["", 0, 0];
	// Zeros at the end complete the last letters.
	for (const byte of [...bytes, 0, 0]) {
		bits |= byte << count;
		count += 8;
		if (count < 13) continue;
		const number = bits & 8191;
		text += `${LETTERS[number % 91]}${LETTERS[Math.floor(number / 91)]}`;
		bits >>>= 13;
		count -= 13;
	}
	return text;
}

/**
 * Letters to bytes, bytes inflated to the module's text, and that imported; short, as it is carried too.
 *
 * Hosts import the module anew for each explorer, and no page ever lets go of a module: what it unpacks to
 * is imported by the first explorer of a page, and the code of the others.
 */
function loader(packed: Uint8Array): string {
	const name = createHash("sha256").update(packed).digest("hex").slice(0, 8);
	const lines = `async function load() {
  const l = "${LETTERS}", c = "${base91(packed)}", b = new Uint8Array(c.length);
  for (let f = 0, t = 0, n = 0, v = 0; f < c.length; f += 2) {
    v |= (l.indexOf(c[f]) + l.indexOf(c[f + 1]) * 91) << n;
    for (n += 13; n > 7; n -= 8) {
      b[t++] = v;
      v >>= 8;
    }
  }
  const s = new Blob([b.subarray(0, ${packed.length})]).stream();
  const d = new Response(s.pipeThrough(new DecompressionStream("deflate")));
  const u = URL.createObjectURL(new Blob([await d.text()], { type: "text/javascript" }));
  const m = await import(u);
  URL.revokeObjectURL(u);
  return m.default;
}
export default await (globalThis["attention-explorer ${name}"] ??= load());
`;
	// Neither the letters nor the packed code hold white space.
	return lines.replace(/\s*([=;:,<+\-*/&(){}[\]])\s*/g, "$1");
}

/** What a part takes from the renderer that it comes to: `kit` in `src/kit.ts` has the same names. */
const LENT: Readonly<Record<string, readonly string[]>> = {
	preact: ["h", "render"],
	"preact/jsx-runtime": ["Fragment", "jsx", "jsxs"],
};
const SHARED = ["draw/colour", "draw/matrix", "ui/dom", "ui/words"];

/** A part of the renderer: a function of the kit, whose modules aren't built in. */
function part(): Plugin {
	const LENDS = "\0kit:";
	return {
		name: "part",
		enforce: "pre",
		async resolveId(source, importer) {
			if (source in LENT) return LENDS + source;
			const found = await this.resolve(source, importer, { skipSelf: true });
			const shared = SHARED.find((name) => found?.id.endsWith(`/src/${name}.ts`));
			return shared ? LENDS + shared : found;
		},
		load(id) {
			if (!id.startsWith(LENDS)) return null;
			const name = id.slice(LENDS.length);
			const exported = LENT[name] ?? exportsOf(`src/${name}.ts`);
			return `export const { ${exported.join(", ")} } = kit[${JSON.stringify(name)}];`;
		},
		generateBundle(_, bundle) {
			for (const chunk of Object.values(bundle))
				if (chunk.type === "chunk")
					chunk.code = `export default (kit) => {${chunk.code}return part();}`;
		},
	};
}

function exportsOf(file: string): string[] {
	const text = readFileSync(file, "utf-8");
	return [...text.matchAll(/^export (?:function|const|class) (\w+)/gm)].map(
		([, name]) => `${name}`,
	);
}

const PARTS = ["compare", "evidence", "neuron", "picture"];
/** Hosts of a single file: of explorers, and of an atlas. */
const PAGES = ["page", "atlas_page"];

/**
 * One file for explorers of any model, one for those of question answering, one for atlases, one for each part
 * that comes when its view is opened, and the hosts of a single file: --mode widget, qa, atlas, compare, evidence,
 * neuron, picture, page, atlas_page.
 */
export default defineConfig(({ mode }) => ({
	// What a part has goes over the channel, which packs it.
	plugins: PARTS.includes(mode) ? [part()] : PAGES.includes(mode) ? [] : [packed()],
	build: {
		outDir: "../widget/attention_explorer/static",
		// Emptying the folder would kill anywidget's hot reload.
		emptyOutDir: false,
		minify: true,
		// An ES library keeps its white space unless the bundler itself is told.
		rolldownOptions: { output: { minify: true, comments: false } },
		target: "es2022",
		lib: {
			entry: `src/${mode}.ts`,
			formats: [[...PARTS, ...PAGES].includes(mode) ? "iife" : "es"],
			name: "part",
			fileName: () => `${mode}.js`,
		},
	},
}));
