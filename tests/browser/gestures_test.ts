/**
 * Fingers on a picture in a real page: pinching, panning, holding, and everything that ends a hold,
 * left to right and right to left.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type TestBrowser, type TestPage, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, type Looks, looksOf, Sender, Viewer } from "../support/flow.ts";

interface Finger {
  readonly id: number;
  readonly x: number;
  readonly y: number;
}

/** A hand on a phone's screen. */
class Hand {
  readonly #touch: (type: string, fingers: readonly Finger[]) => Promise<void>;

  private constructor(touch: Hand["touch"]) {
    this.#touch = touch;
  }

  static async on({ page }: TestPage): Promise<Hand> {
    const devtools = await page.createCDPSession();
    return new Hand(async (type, fingers) => {
      await devtools.send("Input.dispatchTouchEvent", {
        type: type as "touchStart" | "touchMove" | "touchEnd" | "touchCancel",
        touchPoints: fingers.map((finger) => ({ ...finger })),
      });
    });
  }

  get touch(): (type: string, fingers: readonly Finger[]) => Promise<void> {
    return this.#touch;
  }

  /** Pinches with two fingers, from one distance to another, around the middle. */
  async pinch(from: number, to: number): Promise<void> {
    const at = (apart: number) => [
      { id: 1, x: 195 - apart / 2, y: 400 },
      { id: 2, x: 195 + apart / 2, y: 400 },
    ];
    await this.touch("touchStart", at(from).slice(0, 1));
    await this.touch("touchStart", at(from));
    for (let i = 1; i <= 5; i++) await this.touch("touchMove", at(from + (to - from) * i / 5));
    await this.touch("touchEnd", []);
  }

  async drag(x: number, y: number): Promise<void> {
    await this.touch("touchStart", [{ id: 1, x: 195, y: 400 }]);
    for (let i = 1; i <= 5; i++) {
      await this.touch("touchMove", [{ id: 1, x: 195 + x * i / 5, y: 400 + y * i / 5 }]);
    }
    await this.touch("touchEnd", []);
  }
}

interface Scene {
  readonly browser: TestBrowser;
  readonly viewer: Viewer;
  readonly page: TestPage;
  readonly hand: Hand;
  looks(): Promise<Looks>;
}

for (const language of ["en", "ar"]) {
  const test = (name: string, hold: boolean, body: (scene: Scene) => Promise<void>) =>
    Deno.test(`${name} (${language})`, async () => {
      await using app = await startApp();
      await withBrowser(async (browser) => {
        const sender = await Sender.open(await browser.newPage(), app.url);
        if (hold) {
          const box = await sender.page.waitForSelector("input[type=checkbox][name=hold]");
          await box?.evaluate((element) => (element as HTMLInputElement).click());
        }
        const link = await sender.offer(await fixture("flat"), { seconds: 60 });
        const page = await browser.newPage({ screen: "phone" });
        await page.page.setExtraHTTPHeaders({ "accept-language": language });
        const viewer = await Viewer.open(page, link);
        assertEquals(
          await page.page.evaluate(() => document.documentElement.dir),
          language === "ar" ? "rtl" : "ltr",
        );
        await viewer.receive();
        await page.page.bringToFront();
        await viewer.openPicture();
        await viewer.waitFor("a canvas", () => (document.querySelector("canvas")?.width ?? 0) > 1);
        // The button that does the same appears as soon as the picture can be held.
        if (hold) await page.page.waitForSelector("[data-action=hold]");
        const looks = async () => {
          const seen = await looksOf(browser, await viewer.canvas());
          await page.page.bringToFront();
          return seen;
        };
        await body({ browser, viewer, page, hand: await Hand.on(page), looks });
      });
    });

  /** One color everywhere: the canvas is covered. */
  const isCovered = ({ corners }: Looks) => new Set(Object.values(corners).map(String)).size === 1;

  test(
    "two fingers zoom in, one pans within the edges, two zoom out again",
    false,
    async ({ viewer, hand, looks }) => {
      await viewer.waitPhase("viewing");
      const picture = await fixture("flat");
      assertLooksLike(await looks(), picture);
      await hand.pinch(60, 300);
      const { topLeft } = (await looks()).corners;
      const near = (a: readonly number[], b: readonly number[]) =>
        a.every((value, i) => Math.abs(value - b[i]!) <= 80);
      // Far more to the right than there is picture: its left edge stays at the screen's left edge.
      await hand.drag(2_000, 2_000);
      const moved = (await looks()).corners;
      assert(near(moved.topLeft, picture.corners.topLeft), `${moved.topLeft}`);
      assert(
        !near(moved.bottomRight, picture.corners.bottomRight) || !near(topLeft, moved.topLeft),
        "it was not larger",
      );
      await hand.pinch(300, 20);
      assertLooksLike(await looks(), picture);
    },
  );

  for (
    const [how, end] of [
      ["is lifted", (hand: Hand) => hand.touch("touchEnd", [])],
      ["is taken by the system", (hand: Hand) => hand.touch("touchCancel", [])],
    ] as const
  ) {
    test(
      `a hold-to-see picture is covered when the finger ${how}`,
      true,
      async ({ viewer, hand, looks }) => {
        assert(isCovered(await looks()), "it was seen before anybody held it");
        await hand.touch("touchStart", [{ id: 1, x: 195, y: 400 }]);
        await viewer.waitPhase("viewing");
        await viewer.waitFor("no veil", () => document.querySelector(".veil") === null);
        await end(hand);
        await viewer.waitFor("a veil", () => document.querySelector(".veil") !== null);
        assert(isCovered(await looks()), "it is still seen");
      },
    );
  }

  test(
    "a hold-to-see picture is covered when the window loses focus, whatever the finger does",
    true,
    async ({ viewer, hand, page, looks }) => {
      await hand.touch("touchStart", [{ id: 1, x: 195, y: 400 }]);
      await viewer.waitPhase("viewing");
      await page.page.evaluate(() => {
        dispatchEvent(new Event("blur"));
      });
      await viewer.waitFor("a veil", () => document.querySelector(".veil") !== null);
      assert(isCovered(await looks()), "it is still seen");
      await hand.touch("touchEnd", []);
    },
  );

  test(
    "one press of the button does not uncover a hold-to-see picture for good",
    true,
    async ({ viewer, page, hand, looks }) => {
      const button = await page.page.waitForSelector("[data-action=hold]");
      const box = await button?.boundingBox();
      assert(button && box, "the button is nowhere");
      await hand.touch("touchStart", [{
        id: 1,
        x: box.x + box.width / 2,
        y: box.y + box.height / 2,
      }]);
      await viewer.waitPhase("viewing");
      await viewer.waitFor("no veil", () => document.querySelector(".veil") === null);
      await hand.touch("touchEnd", []);
      await viewer.waitFor("a veil", () => document.querySelector(".veil") !== null);
      assert(isCovered(await looks()), "a tap leaves it uncovered");
      await button.focus();
      await page.page.keyboard.down("Space");
      await viewer.waitFor("no veil", () => document.querySelector(".veil") === null);
      await page.page.keyboard.up("Space");
      await viewer.waitFor("a veil", () => document.querySelector(".veil") !== null);
      await button.evaluate((element) => (element as HTMLButtonElement).click());
      assert(isCovered(await looks()), "a click leaves it uncovered");
    },
  );

  test("the space bar holds as a finger does", true, async ({ viewer, page, looks }) => {
    await page.page.keyboard.down("Space");
    await viewer.waitPhase("viewing");
    await viewer.waitFor("no veil", () => document.querySelector(".veil") === null);
    await page.page.keyboard.up("Space");
    await viewer.waitFor("a veil", () => document.querySelector(".veil") !== null);
    assert(isCovered(await looks()), "it is still seen");
  });
}
