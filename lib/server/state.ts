import { createDefine } from "fresh";

/** What middlewares pass to the handlers and pages of the same request. */
// deno-lint-ignore no-empty-interface -- filled as middlewares come
export interface State {}

/** Gives handlers, pages and middlewares their types. */
export const define = createDefine<State>();
