import { speechOf } from "../lib/i18n/catalogue.ts";
import { build } from "../lib/server/build.ts";
import { define } from "../lib/server/state.ts";

/** Shows the hash of the code that this server sends to browsers, and what that hash proves. */
export default define.page(({ config, req }) => {
  const { build: t } = speechOf(req).pages;
  const hash = config.mode === "production" ? build : null;
  return (
    <main id="content" class="prose">
      <h1>{t.title}</h1>
      {hash === null ? <p>{t.none}</p> : <p class="hash" dir="ltr" data-field="hash">{hash}</p>}
      {hash !== null && (
        <ul>
          {t.points.map((point) => <li key={point}>{point}</li>)}
        </ul>
      )}
    </main>
  );
});
