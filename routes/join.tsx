import View from "../islands/View.tsx";
import { define } from "../lib/server/state.ts";

export default define.page(() => <View />);
