import css from "./style/compare.css?inline";
import { compareView } from "./views/compare";
import type { ExtraView } from "./views/view";

/** The part that comes from the kernel when two traces are compared: it has both texts and both rows. */
export default (): ExtraView => ({ name: "compare", css, mount: compareView });
