import { hosted } from "./hosted";

export default hosted(null);
