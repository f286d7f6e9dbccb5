import { captionOf, fileName } from "./export/caption";
import { fileOf } from "./export/file";
import { numbersOf } from "./export/numbers";
import { pictureOf } from "./export/picture";
import { copyText } from "./ui/copy";

const taker = { captionOf, copyText, fileName, fileOf, numbersOf, pictureOf } as const;

export type Taker = typeof taker;

/** The part that comes from the kernel when something is taken away: a notebook doesn't carry it. */
export default (): Taker => taker;
