/**
 * A picture keeps its aspect ratio wherever it is shown, on every screen, and a small one is not
 * enlarged: measured in real browsers.
 *
 * @module
 */
import { assert, assertEquals } from "../support/assert.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { type TestBrowser, withBrowser } from "../support/browser.ts";
import { type Fixture, fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";

const SHAPES = ["tall", "upright", "square", "wide", "strip", "band", "icon"] as const;

const WINDOWS = [[320, 640], [390, 844], [844, 390], [820, 1_180], [1_440, 900]] as const;

/** Tolerance of a side, in pixels: boxes may end between pixels. */
const ROUNDING = 1;

/** A canvas on the page, in CSS pixels. */
interface Box {
  readonly width: number;
  readonly height: number;
}

async function withPictures(
  body: (stage: { app: TestApp; browser: TestBrowser; pictures: readonly Fixture[] }) => Promise<
    void
  >,
): Promise<void> {
  const pictures = await Promise.all(SHAPES.map(fixture));
  await using app = await startApp();
  await withBrowser((browser) => body({ app, browser, pictures }));
}

/** The boxes of the elements that match `selector`, in order, at each size of the window. */
async function measure(
  person: Sender | Viewer,
  selector: string,
  check: (boxes: readonly Box[], window: readonly [width: number, height: number]) => void,
): Promise<void> {
  for (const [width, height] of WINDOWS) {
    await person.page.setViewport({ width, height, deviceScaleFactor: 1 });
    const boxes = await person.page.evaluate(async (selector) => {
      // Resize observers are notified by the second frame.
      for (let i = 0; i < 3; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
      return [...document.querySelectorAll(selector)].map((element) => {
        const { width, height } = element.getBoundingClientRect();
        return { width, height };
      });
    }, selector);
    check(boxes, [width, height]);
  }
}

function assertShape(box: Box | undefined, { width, height }: Box, where: string): void {
  assert(box !== undefined, `${where}: no picture`);
  assert(box.width > 0 && box.height > 0, `${where}: nothing to be seen`);
  const said = `${where}: ${width} × ${height} is shown as ${box.width} × ${box.height}`;
  // Measured on the longer side of the picture, whose relative error is smaller.
  const off = width > height
    ? Math.abs(box.height - box.width * height / width)
    : Math.abs(box.width - box.height * width / height);
  const ratio = box.width / box.height / (width / height);
  assert(off <= ROUNDING || Math.abs(ratio - 1) <= 0.01, said);
  assert(box.width <= width + 0.01 && box.height <= height + 0.01, `${said}: enlarged`);
}

async function shows(person: Sender | Viewer, count: number): Promise<void> {
  for (let i = 0; i < 400; i++) {
    const painted = await person.page.evaluate(
      () =>
        [...document.querySelectorAll<HTMLCanvasElement>(".pictures canvas")]
          .filter(({ width }) => width > 0 && width !== 300).length,
    );
    if (painted === count) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${count} pictures are not shown`);
}

Deno.test("a picture sent alone keeps its aspect ratio at every width", async () => {
  await withPictures(async ({ app, browser, pictures }) => {
    const page = await browser.newPage();
    for (const picture of pictures) {
      const sender = await Sender.open(page, app.url);
      await sender.offer(picture);
      await shows(sender, 1);
      await measure(sender, ".pictures canvas", ([box], window) => {
        assertShape(box, picture, `alone, in ${window.join(" × ")}`);
        const [width] = window;
        assert((box?.width ?? 0) <= width, `wider than ${width}`);
      });
      await sender.burn();
      await sender.waitPhase("ended");
    }
  });
});

Deno.test("pictures keep their ratio in an album, the editor, and the viewer", async () => {
  await withPictures(async ({ app, browser, pictures }) => {
    const sender = await Sender.open(await browser.newPage(), app.url);
    await sender.keepOpen();
    let link = "";
    for (const picture of pictures) {
      if (link === "") link = await sender.offer(picture, { seconds: 0 });
      else await sender.chooseFile(picture);
    }
    await shows(sender, SHAPES.length);
    await measure(sender, ".pictures canvas", (boxes, window) => {
      assertEquals(boxes.length, SHAPES.length);
      for (const [i, shape] of pictures.entries()) {
        assertShape(boxes[i], shape, `in an album, in ${window.join(" × ")}`);
      }
    });
    for (const [i, shape] of pictures.entries()) {
      await sender.page.evaluate((i) => {
        document.querySelectorAll<HTMLElement>("[data-action=edit]")[i]?.click();
      }, i);
      await sender.waitFor(
        "the editor",
        () => (document.querySelector<HTMLCanvasElement>(".editor-stage canvas")?.width ?? 0) > 0,
      );
      await measure(sender, ".editor-stage canvas", ([box], window) => {
        assertShape(box, shape, `in the editor, in ${window.join(" × ")}`);
      });
      await sender.press("edit-cancel");
      await sender.waitFor("no editor", () => document.querySelector("dialog") === null);
    }
    const viewer = await Viewer.open(await browser.newPage(), link);
    await viewer.receive();
    await viewer.page.bringToFront();
    for (const [i, shape] of pictures.entries()) {
      if (i > 0) await viewer.waitPhase("delivered");
      await viewer.look();
      await measure(viewer, ".stage canvas", ([box], window) => {
        assertShape(box, shape, `on the viewer's screen, in ${window.join(" × ")}`);
      });
      await viewer.closePicture();
      await viewer.waitPhase("closed");
    }
  });
});
