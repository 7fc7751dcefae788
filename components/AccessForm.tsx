import { en } from "../lib/i18n/en.ts";

/** Asks for the server's access key; a plain form, which works without a script. */
export function AccessForm({ problem }: { problem: string | null }) {
  return (
    <main id="content">
      <section class="card">
        <h1>{en.access.title}</h1>
        <p class="lead">{en.access.intro}</p>
        <form class="code-form" method="post" action="/access">
          <label for="access-key">{en.access.label}</label>
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
          <button type="submit" class="primary" data-action="enter">{en.access.enter}</button>
        </form>
        <p class="small">{en.access.joining}</p>
      </section>
    </main>
  );
}
