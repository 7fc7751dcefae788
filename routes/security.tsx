import { speechOf } from "../lib/i18n/catalogue.ts";
import { define } from "../lib/server/state.ts";

export default define.page(({ req }) => {
  const { security } = speechOf(req).pages;
  return (
    <main id="content" class="prose">
      <h1>{security.title}</h1>
      <div class="columns">
        {security.sections.map(({ title, points }) => (
          <section key={title}>
            <h2>{title}</h2>
            <ul>{points.map((point) => <li key={point}>{point}</li>)}</ul>
          </section>
        ))}
      </div>
    </main>
  );
});
