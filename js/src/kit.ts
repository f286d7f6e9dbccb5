import { h, render } from "preact";
import { Fragment, jsx, jsxs } from "preact/jsx-runtime";
import * as colour from "./draw/colour";
import * as matrix from "./draw/matrix";
import * as dom from "./ui/dom";
import * as words from "./ui/words";

/**
 * What parts of the renderer that come later take from it, by the names in `vite.config.ts`: they are
 * small then, and what a picture notes of canvases is noted in one place.
 */
export const kit = {
	preact: { h, render },
	"preact/jsx-runtime": { Fragment, jsx, jsxs },
	"draw/colour": colour,
	"draw/matrix": matrix,
	"ui/dom": dom,
	"ui/words": words,
} as const;

export type Kit = typeof kit;
