import { asset } from "fresh/runtime";
import { Mark } from "../components/Mark.tsx";
import { en } from "../lib/i18n/en.ts";
import { define } from "../lib/server/state.ts";

export default define.page(({ Component, url }) => (
  <html lang={en.language}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
      <meta name="referrer" content="no-referrer" />
      <meta name="color-scheme" content="light dark" />
      <meta name="theme-color" content="#f5f2ec" media="(prefers-color-scheme: light)" />
      <meta name="theme-color" content="#151311" media="(prefers-color-scheme: dark)" />
      <meta name="description" content={en.send.intro} />
      <title>{en.name}</title>
      <link rel="icon" type="image/svg+xml" href={asset("/favicon.svg")} />
      <link rel="stylesheet" href={asset("/styles.css")} />
    </head>
    <body>
      <a class="skip" href="#content">{en.skip}</a>
      <header class="site">
        <a href="/" class="brand">
          <Mark />
          <span>{en.name}</span>
        </a>
      </header>
      <Component />
      <footer class="site">
        <noscript>{en.error.noScript}</noscript>
        {url.pathname === "/security"
          ? <a href="/">{en.footer.home}</a>
          : <a href="/security">{en.footer.guarantees}</a>}
      </footer>
    </body>
  </html>
));
