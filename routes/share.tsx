import { page } from "fresh";
import { ErrorPage } from "../components/ErrorPage.tsx";
import { speechOf } from "../lib/i18n/catalogue.ts";
import { define } from "../lib/server/state.ts";

/**
 * The service worker takes pictures from a share sheet. If it is missing, they arrive here: the
 * response does not wait for them, and nothing of the form is read.
 */
export const handler = define.handlers({
  GET: () => page(),
  async POST({ req }) {
    await req.body?.cancel();
    return new Response(null, { status: 303, headers: { location: "/share" } });
  },
});

export default define.page<typeof handler>(({ req }) => {
  const { pages: t } = speechOf(req);
  return <ErrorPage t={t} title={t.share.title} text={t.share.text} />;
});
