import css from "./style/neuron.css?inline";
import { neuronView } from "./views/neuron";
import type { ExtraView } from "./views/view";

/** The part that comes from the kernel when the neuron view is opened: only a kernel has its numbers. */
export default (): ExtraView => ({ name: "neuron", css, mount: neuronView });
