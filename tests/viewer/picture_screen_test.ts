/**
 * The way from bytes to a canvas, as far as it needs no page; the rest is in
 * viewing_browser_test.ts.
 *
 * @module
 */
import { PictureScreen } from "../../lib/viewer/picture_screen.ts";
import type { OpenPicture } from "../../lib/image/decoder.ts";
import { ImageError } from "../../lib/image/errors.ts";
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { settle, withGlobals } from "../support/fake_time.ts";
import { FakeBitmap, smallPng } from "../pictures/pictures.ts";

const PAGE = {
  innerWidth: 800,
  innerHeight: 600,
  screen: { width: 800, height: 600 },
  devicePixelRatio: 2,
};

/** A screen whose decoder answers when a test allows it. */
function start() {
  const gate = Promise.withResolvers<void>();
  const bitmap = new FakeBitmap();
  const closes = { picture: 0 };
  const asked: unknown[] = [];
  const screen = new PictureScreen({
    async open(_bytes, type, bounds): Promise<OpenPicture> {
      asked.push([type, bounds.maxWidth, bounds.maxHeight, bounds.maxScale]);
      await gate.promise;
      return {
        bitmap,
        width: 4,
        height: 3,
        wide: false,
        render: () => Promise.reject(new ImageError("aborted")),
        close: () => void closes.picture++,
      };
    },
  });
  const showing = () =>
    screen.show(smallPng(), {
      type: "image/png",
      rules: DEFAULT_RULES,
      onPainted: () => {},
      onClosed: () => {},
    });
  return { screen, gate, bitmap, closes, asked, showing };
}

function test(name: string, body: (stand: ReturnType<typeof start>) => Promise<void>): void {
  Deno.test(name, async () => {
    using _page = withGlobals(PAGE);
    await body(start());
  });
}

test("a picture is decoded for this window, in device pixels", async ({ showing, asked }) => {
  void showing();
  await settle();
  assertEquals(asked, [["image/png", 1_600, 1_200, 2]]);
});

test("what is cleared while it is decoded is freed, and never shown", async (stand) => {
  const { screen, gate, bitmap, closes, showing } = stand;
  const shown = showing();
  screen.clear();
  gate.resolve();
  await shown;
  assertEquals([bitmap.closes, closes.picture, screen.viewing.value], [1, 1, null]);
});

test("what waits for its canvas is freed at once when it is cleared", async (stand) => {
  const { screen, gate, bitmap, closes, showing } = stand;
  void showing();
  gate.resolve();
  await settle();
  assertEquals([bitmap.closes, screen.close("user")], [0, false]);
  screen.clear();
  screen.clear();
  assertEquals([bitmap.closes, closes.picture], [1, 1]);
});

test("what can't be decoded is the caller's to report", async ({ gate, showing }) => {
  const shown = showing();
  gate.reject(new ImageError("undecodable"));
  await assertRejects(() => shown, ImageError);
});

test("while nothing is shown there is nothing to extend or close", async ({ screen }) => {
  assertEquals([screen.extend(5), screen.close("user"), screen.viewing.value], [
    false,
    false,
    null,
  ]);
  await settle();
});
