import css from "./style/evidence.css?inline";
import { evidenceView } from "./views/evidence";
import type { ExtraView } from "./views/view";

/** The part that comes from the kernel when the evidence view is opened. */
export default (): ExtraView => ({ name: "evidence", css, mount: evidenceView });
