import Send from "../islands/Send.tsx";
import { define } from "../lib/server/state.ts";

export default define.page(() => <Send />);
