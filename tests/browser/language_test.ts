/**
 * Pages in the reader's language, and changing it without losing anything.
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

Deno.test("the server renders each page in the requested language and direction", async () => {
  await using app = await startApp();
  for (const { tag, dir } of LANGUAGES) {
    for (const path of ["/", "/join", "/security", "/nothing"]) {
      const headers = { "accept-language": `${tag};q=0.9, xx` };
      const response = await fetch(app.url + path, { headers });
      const html = await response.text();
      const { island: texts, pages } = TEXTS[tag];
      assert(html.includes(`<html lang="${texts.language}" dir="${dir}"`), `${path} in ${tag}`);
      assert(response.headers.get("vary")?.includes("accept-language") === true);
      const words: Record<string, string> = {
        "/": texts.send.choose,
        "/join": texts.code.title,
        "/security": pages.security.title,
        "/nothing": pages.error.notFoundTitle,
      };
      // Without scripts the fragment is unknown: the page with the button is rendered.
      const expected = path === "/join" ? texts.view.title : words[path] ?? "";
      assert(html.includes(expected.replaceAll("&", "&amp;")), `${path} in ${tag}: ${expected}`);
    }
  }
});

Deno.test("changing the language in the middle of a session loses nothing", async () => {
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
    // An address and a code run from left to right here, too.
    const directions = await sender.page.evaluate(() =>
      ["share-link", "share-code"].map((name) => {
        const element = document.querySelector(`[data-field=${name}]`);
        return element === null ? "" : getComputedStyle(element).direction;
      })
    );
    assertEquals(directions, ["ltr", "ltr"]);
    await viewer.receive();
    assert((await viewer.text()).includes(texts.view.deliveredTitle));
    const { width, seen } = await viewer.page.evaluate(() => ({
      width: document.documentElement.clientWidth,
      seen: document.documentElement.scrollWidth,
    }));
    assertEquals(seen, width);
    // Kept for the next visit.
    await viewer.page.goto(`${app.url}/join`);
    assertEquals(await viewer.page.evaluate(() => document.documentElement.lang), "ar");
  });
});

Deno.test("no page is wider than a narrow phone in any language", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    // Each page fetches something after loading; leaving it earlier aborts that request.
    const { page } = await browser.newPage({ allowErrors: [/net::ERR_(FAILED|ABORTED)/] });
    await page.setViewport({ width: 320, height: 640, deviceScaleFactor: 1 });
    const wide: string[] = [];
    for (const { tag } of LANGUAGES) {
      await page.setExtraHTTPHeaders({ "accept-language": tag });
      for (const path of ["/", "/join", "/security", "/build"]) {
        await page.goto(app.url + path);
        const width = await page.evaluate(async () => {
          const measure = () => document.documentElement.scrollWidth;
          // Once laid out, a page requests its fonts, whose letters have other widths; leaving
          // earlier would abort that.
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

Deno.test("the form works without scripts, and leads nowhere else", async () => {
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
