/**
 * What becomes of files that browsers show: taken, with the same colours, and clean; or refused with a reason that is true.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { type BrowserOptions, launchBrowser, withBrowser } from "../support/browser.ts";
import { caseBytes, type CaseName } from "../support/cases.ts";
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

Deno.test("what an <img> shows is taken as it is, with the same colours", () =>
  withPage(async (page) => {
    for (const name of WHOLE) {
      const outcome = await run(page, caseBytes(name));
      assert(outcome.ok, `${name}: ${JSON.stringify(outcome)}`);
      assertEquals([outcome.repainted, outcome.reducedFrom], [false, null], name);
      assertEquals([outcome.mean, outcome.largest], [0, 0], name);
    }
  }));

/** The marker of a JPEG's end, and the last chunk of a PNG. */
const ENDS: readonly (readonly [CaseName, readonly number[]])[] = [
  ["no_EOI.jpg", [0xff, 0xd9]],
  ["no_IEND.png", [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]],
];

Deno.test("a picture that lacks nothing but the marker of its end is taken, and has it afterwards", () =>
  withPage(async (page) => {
    for (const [name, end] of ENDS) {
      const outcome = await run(page, caseBytes(name));
      assert(outcome.ok, `${name}: ${JSON.stringify(outcome)}`);
      assertEquals(outcome.sent, base64(Uint8Array.from([...caseBytes(name), ...end])), name);
    }
  }));

Deno.test("a picture that is cut off in the middle is refused as that, with and without its end", () =>
  withPage(async (page) => {
    for (const name of [...WHOLE, ...ENDS.map(([name]) => name)]) {
      const bytes = caseBytes(name);
      const cut = bytes.subarray(0, bytes.length * 0.7);
      assertEquals(await run(page, cut), { ok: false, reason: "truncated" }, name);
    }
    // The last blocks alone.
    const jpeg = caseBytes("no_EOI.jpg");
    for (const less of [4, 10, 40]) {
      const outcome = await run(page, jpeg.subarray(0, jpeg.length - less));
      assertEquals(outcome, { ok: false, reason: "truncated" }, `JPEG less ${less}`);
    }
  }));
