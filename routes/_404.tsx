import { page } from "fresh";
import { ErrorPage } from "../components/ErrorPage.tsx";
import { speechOf } from "../lib/i18n/catalogue.ts";
import { define } from "../lib/server/state.ts";

// The status is set here because upstream Fresh renders a _404 page with status 200 otherwise.
export const handler = define.handlers(() => page(undefined, { status: 404 }));

export default define.page<typeof handler>(({ req }) => {
  const { pages: t } = speechOf(req);
  return <ErrorPage t={t} title={t.error.notFoundTitle} text={t.error.notFound} />;
});
