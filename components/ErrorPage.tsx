import { en } from "../lib/i18n/en.ts";

/** A page that says what went wrong, and the way back. */
export function ErrorPage({ title, text }: { title: string; text: string }) {
  return (
    <main id="content">
      <section class="card">
        <h1>{title}</h1>
        <p>{text}</p>
        <a class="button" href="/">{en.error.home}</a>
      </section>
    </main>
  );
}
