import type { PageTexts } from "../lib/i18n/texts.ts";

/** A page that says what went wrong, with a link home. */
export function ErrorPage(
  { t, title, text }: { t: PageTexts; title: string; text: string },
) {
  return (
    <main id="content">
      <section class="card">
        <h1>{title}</h1>
        <p>{text}</p>
        <a class="button" href="/">{t.error.home}</a>
      </section>
    </main>
  );
}
