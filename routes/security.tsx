import { enSecurity } from "../lib/i18n/en_security.ts";
import { define } from "../lib/server/state.ts";

export default define.page(() => (
  <main id="content" class="prose">
    <h1>{enSecurity.title}</h1>
    <div class="columns">
      {enSecurity.sections.map(({ title, points }) => (
        <section key={title}>
          <h2>{title}</h2>
          <ul>{points.map((point) => <li key={point}>{point}</li>)}</ul>
        </section>
      ))}
    </div>
  </main>
));
