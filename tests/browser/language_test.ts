/**
 * Pages in the language that their reader wants, and a change of it that loses nothing.
 *
 * @module
 */
import { TEXTS } from "../../lib/i18n/catalogue.ts";
import { LANGUAGES } from "../../lib/i18n/languages.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { startApp } from "../support/app.ts";
import { withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";

Deno.test("the server renders each page in the language that is asked for, from the side where it begins", async () => {
  await using app = await startApp();
  for (const { tag, dir } of LANGUAGES) {
    for (const path of ["/", "/join", "/security", "/nothing"]) {
      const headers = { "accept-language": `${tag};q=0.9, xx` };
      const response = await fetch(app.url + path, { headers });
      const html = await response.text();
      assert(html.includes(`<html lang="${tag}" dir="${dir}"`), `${path} in ${tag}`);
      assert(response.headers.get("vary")?.includes("accept-language") === true);
      const { island: texts, pages } = TEXTS[tag];
      const words: Record<string, string> = {
        "/": texts.send.choose,
        "/join": texts.code.title,
        "/security": pages.security.title,
        "/nothing": pages.error.notFoundTitle,
      };
      // Without a script nothing is known of a fragment: the page that asks for the button is
      // rendered.
      const expected = path === "/join" ? texts.view.title : words[path] ?? "";
      assert(html.includes(expected.replaceAll("&", "&amp;")), `${path} in ${tag}: ${expected}`);
    }
  }
});

Deno.test("who changes the language in the middle of a session loses nothing of it", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage(), app.url);
    const link = await sender.offer(await fixture("small"), { seconds: 60 });
    const viewer = await Viewer.open(await browser.newPage(), link);
    for (const person of [sender, viewer]) {
      await person.page.bringToFront();
      await person.page.select("form[data-language] select", "ar");
      await person.waitFor(
        "Arabic",
        () => document.documentElement.lang === "ar" && document.documentElement.dir === "rtl",
      );
    }
    const { island: texts } = TEXTS.ar;
    assert((await sender.text()).includes(texts.status.waiting));
    assertEquals(await sender.shareLink(), link);
    await viewer.receive();
    assert((await viewer.text()).includes(texts.view.deliveredTitle));
    const { width, seen } = await viewer.page.evaluate(() => ({
      width: document.documentElement.clientWidth,
      seen: document.documentElement.scrollWidth,
    }));
    assertEquals(seen, width);
    // Kept for the next time.
    await viewer.page.goto(`${app.url}/join`);
    assertEquals(await viewer.page.evaluate(() => document.documentElement.lang), "ar");
  });
});

Deno.test("no page is wider than a narrow phone in any language", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    // Each page fetches something once it is there; it is left before that came, and breaks it off.
    const { page } = await browser.newPage({ allowErrors: [/net::ERR_(FAILED|ABORTED)/] });
    await page.setViewport({ width: 320, height: 640, deviceScaleFactor: 1 });
    const wide: string[] = [];
    for (const { tag } of LANGUAGES) {
      await page.setExtraHTTPHeaders({ "accept-language": tag });
      for (const path of ["/", "/join", "/security", "/build"]) {
        await page.goto(app.url + path);
        const width = await page.evaluate(async () => {
          const measure = () => document.documentElement.scrollWidth;
          // Laid out once, a page asks for its fonts, whose letters are of another width; to leave
          // it sooner would break them off.
          measure();
          await document.fonts.ready;
          return measure();
        });
        if (width > 320) wide.push(`${path} in ${tag}: ${width}`);
      }
    }
    assertEquals(wide, []);
  });
});

Deno.test("the form works without a script, and leads nowhere else", async () => {
  await using app = await startApp();
  const post = (body: string) =>
    fetch(`${app.url}/language`, {
      method: "POST",
      redirect: "manual",
      headers: { accept: "text/html", "content-type": "application/x-www-form-urlencoded" },
      body,
    });
  const cases = [
    ["language=he&page=/security", "he", "/security"],
    ["language=xx&page=https://evil.example", "en", "/"],
    ["language=de&page=//evil.example", "de", "/"],
  ] as const;
  for (const [body, language, page] of cases) {
    const response = await post(body);
    await response.body?.cancel();
    assertEquals([response.status, response.headers.get("location")], [303, page]);
    assert(response.headers.get("set-cookie")?.startsWith(`language=${language};`) === true);
  }
});
