import { clampZoom, fittedScale, maxScale, WHOLE, zoomAt } from "../../lib/viewer/zoom.ts";
import { assertEquals } from "../support/assert.ts";

const BOX = { width: 400, height: 800 };
const FITTED = { width: 400, height: 300 };

Deno.test("zoomAt() keeps the point where it is", () => {
  const point = { x: 100, y: -50 };
  const zoom = zoomAt(WHOLE, 2, point, 6);
  assertEquals(zoom, { scale: 2, x: -100, y: 50 });
  assertEquals(zoomAt(zoom, 0.5, point, 6), WHOLE);
});

Deno.test("zoomAt() ends at its limits, and moves nothing there", () => {
  const point = { x: 100, y: 0 };
  const most = zoomAt(WHOLE, 1_000, point, 6);
  assertEquals(most.scale, 6);
  assertEquals(zoomAt(most, 2, point, 6), most);
  assertEquals(zoomAt(WHOLE, 0.1, point, 6), WHOLE);
});

Deno.test("clampZoom() keeps the picture over the box, and centers a smaller one", () => {
  const far = { scale: 2, x: 5_000, y: -5_000 };
  // 800×600 in 400×800: 200 to each side, none up or down.
  assertEquals(clampZoom(far, FITTED, BOX), { scale: 2, x: 200, y: 0 });
  assertEquals(clampZoom({ scale: 4, x: 0, y: -5_000 }, FITTED, BOX), { scale: 4, x: 0, y: -200 });
  assertEquals(clampZoom({ ...WHOLE, x: 9, y: 9 }, FITTED, BOX), WHOLE);
});

Deno.test("fittedScale() fits device pixels, without enlarging a pixel beyond CSS's", () => {
  assertEquals(fittedScale({ width: 4_000, height: 3_000 }, { width: 800, height: 900 }, 2), 0.2);
  assertEquals(fittedScale({ width: 1_080, height: 16_000 }, { width: 800, height: 800 }, 1), 0.05);
  for (const ratio of [0.5, 1, 1.5, 3]) {
    assertEquals(fittedScale({ width: 10, height: 10 }, { width: 800, height: 900 }, ratio), ratio);
  }
});

Deno.test("maxScale() allows one pixel per device and CSS pixel, and at least 6×", () => {
  assertEquals(maxScale(0.5, 1), 6);
  assertEquals(maxScale(2, 2), 6);
  assertEquals(maxScale(0.05, 1), 20);
  assertEquals(maxScale(0.05, 3), 60);
  // The browser's zoom at 50%: a device pixel is two CSS pixels.
  assertEquals(maxScale(0.05, 0.5), 20);
});
