/**
 * What happens to files that browsers show: accepted, with the same colors, and clean; or refused
 * with a true reason.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { type BrowserOptions, launchBrowser, withBrowser } from "../support/browser.ts";
import { caseBytes, type CaseName } from "../support/cases.ts";
import { findFirefox } from "../support/firefox.ts";
import { flatPng, withExif } from "../support/image_bytes.ts";
import type { Page } from "../support/puppeteer.ts";
import type {} from "./prepare_page.ts";

type Body = (page: Page) => Promise<void>;

async function withPage(body: Body, engine: BrowserOptions["engine"] = "chromium"): Promise<void> {
  const entry = fileURLToPath(new URL("./prepare_page.ts", import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const script = result.outputFiles?.[0]?.text() ?? "";
  await using site = serveBlank({
    scripts: { "/page.js": script },
    body: `<script type="module" src="/page.js"></script>`,
  });
  const open = async ({ newPage }: { newPage: () => Promise<{ page: Page }> }) => {
    const { page } = await newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => "preparing" in globalThis);
    await body(page);
  };
  if (engine === "chromium") return await withBrowser((b) => open({ newPage: () => b.newPage() }));
  await using browser = await launchBrowser({ engine });
  await open({ newPage: () => browser.newPage() });
}

function base64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

function run(page: Page, bytes: Uint8Array | string) {
  const file = typeof bytes === "string" ? bytes : base64(bytes);
  return page.evaluate((...args) => preparing.run(...args), file);
}

const WHOLE: readonly CaseName[] = [
  "plain_lossy.webp",
  "plain_lossless.webp",
  "two_zero_bytes_before_DQT.jpg",
  "plain_text_extension.gif",
  "display_profile.png",
];

Deno.test("what an <img> shows is accepted unchanged, with the same colors", () =>
  withPage(async (page) => {
    for (const name of WHOLE) {
      const outcome = await run(page, caseBytes(name));
      assert(outcome.ok, `${name}: ${JSON.stringify(outcome)}`);
      assertEquals([outcome.repainted, outcome.reducedFrom], [null, null], name);
      assertEquals([outcome.mean, outcome.largest], [0, 0], name);
    }
  }));

/** The end marker of a JPEG, and the last chunk of a PNG. */
const ENDS: readonly (readonly [CaseName, readonly number[]])[] = [
  ["no_EOI.jpg", [0xff, 0xd9]],
  ["no_IEND.png", [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]],
];

Deno.test("a picture that lacks only its end marker is accepted, and has it afterwards", () =>
  withPage(async (page) => {
    for (const [name, end] of ENDS) {
      const outcome = await run(page, caseBytes(name));
      assert(outcome.ok, `${name}: ${JSON.stringify(outcome)}`);
      assertEquals(outcome.sent, base64(Uint8Array.from([...caseBytes(name), ...end])), name);
    }
  }));

Deno.test({
  name: "firefox: a JPEG that is sent in several parts of its file is decoded, and stays as it is",
  ignore: await findFirefox() === null,
  fn: () =>
    withPage(async (page) => {
      const whole = Uint8Array.from([...caseBytes("no_EOI.jpg"), 0xff, 0xd9]);
      const outcome = await run(
        page,
        withExif(whole, { orientation: 6, latitude: 1, longitude: 2 }),
      );
      assert(outcome.ok, JSON.stringify(outcome));
      assertEquals([outcome.repainted, outcome.mean], [null, 0]);
      assertEquals(outcome.removed.includes("location"), true);
    }, "firefox"),
});

Deno.test("a header that only the browser can read is redrawn, and nothing else remains", () =>
  withPage(async (page) => {
    const whole = caseBytes("no_EOI.jpg");
    // A comment whose length is less than the two bytes that the length itself takes.
    const comment = [0xff, 0xfe, 0, 1, ...new TextEncoder().encode("PLANTED")];
    const file = Uint8Array.from([...whole.slice(0, 2), ...comment, ...whole.slice(2), 0xff, 0xd9]);
    const outcome = await run(page, file);
    assert(outcome.ok, JSON.stringify(outcome));
    assertEquals(outcome.repainted, "whole");
    assert(outcome.mean <= 1, `mean difference ${outcome.mean}`);
    assert(!atob(outcome.sent).includes("PLANTED"));
  }));

Deno.test("a truncated picture is refused as such, with and without an end marker", () =>
  withPage(async (page) => {
    for (const name of [...WHOLE, ...ENDS.map(([name]) => name)]) {
      const bytes = caseBytes(name);
      const cut = bytes.subarray(0, bytes.length * 0.7);
      assertEquals(await run(page, cut), { ok: false, reason: "truncated" }, name);
    }
    // Only the last blocks.
    const jpeg = caseBytes("no_EOI.jpg");
    for (const less of [4, 10, 40]) {
      const outcome = await run(page, jpeg.subarray(0, jpeg.length - less));
      assertEquals(outcome, { ok: false, reason: "truncated" }, `JPEG less ${less}`);
    }
  }));

const le = (value: number, length: number) =>
  Array.from({ length }, (_, i) => Math.floor(value / 256 ** i) & 0xff);

/** A BMP of 4 × 2 pixels, 24 bits each, rows from the bottom up. */
function bmp(planted = ""): Uint8Array {
  const rows = Array.from({ length: 24 }, (_, i) => (i * 47) % 256);
  const head = [...le(40, 4), ...le(4, 4), ...le(2, 4), ...le(1, 2), ...le(24, 2)];
  const rest = [...le(0, 4), ...le(24, 4), ...new Array<number>(16).fill(0)];
  const tail = [...new TextEncoder().encode(planted)];
  return Uint8Array.from(
    [0x42, 0x4d, ...le(78, 4), ...le(0, 4), ...le(54, 4)].concat(head, rest, rows, tail),
  );
}

/** An icon that holds one PNG. */
function icon(png: Uint8Array, side: number): Uint8Array {
  const entry = [side, side, 0, 0, ...le(1, 2), ...le(32, 2), ...le(png.length, 4), ...le(22, 4)];
  return Uint8Array.from([0, 0, 1, 0, 1, 0, ...entry, ...png]);
}

Deno.test("BMP and icons are redrawn, pixel for pixel, and nothing else of them remains", () =>
  withPage(async (page) => {
    const png = await page.evaluate((...args) => preparing.make(...args), 64, 64, "image/png");
    const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
    for (const [name, file] of [["BMP", bmp("planted")], ["icon", icon(bytes, 64)]] as const) {
      const outcome = await run(page, file);
      assert(outcome.ok, `${name}: ${JSON.stringify(outcome)}`);
      assertEquals([outcome.type, outcome.repainted, outcome.reducedFrom], [
        "image/png",
        "whole",
        null,
      ]);
      assertEquals([outcome.mean, outcome.largest], [0, 0], name);
      assert(!atob(outcome.sent).includes("planted"), name);
      const look = await page.evaluate((...args) => preparing.look(...args), base64(file));
      assertEquals(look, name === "BMP" ? "4×2" : "64×64");
    }
    const cut = await run(page, bmp().subarray(0, 20));
    assertEquals(cut, { ok: false, reason: "truncated" });
  }));

Deno.test("a screenshot longer than canvases is scaled to fit, in any case", () =>
  withPage(async (page) => {
    const long = flatPng(1_080, 24_000);
    for (const fullSize of [false, true]) {
      const outcome = await page.evaluate(
        (...args) => preparing.run(...args),
        base64(long),
        fullSize,
      );
      assert(outcome.ok, JSON.stringify(outcome));
      const most = fullSize ? 40_000_000 : 16_000_000;
      assert(outcome.height <= 16_384 && outcome.width * outcome.height <= most);
      assert(Math.abs(outcome.height / outcome.width - 24_000 / 1_080) < 0.1);
      assertEquals([outcome.reducedFrom, outcome.repainted], [1_080 * 24_000, null]);
      assert(outcome.mean < 4, `${outcome.mean}`);
    }
  }));

Deno.test("48 megapixels are scaled down; at full size they are the most that may be sent", () =>
  withPage(async (page) => {
    // Encoded as 40 megapixels, which canvases accept, and declared as more: decoders fill in the
    // rest.
    const size = [8_000, 5_000, "image/jpeg"] as const;
    const jpeg = await page.evaluate((...args) => preparing.make(...args), ...size);
    const bytes = Uint8Array.from(atob(jpeg), (character) => character.charCodeAt(0));
    const frame = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0);
    bytes.set([6_000 >> 8, 6_000 & 0xff], frame + 5);
    for (const fullSize of [false, true]) {
      const outcome = await page.evaluate(
        (...args) => preparing.run(...args),
        base64(bytes),
        fullSize,
      );
      assert(outcome.ok, JSON.stringify(outcome));
      const pixels = outcome.width * outcome.height;
      const most = fullSize ? 40_000_000 : 16_000_000;
      assert(pixels <= most && pixels > 0.98 * most, `${outcome.width}×${outcome.height}`);
      assertEquals([outcome.reducedFrom, outcome.repainted], [48_000_000, null]);
    }
  }));
