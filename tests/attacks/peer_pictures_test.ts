/**
 * Hostile files, correctly sealed by somebody who has the link. Whatever reaches the viewer's
 * decoder has been checked before, and whatever it returns is bounded.
 *
 * @module
 */
import { crc32, deflateSync } from "node:zlib";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, looksOf } from "../support/flow.ts";
import { animatedGif, pngBomb, svg } from "../support/image_bytes.ts";
import type { Claim } from "./peer_page.ts";
import {
  assertCalm,
  assertGone,
  assertNothingSeen,
  assertUnharmed,
  type Attack,
  attackTest,
  closeStage,
  inLanes,
  toBase64,
  tracesOf,
} from "./peer_stage.ts";
import type { Viewer } from "../support/flow.ts";

Deno.test.afterAll(closeStage);

/** A hostile file and what is claimed about it. */
interface Hostile extends Omit<Claim, "bytes"> {
  readonly name: string;
  readonly file: Uint8Array;
}

/** Side of the largest picture allowed: 39.7 megapixels, in a few kilobytes. */
const LARGEST_SIDE = 6_300;

/** Delivers a file and lets the viewer open it. */
async function opened({ attacker, victim }: Attack<Viewer>, hostile: Hostile): Promise<void> {
  const { file, name: _, ...claim } = hostile;
  await attacker.evaluate(async (claim) => {
    const parcel = await evil.pack(claim);
    await evil.send(parcel);
    evil.hears("open").then(() => evil.say({ t: "key", n: 0, key: parcel.key }));
  }, { ...claim, bytes: toBase64(file) });
  await victim.waitPhase("delivered");
  await victim.openPicture();
}

/** A PNG whose header declares another size than its one pixel. */
function pngThatClaims(width: number, height: number): Uint8Array {
  const bytes = Uint8Array.from(pngBomb(1));
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  view.setUint32(29, crc32(bytes.subarray(12, 29)));
  return bytes;
}

/** A PNG with a second header after the first one, which is the one that is checked. */
function pngWithTwoHeaders(): Uint8Array {
  const small = pngThatClaims(64, 48);
  const large = pngThatClaims(30_000, 30_000);
  return Uint8Array.from([...small.subarray(0, 33), ...large.subarray(8)]);
}

/** A JPEG with a small frame header before the real one. */
function jpegWithTwoFrames(jpeg: Uint8Array): Uint8Array {
  const frame = [0xff, 0xc0, 0, 17, 8, 0, 48, 0, 64, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
  return Uint8Array.from([...jpeg.subarray(0, 2), ...frame, ...jpeg.subarray(2)]);
}

/** A WebP whose outer header declares 64 × 48, whatever it contains. */
function webpInSmallFrame(webp: Uint8Array): Uint8Array {
  const vp8 = webp.subarray(12);
  const outer = [...new TextEncoder().encode("VP8X"), 10, 0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 47, 0, 0];
  const out = Uint8Array.from([...webp.subarray(0, 12), ...outer, ...vp8]);
  new DataView(out.buffer).setUint32(4, out.length - 8, true);
  return out;
}

/** A GIF whose only frame lies far outside its screen. */
function gifOutsideOfItsScreen(): Uint8Array {
  const gif = animatedGif(64, 48, 1);
  const frame = gif.findIndex((byte, i) => i > 400 && byte === 0x2c);
  const view = new DataView(gif.buffer);
  view.setUint16(frame + 5, 60_000, true);
  view.setUint16(frame + 7, 60_000, true);
  return gif;
}

/** A PNG of 64 × 48 whose pixels continue for another 64 MB. */
function pngWithoutEnd(): Uint8Array {
  const data = deflateSync(new Uint8Array(64_000_000), { level: 9 });
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(new TextEncoder().encode("IDAT"), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  const frame = pngThatClaims(64, 48);
  return Uint8Array.from([...frame.subarray(0, 33), ...chunk, ...frame.subarray(-12)]);
}

attackTest(
  "files that are not what was announced are refused, and no decoder ever sees them",
  async (stage) => {
    const flat = await Deno.readFile((await fixture("flat")).path);
    const html = "<!doctype html><script>globalThis.ran = 1</script>";
    const files: readonly Hostile[] = [
      { name: "SVG as PNG", file: svg(), w: 64, h: 48 },
      { name: "HTML as PNG", file: new TextEncoder().encode(html), w: 64, h: 48 },
      { name: "GIF as PNG", file: animatedGif(), w: 64, h: 48 },
      { name: "PNG as JPEG", file: flat, type: "image/jpeg" },
      { name: "another size", file: flat, w: 600, h: 800 },
      { name: "1 GB in 31 KB", file: pngBomb(), w: 800, h: 600 },
      { name: "60,000 squared", file: pngThatClaims(60_000, 60_000), w: 64, h: 48 },
      { name: "40,001 × 1", file: pngThatClaims(40_001, 1), w: 16_384, h: 1 },
      { name: "no pixels", file: pngThatClaims(0, 0), w: 1, h: 1 },
      { name: "a GIF's frame", file: gifOutsideOfItsScreen(), type: "image/gif", w: 64, h: 48 },
      { name: "nothing but a byte", file: Uint8Array.of(0x89), w: 1, h: 1 },
    ];
    await inLanes(files, async (hostile) => {
      using attack = await stage.viewer();
      const { attacker, victim } = attack;
      await opened(attack, hostile);
      await victim.waitPhase("closed");
      assertMatch(await victim.text(), /not arrive as it was sent/);
      assertEquals((await tracesOf(victim)).decoded, 0, "no decoder has seen it");
      assertEquals(
        await victim.page.evaluate(() => "ran" in globalThis || "svgRan" in globalThis),
        false,
      );
      await assertNothingSeen(attack);
      await assertCalm(victim);
      const last = await attacker.evaluate(() => evil.heard.at(-1));
      assertEquals(last, { t: "abort", code: "corrupt", n: 0 });
    });
  },
);

attackTest(
  "files with an honest header that no decoder can read are refused and not painted",
  async (stage) => {
    const jpeg = await Deno.readFile((await fixture("small")).path);
    const webp = await Deno.readFile((await fixture("webp")).path);
    const files: readonly Hostile[] = [
      { name: "cut JPEG", file: jpeg.slice(0, 900), type: "image/jpeg", w: 1_280, h: 960 },
      { name: "two frames", file: jpegWithTwoFrames(jpeg), type: "image/jpeg", w: 64, h: 48 },
      { name: "two headers", file: pngWithTwoHeaders(), w: 64, h: 48 },
      {
        name: "no pixels behind",
        file: pngThatClaims(6_000, 6_000).slice(0, 33),
        w: 6_000,
        h: 6_000,
      },
      { name: "WebP in WebP", file: webpInSmallFrame(webp), type: "image/webp", w: 64, h: 48 },
    ];
    await inLanes(files, async (hostile) => {
      using attack = await stage.viewer();
      const { attacker, victim } = attack;
      await opened(attack, hostile);
      await victim.waitPhase("closed");
      assertMatch(await victim.text(), /browser could not show it/);
      await assertNothingSeen(attack);
      await assertCalm(victim);
      const last = await attacker.evaluate(() => evil.heard.at(-1));
      assertEquals(last, { t: "abort", code: "undecodable", n: 0 });
    });
  },
);

attackTest(
  "a picture of a few kilobytes and 39.7 megapixels is never painted larger than the window",
  async (stage) => {
    using attack = await stage.viewer();
    const { victim } = attack;
    const side = LARGEST_SIDE;
    await opened(attack, { name: "largest", file: pngBomb(side), w: side, h: side, seconds: 1 });
    await victim.waitPhase("viewing");
    const { painted, largest } = await tracesOf(victim);
    const device = await victim.page.evaluate(() =>
      Math.max(innerWidth, innerHeight) * devicePixelRatio
    );
    assert(painted > 0 && largest <= device, `${largest} pixels in a window of ${device}`);
    await victim.waitPhase("closed");
    await assertGone(victim);
    await assertCalm(victim);
  },
);

attackTest(
  "of a GIF with 2,000 frames the first is shown, and removed when its time is up",
  async (stage) => {
    using attack = await stage.viewer();
    const { victim } = attack;
    const file = animatedGif(64, 48, 2_000);
    await opened(attack, { name: "frames", file, type: "image/gif", w: 64, h: 48, seconds: 2 });
    await victim.waitPhase("viewing");
    const looks = await looksOf(stage.browser, await victim.canvas());
    assertLooksLike(looks, await fixture("gif"));
    await assertUnharmed(victim);
    await victim.waitPhase("closed");
    await assertGone(victim);
  },
);

attackTest(
  "a PNG of 64 × 48 whose pixels inflate to 64 MB paints no more than 64 × 48, or nothing",
  async (stage) => {
    using attack = await stage.viewer();
    const { victim } = attack;
    await opened(attack, { name: "inflates", file: pngWithoutEnd(), w: 64, h: 48, seconds: 1 });
    await victim.waitPhase("closed");
    const { largest } = await tracesOf(victim);
    assert(largest <= 64, `${largest} pixels`);
    await assertGone(victim);
    await assertCalm(victim);
  },
);
