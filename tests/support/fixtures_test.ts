import { assert, assertEquals } from "./assert.ts";
import { serveBlank } from "./blank.ts";
import { withBrowser } from "./browser.ts";
import { fixture, type FixtureName } from "./fixtures.ts";
import { pngBomb, pngOfSize, type Rgb } from "./image_bytes.ts";

const MIB = 1024 * 1024;

/** Decodes a file as the browser displays it; runs in the page. */
async function decode() {
  const input = document.querySelector("input");
  const file = input?.files?.[0];
  if (file === undefined) return { width: 0, height: 0, corners: [] as number[][], middle: -1 };
  const bitmap = await createImageBitmap(file);
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  context.drawImage(bitmap, 0, 0);
  const at = (u: number, v: number) => [
    ...context.getImageData(Math.floor(u * width), Math.floor(v * height), 1, 1).data,
  ];
  const corners = [at(.02, .02), at(.98, .02), at(.02, .98), at(.98, .98)];
  return { width, height, corners, middle: at(.5, .5)[3] ?? -1 };
}

function near(actual: readonly number[] | undefined, expected: Rgb): boolean {
  return actual !== undefined && expected.every((c, i) => Math.abs(c - actual[i]!) < 30);
}

Deno.test("every good fixture decodes, in its size, the right way up", async () => {
  await using site = serveBlank();
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    const names: FixtureName[] = [
      "small",
      "large",
      "exif",
      "transparent",
      "webp",
      "avif",
      "gif",
      "flat",
      "png8m",
      "png64m",
    ];
    for (const name of names) {
      const { path, width, height, corners } = await fixture(name);
      await page.evaluate(`document.body.innerHTML = "<input type=file>"`);
      const input = await (await page.$("input"))?.toElement("input");
      await input?.uploadFile(path);
      const seen = await page.evaluate(decode);
      if (width > 0) assertEquals([seen.width, seen.height], [width, height], name);
      const order = [corners.topLeft, corners.topRight, corners.bottomLeft, corners.bottomRight];
      order.forEach((rgb, i) =>
        assert(near(seen.corners[i], rgb), `${name}, corner ${i}: ${seen.corners[i]} for ${rgb}`)
      );
      assertEquals(seen.middle, name === "transparent" ? 0 : 255, name);
    }
  });
});

Deno.test("photographs are about as large as photographs", async () => {
  const small = await fixture("small");
  assert(small.bytes > 150_000 && small.bytes < 250_000, `${small.bytes}`);
  const large = await fixture("large");
  assert(large.bytes > 2_500_000 && large.bytes < 3_500_000, `${large.bytes}`);
});

Deno.test("a PNG of a wished size has exactly that size", () => {
  for (const size of [4_096, 100_000, 100_001, 100_002, 100_003, 100_004, MIB, 3 * MIB]) {
    assertEquals(pngOfSize(size).bytes.length, size);
  }
});

Deno.test("a bomb is small", () => {
  const { length } = pngBomb();
  assert(length > 25_000 && length < 40_000, `${length}`);
});
