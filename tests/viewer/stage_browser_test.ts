import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { SCREENS, type TestPage, withBrowser } from "../support/browser.ts";
import { fixture, type FixtureName } from "../support/fixtures.ts";
import type { Corners, Rgb } from "../support/image_bytes.ts";
import type { ImageType } from "../../lib/protocol/control.ts";
import type { CanvasLook, DecodeTask, Outcome } from "./stage_page.ts";

const BODY = `<meta name="viewport" content="width=device-width"><input type="file" hidden>
<div style="position:fixed;inset:20px"><canvas></canvas></div>
<script type="module" src="/page.js"></script>`;
// What design.md promises for the real page, except for the inline style.
const CSP = "default-src 'none'; script-src 'self'; worker-src 'self'; img-src 'none'; " +
  "style-src 'unsafe-inline'; require-trusted-types-for 'script'; trusted-types workers";
const NO_DECODER = `const refuse = () => { throw new Error("decoded") };
globalThis.createImageBitmap = refuse; globalThis.ImageDecoder = refuse;`;

async function bundle(path: string): Promise<string> {
  const entry = fileURLToPath(new URL(path, import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const [file] = result.outputFiles ?? [];
  assert(file !== undefined, JSON.stringify(result.errors));
  return file.text();
}

async function withPage(
  body: (page: TestPage) => Promise<void>,
  screen: "desktop" | "phone" = "desktop",
): Promise<void> {
  const worker = await bundle("../../lib/image/picture_worker.ts");
  await using site = serveBlank({
    scripts: {
      "/page.js": await bundle("./stage_page.ts"),
      "/picture_worker.js": worker,
      "/without_image_decoder.js": `delete globalThis.ImageDecoder;${worker}`,
      "/without_any_decoder.js": NO_DECODER + worker,
      "/mute.js": "",
      "/broken.js": `throw new Error("broken worker")`,
    },
    body: BODY,
    csp: CSP,
  });
  await withBrowser(async (browser) => {
    // The blank page's icon is a data: URL, which img-src 'none' refuses.
    const page = await browser.newPage({ screen, allowErrors: [/'data:,'/, /broken worker/] });
    await page.page.goto(site.url);
    await page.page.waitForFunction(() => "harness" in globalThis);
    await body(page);
  });
}

async function choose({ page }: TestPage, name: FixtureName): Promise<void> {
  const input = await page.waitForSelector("input[type=file]");
  assert(input !== null);
  await input.uploadFile((await fixture(name)).path);
}

async function prepare(page: TestPage, name: FixtureName): Promise<Outcome> {
  await choose(page, name);
  return await page.page.evaluate(() => harness.prepare());
}

async function decode(page: TestPage, name: FixtureName, task: DecodeTask): Promise<Outcome> {
  await choose(page, name);
  return await page.page.evaluate((task) => harness.decode(task), task);
}

async function show(
  page: TestPage,
  name: FixtureName,
  options: { mark?: string; covered?: boolean; reducedMotion?: boolean } = {},
): Promise<number | null> {
  await choose(page, name);
  return await page.page.evaluate((options) => harness.show(options), options);
}

function stage({ page }: TestPage, action: "cover" | "uncover" | "wipe"): Promise<void> {
  return page.evaluate((action) => harness.stage(action), action);
}

function look({ page }: TestPage): Promise<CanvasLook> {
  return page.evaluate(() => harness.look());
}

function assertCorners(found: readonly (readonly number[])[], wanted: Corners): void {
  const order: readonly Rgb[] = [
    wanted.topLeft,
    wanted.topRight,
    wanted.bottomRight,
    wanted.bottomLeft,
  ];
  const near = order.every((rgb, i) =>
    rgb.every((value, channel) => Math.abs(value - (found[i]?.[channel] ?? -999)) < 48)
  );
  assert(near, `Corners are ${JSON.stringify(found)} instead of ${JSON.stringify(order)}`);
}

function refusal(outcome: Outcome): string {
  return outcome.ok ? "accepted" : outcome.reason;
}

Deno.test("decoding applies EXIF orientation and takes a GIF's first frame, both ways", () =>
  withPage(async (page) => {
    const cases: readonly [FixtureName, ImageType][] = [
      ["small", "image/jpeg"],
      ["exif", "image/jpeg"],
      ["webp", "image/webp"],
      ["avif", "image/avif"],
      ["gif", "image/gif"],
      ["flat", "image/png"],
    ];
    for (const worker of ["/picture_worker.js", "/without_image_decoder.js"]) {
      for (const [name, type] of cases) {
        const { width, height, corners } = await fixture(name);
        const full = await decode(page, name, { type, worker });
        assert(full.ok, `${name}: ${refusal(full)}`);
        assertEquals(full.size, [width, height], name);
        assertCorners(full.corners, corners);
        // 60 of 960 is one of Chromium's eighths for JPEG, then scaled by a canvas.
        const reduced = await decode(page, name, { type, worker, maxWidth: 60 });
        assert(reduced.ok, `${name}: ${refusal(reduced)}`);
        assertEquals(reduced.size, [60, Math.round(60 * height / width)], name);
        assertCorners(reduced.corners, corners);
      }
    }
  }));

Deno.test("the sender's page refuses what the viewer could not see, and tells why", () =>
  withPage(async (page) => {
    // It tries an <img> as well, which this page forbids.
    page.allowErrors(/'blob:/);
    assertEquals(refusal(await prepare(page, "bomb")), "too_many_pixels");
    assertEquals(refusal(await prepare(page, "svg")), "svg");
    assertEquals(refusal(await prepare(page, "truncated")), "truncated");
    assertEquals(refusal(await prepare(page, "empty")), "empty");
    assertEquals(refusal(await prepare(page, "text")), "not_an_image");
    // What is sent of it is scaled down, and far smaller than its file.
    assertEquals(refusal(await prepare(page, "png65m")), "accepted");
    const exif = await prepare(page, "exif");
    assert(exif.ok);
    assertEquals(exif.size, [150, 200]);
    assertCorners(exif.corners, (await fixture("exif")).corners);
  }));

Deno.test("the worker refuses a bomb, an SVG and a wrong type before any decoder sees them", () =>
  withPage(async (page) => {
    const worker = "/without_any_decoder.js";
    const png = { type: "image/png", worker } as const;
    assertEquals(refusal(await decode(page, "bomb", png)), "too_many_pixels");
    assertEquals(refusal(await decode(page, "svg", png)), "svg");
    // The decoders are broken here, so a good picture shows that they would have been asked.
    assertEquals(refusal(await decode(page, "flat", png)), "undecodable");
    assertEquals(refusal(await decode(page, "small", { type: "image/png" })), "undecodable");
  }));

Deno.test("a worker that hangs, crashes or is given up rejects, and the bytes are gone", () =>
  withPage(async (page) => {
    const type = "image/jpeg";
    const cases = [
      [{ type, worker: "/mute.js", timeoutMs: 100 }, "timeout"],
      [{ type, worker: "/mute.js", abortAfterMs: 50 }, "aborted"],
      [{ type, worker: "/broken.js" }, "crashed"],
      [{ type, worker: "/mute.js", abortAfterMs: 0, timeoutMs: 5_000 }, "aborted"],
    ] as const;
    for (const [task, reason] of cases) {
      assertEquals(await decode(page, "small", task), { ok: false, reason, zeroed: true });
    }
  }));

Deno.test("a picture fits its box in device pixels, centered, and follows its size", () =>
  withPage(async (page) => {
    // 390×844 at ratio 2, less 20 CSS pixels on each side.
    await show(page, "small");
    assertEquals((await look(page)).size, [700, 525]);
    // Centered: 20 + (804 - 262.5) / 2, on a whole device pixel.
    assertEquals((await look(page)).place, [20, 291, 350, 262.5]);
    assertCorners((await look(page)).corners, (await fixture("small")).corners);
    await page.page.setViewport({ ...SCREENS.phone, width: 240 });
    await page.page.waitForFunction(() => harness.look().size[0] === 400);
    assertCorners((await look(page)).corners, (await fixture("small")).corners);
  }, "phone"));

Deno.test("a covered canvas has one color, and shows the picture again when uncovered", () =>
  withPage(async (page) => {
    await show(page, "small", { mark: "for Anna", reducedMotion: false });
    assert((await look(page)).colours > 500);
    await stage(page, "cover");
    assertEquals((await look(page)).colours, 1);
    // Longer than the drift's next frame.
    await page.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
    assertEquals((await look(page)).colours, 1);
    await page.page.setViewport({ width: 700, height: 500 });
    await page.page.waitForFunction(() => harness.look().size[1] === 460);
    assertEquals((await look(page)).colours, 1);
    await stage(page, "uncover");
    assertCorners((await look(page)).corners, (await fixture("small")).corners);
  }));

Deno.test("other pixels replace the picture at once, at the same zoom, unless covered", () =>
  withPage(async (page) => {
    const GREEN: Corners = {
      topLeft: [0, 128, 0],
      topRight: [0, 128, 0],
      bottomRight: [0, 128, 0],
      bottomLeft: [0, 128, 0],
    };
    const replace = (colour: string) =>
      page.page.evaluate((colour) => harness.replace(colour), colour);
    await show(page, "small");
    const { place } = await look(page);
    assertEquals(await replace("#008000"), true);
    assertCorners((await look(page)).corners, GREEN);
    assertEquals((await look(page)).place, place);
    await page.page.evaluate(() => harness.zoom(2));
    await page.page.waitForFunction((width) => harness.look().place[2] !== width, {}, place[2]);
    const zoomed = await look(page);
    await replace("#ff0000");
    assertEquals((await look(page)).place, zoomed.place);
    await stage(page, "cover");
    await replace("#008000");
    assertEquals((await look(page)).colours, 1);
    await stage(page, "uncover");
    assertCorners((await look(page)).corners, GREEN);
    await stage(page, "wipe");
    assertEquals(await replace("#ff0000"), true);
    const wiped = await look(page);
    assertEquals([wiped.size, wiped.bitmapClosed], [[0, 0], true]);
  }));

Deno.test("a stage that starts covered paints nothing of the picture", () =>
  withPage(async (page) => {
    await show(page, "small", { covered: true });
    assertEquals((await look(page)).colours, 1);
    await stage(page, "uncover");
    assert((await look(page)).colours > 500);
  }));

Deno.test("after a wipe no pixel is left, nothing paints again, and the bitmap is closed", () =>
  withPage(async (page) => {
    await show(page, "small", { mark: "for Anna", reducedMotion: false });
    assertEquals((await look(page)).bitmapClosed, false);
    await stage(page, "wipe");
    const wiped = await look(page);
    assertEquals([wiped.size, wiped.colours, wiped.bitmapClosed], [[0, 0], 0, true]);
    for (const action of ["uncover", "cover", "wipe"] as const) await stage(page, action);
    await page.page.setViewport({ width: 700, height: 500 });
    await page.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
    assertEquals((await look(page)).size, [0, 0]);
  }));

Deno.test("the watermark is part of the pixels, and drifts unless motion is reduced", () =>
  withPage(async (page) => {
    await show(page, "flat");
    const plain = await look(page);
    await stage(page, "wipe");
    await show(page, "flat", { mark: "for Anna", reducedMotion: true });
    const marked = await look(page);
    assert(marked.colours > plain.colours + 10, `${plain.colours} → ${marked.colours} colours`);
    await page.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
    assertEquals((await look(page)).sum, marked.sum);
    await stage(page, "wipe");
    await show(page, "flat", { mark: "for Anna", reducedMotion: false });
    const { sum } = await look(page);
    await page.page.waitForFunction((sum) => harness.look().sum !== sum, {}, sum);
  }));

Deno.test("the picture is covered within blur and print events, and wiped by pagehide", () =>
  withPage(async (page) => {
    await show(page, "small");
    const seen = await page.page.evaluate(() => {
      const after = (kind: string) => {
        dispatchEvent(new Event(kind));
        return harness.look().colours;
      };
      return [after("blur"), after("focus"), after("beforeprint"), after("afterprint")]
        .map((colours) => colours > 500).concat(after("pagehide") === 0);
    });
    assertEquals(seen, [false, true, false, true, true]);
    assertEquals((await look(page)).bitmapClosed, true);
  }));
