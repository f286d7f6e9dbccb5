import base from "./base.css?inline";
import heads from "./heads.css?inline";
import legend from "./legend.css?inline";
import matrix from "./matrix.css?inline";
import messages from "./messages.css?inline";
import model from "./model.css?inline";
import readout from "./readout.css?inline";
import steps from "./steps.css?inline";
import take from "./take.css?inline";
import text from "./text.css?inline";
import toolbar from "./toolbar.css?inline";

/** All styles of a view; what every room shares comes first. */
export const css = [
	base,
	toolbar,
	take,
	legend,
	messages,
	text,
	steps,
	heads,
	matrix,
	model,
	readout,
].join("");
