import type { PageTexts } from "../lib/i18n/texts.ts";

/** Asks for the server's access key; a plain form, which works without a script. */
export function AccessForm({ t, problem }: { t: PageTexts; problem: string | null }) {
  return (
    <main id="content">
      <section class="card">
        <h1>{t.access.title}</h1>
        <p class="lead">{t.access.intro}</p>
        <form class="code-form" method="post" action="/access">
          <label for="access-key">{t.access.label}</label>
          <input
            id="access-key"
            name="key"
            type="password"
            autocomplete="current-password"
            maxlength={512}
            required
            data-field="access-key"
            aria-invalid={problem !== null}
            aria-describedby="access-problem"
          />
          <div class="below">
            <p id="access-problem" class="problem" role="alert" data-field="access-problem">
              {problem}
            </p>
          </div>
          <button type="submit" class="primary" data-action="enter">{t.access.enter}</button>
        </form>
        <p class="small">{t.access.joining}</p>
      </section>
    </main>
  );
}
