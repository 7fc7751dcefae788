import { App, staticFiles } from "fresh";
import { config } from "./lib/ops/config.ts";
import { secured } from "./lib/server/headers.ts";
import { repairJoin } from "./lib/server/join_path.ts";
import { refusePath } from "./lib/server/path.ts";
import type { State } from "./lib/server/state.ts";

/** The whole app; `_fresh/server.js` serves it in production, dev.ts during development. */
export const app = new App<State>()
  .use(({ req, next }) => repairJoin(req) ?? refusePath(req) ?? next())
  .use(staticFiles())
  .fsRoutes();

const { PUBLIC_ORIGIN, SIGNALING_ORIGIN, TLS_CERT } = config();
const handler = app.handler.bind(app);
app.handler = () => {
  const options = {
    publicOrigins: PUBLIC_ORIGIN,
    tls: TLS_CERT !== "",
    signaling: SIGNALING_ORIGIN,
  };
  const answer = secured(handler(), options);
  return async (req, info) => await answer(req, info);
};
