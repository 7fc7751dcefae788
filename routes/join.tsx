import View from "../islands/View.tsx";
import { speechOf } from "../lib/i18n/catalogue.ts";
import { define } from "../lib/server/state.ts";

export default define.page(({ req }) => <View texts={speechOf(req).island} />);
