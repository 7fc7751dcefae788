import { App, staticFiles } from "fresh";
import type { State } from "./lib/server/state.ts";

/** The whole app; `_fresh/server.js` serves it in production, dev.ts while it is being worked on. */
export const app = new App<State>()
  .use(staticFiles())
  .fsRoutes();
