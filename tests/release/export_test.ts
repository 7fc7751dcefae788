/**
 * The static site: its files, and what hosts that can't set headers get all the same.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { toStatic } from "../../lib/release/export.ts";
import { TEXTS } from "../../lib/i18n/catalogue.ts";
import { LANGUAGES } from "../../lib/i18n/languages.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { runExport } from "../support/static_site.ts";

const SIGNALING = "https://signal.example";

const PAGE = '<html><head><meta charset="utf-8"/></head><body><a href="/build">b</a>' +
  '<script type="module" nonce="0f">import { boot } from "/_fresh/js/1/a.js";boot();</script>';

Deno.test("toStatic() names its scripts by their hash, and leaves no nonce", () => {
  const html = toStatic(PAGE, { signaling: SIGNALING });
  const [, code = ""] = /<script type="module">(.*?)<\/script>/s.exec(html) ?? [];
  const hash = createHash("sha256").update(code).digest("base64");
  assert(html.includes(`script-src 'self' 'sha256-${hash}'; `), html);
  assert(!html.includes("nonce"));
  assert(html.includes('<link rel="modulepreload" href="/_fresh/js/1/a.js"/>'));
  // The policy is before everything that it is for.
  assertMatch(html, /<head><meta charset="utf-8"\/><meta http-equiv="content-security-policy"/);
});

Deno.test("toStatic() lets a page connect to its host and to the signaling server only", () => {
  const html = toStatic(PAGE, { signaling: SIGNALING });
  assert(html.includes("connect-src 'self' wss://signal.example https://signal.example; "), html);
  assert(!/unsafe|\*/.test(html));
});

Deno.test("the export has every page in every language, and its texts", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { success, output } = await runExport(folder, { SIGNALING_ORIGIN: SIGNALING });
    assert(success, output);
    const read = (path: string) => Deno.readTextFileSync(`${folder}/${path}`);
    for (const { tag, dir } of LANGUAGES) {
      for (const page of ["", "join/", "security/", "build/", "offline/", "share/"]) {
        const html = read(`${tag}/${page}index.html`);
        const { language } = TEXTS[tag].island;
        assert(html.includes(`<html lang="${language}" dir="${dir}">`), `${tag}/${page}`);
        assert(html.includes('<meta http-equiv="content-security-policy"'), `${tag}/${page}`);
        assert(!/nonce=|<form[^>]*action="\/language"/.test(html), `${tag}/${page}`);
        assertLinksExist(folder, html);
      }
      const texts = JSON.parse(read(`texts/${tag}.json`));
      assertEquals([texts.dir, texts.island], [dir, TEXTS[tag].island]);
    }
    for (const page of ["index.html", "join/index.html", "404.html"]) {
      assert(read(page).includes('<html lang="en"'), page);
    }
    // A second export never mixes with what is there.
    const again = await runExport(folder, { SIGNALING_ORIGIN: SIGNALING });
    assert(!again.success);
    assertMatch(again.output, /is there already/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Fails if a page names a file of this site that is not there. */
function assertLinksExist(folder: string, html: string): void {
  for (const [, path = ""] of html.matchAll(/(?:href|src)="(\/[^"?#]*)/g)) {
    const { isFile } = Deno.statSync(folder + path);
    assert(isFile || Deno.statSync(`${folder}${path}/index.html`).isFile, path);
  }
}

Deno.test("the export says what it needs", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { success, output } = await runExport(folder, { SIGNALING_ORIGIN: "" });
    assert(!success);
    assertMatch(output, /set SIGNALING_ORIGIN/);
  } finally {
    await Deno.remove(folder);
  }
});
