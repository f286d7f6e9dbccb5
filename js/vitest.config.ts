import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

const quiet = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

export default defineConfig({
	// Found only while the tests run, they would reload the page under them.
	optimizeDeps: { include: ["preact", "preact/jsx-runtime", "preact/jsx-dev-runtime", "axe-core"] },
	test: {
		include: ["test/**/*.test.{ts,tsx}"],
		api: { host: "127.0.0.1" },
		browser: {
			enabled: true,
			headless: true,
			screenshotFailures: false,
			provider: playwright({
				launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: quiet },
			}),
			instances: [{ browser: "chromium", viewport: { width: 1200, height: 900 } }],
		},
	},
});
