import type { RouteConfig } from "fresh";
import { Mark } from "../components/Mark.tsx";
import { speechOf } from "../lib/i18n/catalogue.ts";
import { define } from "../lib/server/state.ts";

/** Without the frame of other pages: its links lead to pages that can't be reached. */
export const config: RouteConfig = { skipAppWrapper: true };

/** Reloads the requested URL with its fragment, which holds a link's secret. */
const AGAIN = `const again = () =>
  location.pathname === "/offline" ? location.replace("/") : location.reload();
document.querySelector("button").addEventListener("click", again);
addEventListener("online", again);`;

/** The page that the service worker caches for when there is no connection. */
export default define.page(({ req }) => {
  const { language, island, pages: t } = speechOf(req);
  return (
    <html lang={island.language} dir={language.dir}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${t.offline.title} · ${t.name}`}</title>
        <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
        <link rel="stylesheet" href="/styles.css?offline" />
      </head>
      <body>
        <header class="site">
          <p class="brand">
            <Mark />
            <span>{t.name}</span>
          </p>
        </header>
        <main id="content">
          <section class="card" data-field="offline">
            <h1>{t.offline.title}</h1>
            <p>{t.offline.text}</p>
            <button type="button" class="primary" data-action="reload">{t.offline.again}</button>
          </section>
        </main>
        <script type="module" dangerouslySetInnerHTML={{ __html: AGAIN }} />
      </body>
    </html>
  );
});
