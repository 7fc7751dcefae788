/**
 * Measures the time from clicking "open" to the first painted pixel, when the ciphertext of a photo
 * of 3 MB (12 megapixels) has already arrived: the sender sends the key, and the picture is
 * decrypted, checked, decoded and painted.
 *
 *     deno run -A bench/open.ts [--check]
 *
 * Prints one JSON line; `--check` fails above {@linkcode TARGET_MS}.
 *
 * @module
 */
import { startApp } from "../tests/support/app.ts";
import { withBrowser } from "../tests/support/browser.ts";
import { fixture } from "../tests/support/fixtures.ts";
import { Sender, Viewer } from "../tests/support/flow.ts";
import { median, printLine, rounded } from "./statistics.ts";

const ROUNDS = 7;
const TARGET_MS = 150;

/**
 * Records, in the viewer's page, when "open" was clicked and when the visible canvas was first
 * drawn on. The event's own timestamp is the moment of the click, before any script ran.
 */
const WATCH = `{
  const times = { pressed: 0, painted: 0 };
  Object.defineProperty(globalThis, "__times", { value: times });
  addEventListener("click", (event) => {
    if (event.target.closest?.("[data-action=open]")) times.pressed = event.timeStamp;
  }, true);
  const note = (canvas) => {
    if (times.painted === 0 && times.pressed > 0 && canvas.closest?.("[data-viewer]")) {
      // The frame is presented after the next animation frame callbacks.
      requestAnimationFrame(() => times.painted ||= performance.now());
    }
  };
  for (const [type, names] of [
    [CanvasRenderingContext2D, ["drawImage"]],
    [globalThis.ImageBitmapRenderingContext, ["transferFromImageBitmap"]],
  ]) {
    for (const name of type === undefined ? [] : names) {
      const original = type.prototype[name];
      type.prototype[name] = function (...args) {
        const result = original.apply(this, args);
        note(this.canvas);
        return result;
      };
    }
  }
}`;

async function round(url: string): Promise<number> {
  let ms = NaN;
  const picture = await fixture("large");
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage(), url);
    const link = await sender.offer(picture, { seconds: 30 });
    const viewer = await Viewer.open(await browser.newPage({ before: WATCH }), link);
    await viewer.receive();
    await sender.waitPhase("delivered");
    await viewer.look();
    await viewer.waitFor("the first pixel", () => Reflect.get(globalThis, "__times").painted > 0);
    ms = await viewer.page.evaluate(() => {
      const { pressed, painted } = Reflect.get(globalThis, "__times");
      return painted - pressed;
    });
  });
  return ms;
}

if (import.meta.main) {
  await using app = await startApp();
  const ms: number[] = [];
  for (let i = 0; i < ROUNDS; i++) ms.push(await round(app.url));
  const result = median(ms);
  printLine({
    bench: "open to first pixel",
    rounds: ROUNDS,
    medianMs: rounded(result),
    minMs: rounded(Math.min(...ms)),
    maxMs: rounded(Math.max(...ms)),
    targetMs: TARGET_MS,
  });
  if (result > TARGET_MS && Deno.args.includes("--check")) Deno.exitCode = 1;
}
