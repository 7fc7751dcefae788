import { HttpError, page } from "fresh";
import { ErrorPage } from "../components/ErrorPage.tsx";
import { speechOf } from "../lib/i18n/catalogue.ts";
import { log } from "../lib/ops/log.ts";
import { define } from "../lib/server/state.ts";

export const handler = define.handlers((ctx) => {
  const { error } = ctx;
  const status = error instanceof HttpError ? error.status : 500;
  // Only the error's name: its message could hold what a visitor sent.
  if (status >= 500) {
    log.error("request failed", { reason: error instanceof Error ? error.name : "unknown" });
  }
  return page(undefined, { status });
});

export default define.page<typeof handler>(({ req }) => {
  const { pages: t } = speechOf(req);
  return <ErrorPage t={t} title={t.error.title} text={t.error.text} />;
});
