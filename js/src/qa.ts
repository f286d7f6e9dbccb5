import { hosted } from "./hosted";
import css from "./style/qa.css?inline";
import { qaView } from "./views/qa";

/** Explorers of question answering carry its view; the others don't. */
export default hosted({ name: "qa", css, mount: qaView });
