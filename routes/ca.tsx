import { HttpError, page } from "fresh";
import { speechOf } from "../lib/i18n/catalogue.ts";
import { authority } from "../lib/server/authority.ts";
import { define } from "../lib/server/state.ts";

/** Only where this server has an authority of its own, as `deno task lan` makes one. */
export const handler = define.handlers({
  GET() {
    if (authority === null) throw new HttpError(404);
    return page();
  },
});

export default define.page<typeof handler>(({ req }) => {
  const { ca: t } = speechOf(req).pages;
  return (
    <main id="content" class="prose">
      <h1>{t.title}</h1>
      <p>{t.intro}</p>
      <p>
        <a class="button primary" href="/ca.crt" data-action="install">{t.install}</a>
      </p>
      <ul>
        {t.points.map((point) => <li key={point}>{point}</li>)}
      </ul>
    </main>
  );
});
