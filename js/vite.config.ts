import { defineConfig } from "vite";

export default defineConfig({
	build: {
		outDir: "../widget/attention_explorer/static",
		// Emptying the folder would kill anywidget's hot reload.
		emptyOutDir: false,
		// An ES library keeps its white space unless the bundler itself is told.
		rolldownOptions: { output: { minify: true } },
		target: "es2022",
		lib: { entry: "src/widget.ts", formats: ["es"], fileName: () => "widget.js" },
	},
});
