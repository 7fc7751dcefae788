import { setCookie } from "@std/http/cookie";
import { speechOf, TEXTS } from "../lib/i18n/catalogue.ts";
import { findLanguage, LANGUAGE_COOKIE } from "../lib/i18n/languages.ts";
import { readForm } from "../lib/server/form.ts";
import { define } from "../lib/server/state.ts";

/** Lifetime of the cookie: a year, in seconds. */
const KEPT = 31_536_000;

export const handler = define.handlers({
  GET: () => new Response(null, { status: 303, headers: { location: "/" } }),
  /**
   * Stores the choice; responds with the texts to a script, and with a redirect to its page to a
   * form.
   */
  async POST({ req }) {
    const form = await readForm(req);
    const language = findLanguage(form?.get("language") ?? "") ?? speechOf(req).language;
    const headers = new Headers();
    setCookie(headers, {
      name: LANGUAGE_COOKIE,
      value: language.tag,
      path: "/",
      maxAge: KEPT,
      sameSite: "Lax",
      httpOnly: true,
    });
    if (req.headers.get("accept")?.includes("text/html") !== true) {
      const { island, pages } = TEXTS[language.tag];
      return Response.json({ dir: language.dir, island, pages }, { headers });
    }
    const page = form?.get("page") ?? "/";
    headers.set("location", /^\/[a-z]*$/.test(page) ? page : "/");
    return new Response(null, { status: 303, headers });
  },
});
