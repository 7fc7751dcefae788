import { asset } from "fresh/runtime";
import { CodeChanged } from "../components/CodeChanged.tsx";
import { LanguageForm } from "../components/LanguageForm.tsx";
import { LanguageLinks } from "../components/LanguageLinks.tsx";
import { Mark } from "../components/Mark.tsx";
import { speechOf } from "../lib/i18n/catalogue.ts";
import { shortBuild } from "../lib/i18n/format.ts";
import { build } from "../lib/server/build.ts";
import { config as settings } from "../lib/ops/config.ts";
import { isExported } from "../lib/server/site.ts";
import { define } from "../lib/server/state.ts";

/** Browsers without WebRTC can take part if the server with the rooms has an encrypted relay. */
const relayed = settings().RELAY === "on";

const signaling = settings().SIGNALING_ORIGIN;

/** Where chat programs find the picture of a link's card: they need its whole address. */
const [origin = ""] = settings().PUBLIC_ORIGIN;

export default define.page(({ Component, config, req, url }) => {
  const { language, island, pages: t } = speechOf(req);
  // A development server does not serve the build that may be left in _fresh/.
  const hash = config.mode === "production" ? build : null;
  return (
    <html lang={island.language} dir={language.dir}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <meta name="theme-color" content="#f5f2ec" media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content="#151311" media="(prefers-color-scheme: dark)" />
        <meta name="description" content={t.description} />
        <meta property="og:type" content="website" />
        <meta
          property="og:title"
          content={url.pathname === "/join" ? island.view.title : t.name}
        />
        <meta property="og:description" content={t.description} />
        <meta name="twitter:card" content="summary_large_image" />
        {origin !== "" && <meta property="og:image" content={`${origin}/card.png`} />}
        <meta name="apple-mobile-web-app-title" content={t.name} />
        {hash !== null && <meta name="build" content={hash} />}
        {signaling !== "" && <meta name="signaling" content={signaling} />}
        {relayed && <meta name="relay" content="on" />}
        <title>{t.name}</title>
        <link rel="icon" type="image/svg+xml" href={asset("/favicon.svg")} />
        <link rel="apple-touch-icon" href={asset("/icons/apple-touch-180.png")} />
        <link rel="manifest" href="/manifest.webmanifest" />
        <link
          rel="preload"
          as="font"
          type="font/woff2"
          href={asset("/fonts/literata-latin-600.woff2")}
          crossorigin="anonymous"
        />
        <link rel="stylesheet" href={asset("/styles.css")} />
      </head>
      <body>
        <a class="skip" href="#content" data-text="skip">{t.skip}</a>
        <header class="site">
          <a href="/" class="brand">
            <Mark />
            <span>{t.name}</span>
          </a>
          {hash !== null && <CodeChanged t={t} />}
        </header>
        <Component />
        <footer class="site">
          <noscript>{t.error.noScript}</noscript>
          {url.pathname === "/security"
            ? <a href="/" data-text="footer.home">{t.footer.home}</a>
            : <a href="/security" data-text="footer.guarantees">{t.footer.guarantees}</a>}
          {isExported()
            ? <LanguageLinks t={t} page={url.pathname} />
            : <LanguageForm t={t} chosen={language.tag} page={url.pathname} />}
          {hash !== null && (
            <p class="build" data-field="build" title={hash}>
              <span data-text="footer.build">{t.footer.build}</span>{" "}
              <a href="/build" dir="ltr">{shortBuild(hash)}</a>
            </p>
          )}
        </footer>
      </body>
    </html>
  );
});
