import { speechOf } from "../lib/i18n/catalogue.ts";
import { build } from "../lib/server/build.ts";
import { define } from "../lib/server/state.ts";

export default define.page(({ config, req }) => {
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
        <section id="build">
          <h2>{security.build.title}</h2>
          {build === null || config.mode !== "production" ? <p>{security.build.none}</p> : (
            <ul>
              <li>
                {security.build.points[0]} <code class="hash" dir="ltr">{build}</code>
              </li>
              {security.build.points.slice(1).map((point) => <li key={point}>{point}</li>)}
            </ul>
          )}
        </section>
      </div>
    </main>
  );
});
