/**
 * How long it takes from a notch of the wheel until the real pixels of what is zoomed in on are
 * painted, for a photograph of 12 megapixels: the first time it has to be decoded again, after that
 * it only has to be scaled.
 *
 *     deno run -A bench/zoom.ts [--check]
 *
 * One JSON line each; `--check` fails above {@linkcode TARGET_MS}.
 *
 * @module
 */
import { startApp } from "../tests/support/app.ts";
import { withBrowser } from "../tests/support/browser.ts";
import { fixture } from "../tests/support/fixtures.ts";
import { Sender, Viewer } from "../tests/support/flow.ts";
import { median, printLine, rounded } from "./statistics.ts";

const ROUNDS = 5;
const TARGET_MS = 200;
/** One notch zooms in 2.7 times, and the next one, of the other direction, half of it back. */
const NOTCHES = { "first zoom": -500, "next zoom": 250 } as const;

/**
 * Notes, in the viewer's page, when the wheel was turned and when a bitmap was painted pixel for
 * pixel into the visible canvas: until it is sharp, another one is stretched.
 */
const WATCH = `{
  const times = { turned: 0, sharp: 0 };
  Object.defineProperty(globalThis, "__times", { value: times });
  addEventListener("wheel", (event) => {
    times.turned = event.timeStamp;
    times.sharp = 0;
  }, true);
  const { drawImage } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.drawImage = function (...args) {
    const result = drawImage.apply(this, args);
    const [image, , , width, height] = args;
    const isSharp = image instanceof ImageBitmap && image.width === width &&
      image.height === height && this.canvas.closest?.("[data-viewer]");
    if (times.turned > 0 && times.sharp === 0 && isSharp) times.sharp = performance.now();
    return result;
  };
}`;

type Times = Record<keyof typeof NOTCHES, number>;

async function round(url: string): Promise<Times> {
  const times: Times = { "first zoom": NaN, "next zoom": NaN };
  const picture = await fixture("large");
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage(), url);
    const link = await sender.offer(picture, { seconds: 60 });
    const viewer = await Viewer.open(await browser.newPage({ before: WATCH }), link);
    await viewer.receive();
    await sender.waitPhase("delivered");
    await viewer.look();
    const { page } = viewer;
    const size = page.viewport() ?? { width: 0, height: 0 };
    await page.mouse.move(size.width / 2, size.height / 2);
    for (const name of ["first zoom", "next zoom"] as const) {
      // What else is made for the view before is done by then.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await page.mouse.wheel({ deltaY: NOTCHES[name] });
      await viewer.waitFor("sharp pixels", () => Reflect.get(globalThis, "__times").sharp > 0);
      times[name] = await page.evaluate(() => {
        const { turned, sharp } = Reflect.get(globalThis, "__times");
        return sharp - turned;
      });
    }
  });
  return times;
}

if (import.meta.main) {
  await using app = await startApp();
  const rounds: Times[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(app.url));
  for (const name of ["first zoom", "next zoom"] as const) {
    const ms = rounds.map((times) => times[name]);
    const result = median(ms);
    printLine({
      bench: `${name} to sharp pixels`,
      rounds: ROUNDS,
      medianMs: rounded(result),
      minMs: rounded(Math.min(...ms)),
      maxMs: rounded(Math.max(...ms)),
      targetMs: TARGET_MS,
    });
    if (result > TARGET_MS && Deno.args.includes("--check")) Deno.exitCode = 1;
  }
}
