/**
 * What remains of a closed picture in the memory of a browser's processes, also after zooming in:
 * no row of its pixels, and no part of its file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ImageType } from "../../lib/protocol/control.ts";
import { works } from "../pictures/tools.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { launchBrowser } from "../support/browser.ts";
import { MAY_READ_MEMORY, searchMemory } from "../support/process_memory.ts";
import type { Page } from "../support/puppeteer.ts";
import type {} from "./sharp_page.ts";

const WIDTH = 1_600;
const HEIGHT = 1_200;
/** This much of a row, or of the file, is searched for. */
const NEEDLE_BYTES = 64;
/** How long an engine may take to release what was closed. */
const PATIENCE_MS = 60_000;
const STEP_MS = 2_000;

const BODY = `<div style="position:fixed;inset:20px"><canvas></canvas></div>
<script type="module" src="/page.js"></script>`;

async function bundle(path: string): Promise<string> {
  const entry = fileURLToPath(new URL(path, import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const [file] = result.outputFiles ?? [];
  assert(file !== undefined, JSON.stringify(result.errors));
  return file.text();
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

/**
 * Opaque noise in which red and blue are equal: its rows are the same bytes in memory in whichever
 * order an engine stores the colors (RGBA, BGRA).
 */
function noise(): Uint8Array {
  const pixels = randomBytes(4 * WIDTH * HEIGHT);
  for (let at = 0; at < pixels.length; at += 4) {
    pixels[at + 2] = pixels[at] ?? 0;
    pixels[at + 3] = 255;
  }
  return pixels;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Red, green and blue only, so that no row is the same in the file and in memory. */
function toPng(pixels: Uint8Array): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 2], 8);
  const rows = Buffer.alloc(HEIGHT * (1 + 3 * WIDTH));
  for (let y = 0, to = 0; y < HEIGHT; y++) {
    to++;
    for (let from = 4 * WIDTH * y; from < 4 * WIDTH * (y + 1); from += 4, to += 3) {
      rows.set(pixels.subarray(from, from + 3), to);
    }
  }
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 1 })),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** A file of noise, and the pixels that it decodes to. */
interface Noise {
  readonly type: ImageType;
  readonly file: Uint8Array;
  readonly pixels: Uint8Array;
}

/** The same noise in each format for which a program is installed. In a JPEG it is gray. */
async function noises(): Promise<Noise[]> {
  const pixels = noise();
  const png = toPng(pixels);
  const made: Noise[] = [{ type: "image/png", file: png, pixels }];
  const folder = await Deno.makeTempDir();
  try {
    const at = (name: string) => join(folder, name);
    await Deno.writeFile(at("noise.png"), png);
    if (await works("cwebp", ["-quiet", "-lossless", at("noise.png"), "-o", at("noise.webp")])) {
      made.push({ type: "image/webp", file: await Deno.readFile(at("noise.webp")), pixels });
    }
    const gray = ["-colorspace", "Gray", "-quality", "90", at("gray.jpg")];
    if (await works("convert", [at("noise.png"), ...gray])) {
      await works("convert", [at("gray.jpg"), "-depth", "8", `rgba:${at("gray.rgba")}`]);
      const decoded = await Deno.readFile(at("gray.rgba"));
      const file = await Deno.readFile(at("gray.jpg"));
      made.push({ type: "image/jpeg", file, pixels: decoded });
    }
    return made;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Parts of rows around the middle, which is visible after zooming in; then parts of the file. */
function needlesOf({ file, pixels }: Noise): Uint8Array[] {
  const rows = [-250, -120, 0, 130, 240].map((y) => 4 * ((HEIGHT / 2 + y) * WIDTH + WIDTH / 2));
  const parts = [0.2, 0.5, 0.8].map((at) => Math.floor(at * file.length));
  return [
    ...rows.map((at) => pixels.subarray(at, at + NEEDLE_BYTES)),
    ...parts.map((at) => file.subarray(at, at + NEEDLE_BYTES)),
  ];
}

/** Shows a file fitted, then its own pixels. */
async function showAndZoom(page: Page, { type, file }: Noise): Promise<void> {
  // It is masked until it reaches the page, as it is encrypted in transit.
  const mask = randomBytes(file.length);
  const masked = file.map((byte, i) => byte ^ (mask[i] ?? 0));
  await page.evaluate(
    (...[type, masked, mask]) => sharp.showMasked(type, masked, mask),
    type,
    masked.toBase64(),
    mask.toBase64(),
  );
  const [width = 0] = (await page.evaluate(() => sharp.look())).size;
  assert(width > 0 && width < WIDTH, `${type}: fitted to ${width} pixels`);
  const before = await page.evaluate(() => sharp.rendered());
  await page.evaluate((factor) => sharp.zoomBy(factor), WIDTH / width);
  await page.waitForFunction((before) => sharp.rendered() > before, {}, before);
}

Deno.test({
  name: MAY_READ_MEMORY
    ? "no row of a picture and no part of its file is in any process after zooming and closing"
    : "what is in the browser's memory after closing (only root on Linux may look)",
  ignore: !MAY_READ_MEMORY,
  async fn() {
    await using site = serveBlank({
      scripts: {
        "/page.js": await bundle("./sharp_page.ts"),
        "/picture_worker.js": await bundle("../../lib/image/picture_worker.ts"),
      },
      body: BODY,
    });
    await using browser = await launchBrowser({ own: true });
    const root = browser.browser.process()?.pid;
    assert(root !== undefined);
    const { page } = await browser.newPage();
    await page.setViewport({ width: 900, height: 700 });
    await page.goto(site.url);
    await page.waitForFunction(() => "sharp" in globalThis);

    const all = await noises();
    for (const each of all) {
      const needles = needlesOf(each);
      await showAndZoom(page, each);
      const shown = searchMemory(root, needles);
      assertEquals(shown.needles, needles.map((_, i) => i), `${each.type} on screen is found`);
      await page.evaluate(() => sharp.wipe());
    }

    const needles = all.flatMap(needlesOf);
    const deadline = Date.now() + PATIENCE_MS;
    let left = searchMemory(root, needles);
    while (left.needles.length > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
      left = searchMemory(root, needles);
    }
    assertEquals(left.needles, [], "rows, then parts of the file, that are left; by format");
    assert(left.processes > 2, `${left.processes} processes were searched`);
  },
});
