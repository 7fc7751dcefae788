import { clampZoom, MAX_SCALE, WHOLE, zoomAt } from "../../lib/viewer/zoom.ts";
import { assertEquals } from "../support/assert.ts";

const BOX = { width: 400, height: 800 };
const FITTED = { width: 400, height: 300 };

Deno.test("zoomAt() keeps what is at the point where it is", () => {
  const point = { x: 100, y: -50 };
  const zoom = zoomAt(WHOLE, 2, point);
  assertEquals(zoom, { scale: 2, x: -100, y: 50 });
  assertEquals(zoomAt(zoom, 0.5, point), WHOLE);
});

Deno.test("zoomAt() ends at its limits, and moves nothing there", () => {
  const point = { x: 100, y: 0 };
  const most = zoomAt(WHOLE, 1_000, point);
  assertEquals(most.scale, MAX_SCALE);
  assertEquals(zoomAt(most, 2, point), most);
  assertEquals(zoomAt(WHOLE, 0.1, point), WHOLE);
});

Deno.test("clampZoom() keeps the picture over the box, and in the middle where it is smaller", () => {
  const far = { scale: 2, x: 5_000, y: -5_000 };
  // 800×600 in 400×800: 200 to each side, none up or down.
  assertEquals(clampZoom(far, FITTED, BOX), { scale: 2, x: 200, y: 0 });
  assertEquals(clampZoom({ scale: 4, x: 0, y: -5_000 }, FITTED, BOX), { scale: 4, x: 0, y: -200 });
  assertEquals(clampZoom({ ...WHOLE, x: 9, y: 9 }, FITTED, BOX), WHOLE);
});
