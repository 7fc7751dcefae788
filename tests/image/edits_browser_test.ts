/**
 * What was covered or cropped can't be recovered from what is sent: two pictures that differ only
 * there produce the same bytes.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { type Edits, UNTOUCHED } from "../../lib/image/edits.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { withBrowser } from "../support/browser.ts";
import type { Page } from "../support/puppeteer.ts";
import type {} from "./edits_page.ts";

async function withPage(body: (page: Page) => Promise<void>): Promise<void> {
  const entry = fileURLToPath(new URL("./edits_page.ts", import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const script = result.outputFiles?.[0]?.text() ?? "";
  await using site = serveBlank({
    scripts: { "/page.js": script },
    body: `<script type="module" src="/page.js"></script>`,
  });
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => "editing" in globalThis);
    await body(page);
  });
}

/** Around the secret; its edges lie between pixels. */
const SECRET = { x: 0.2995, y: 0.3991, width: 0.401, height: 0.202 };
const TYPES = ["image/jpeg", "image/webp", "image/png"];

const HIDING: readonly (readonly [string, Edits])[] = [
  ["under a black box", { ...UNTOUCHED, covers: [{ kind: "black", rect: SECRET }] }],
  ["under a black box that is turned", {
    turns: 1,
    crop: { x: 0.05, y: 0.1, width: 0.9, height: 0.8 },
    covers: [{ kind: "black", rect: SECRET }],
  }],
  ["under black and squares", {
    ...UNTOUCHED,
    covers: [{ kind: "pixels", rect: { x: 0.2, y: 0.3, width: 0.6, height: 0.4 } }, {
      kind: "black",
      rect: SECRET,
    }],
  }],
  ["outside of the crop", { ...UNTOUCHED, crop: { x: 0, y: 0, width: 0.3, height: 1 } }],
  ["outside of the crop, right beside it", {
    ...UNTOUCHED,
    turns: 3,
    crop: { x: 0.1, y: 0.601, width: 0.8, height: 0.399 },
  }],
];

Deno.test("what is covered in black or cropped is in no bit of what is sent", () =>
  withPage(async (page) => {
    const send = (secret: string, edits: Edits, type: string) =>
      page.evaluate((...args) => editing.send(...args), secret, edits, type);
    for (const type of TYPES) {
      assert(await send("4821", UNTOUCHED, type) !== await send("7350", UNTOUCHED, type), type);
      for (const [where, edits] of HIDING) {
        assertEquals(
          await send("light", edits, type),
          await send("dark", edits, type),
          `${where}, ${type}`,
        );
      }
    }
  }));

Deno.test("of a hundred numbers under squares at most twenty pictures remain", () =>
  withPage(async (page) => {
    const edits: Edits = { ...UNTOUCHED, covers: [{ kind: "pixels", rect: SECRET }] };
    const seen = new Map<string, number>();
    for (let i = 0; i < 100; i++) {
      const hash = await page.evaluate(
        (...args) => editing.send(...args),
        String(1_000 + 89 * i),
        edits,
        "image/png",
      );
      seen.set(hash, (seen.get(hash) ?? 0) + 1);
    }
    // They are not all the same, which is why the page says that black is what hides text.
    assert(seen.size <= 20, `${seen.size} of 100 differ`);
  }));

Deno.test("a picture is rotated clockwise, and cropped as requested", () =>
  withPage(async (page) => {
    const look = (edits: Edits, at: readonly [number, number]) =>
      page.evaluate((...args) => editing.look(...args), "", edits, at);
    const [red = 0, , blue = 0, width, height] = await look({ ...UNTOUCHED, turns: 1 }, [
      0.98,
      0.02,
    ]);
    // The red corner was at the top left.
    assert(red > 150 && blue < 100, `${red} ${blue}`);
    assertEquals([width, height], [302, 403]);
    const crop = { x: 0.5, y: 0.5, width: 0.5, height: 0.5 };
    const [, , cornerBlue = 0, wide, high] = await look({ ...UNTOUCHED, crop }, [0.98, 0.98]);
    assert(cornerBlue > 150);
    assertEquals([wide, high], [202, 151]);
  }));
