import {
  clampRect,
  type Edits,
  isUntouched,
  type Rect,
  rectBetween,
  turned,
  turnRect,
  UNTOUCHED,
  unturnRect,
} from "../../lib/image/edits.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { seededRandom } from "../support/random.ts";

const RECT: Rect = { x: 0.1, y: 0.2, width: 0.3, height: 0.4 };

function near(a: Rect, b: Rect): boolean {
  return (["x", "y", "width", "height"] as const).every((key) => Math.abs(a[key] - b[key]) < 1e-9);
}

Deno.test("four quarters are none, and one to the left undoes one to the right", () => {
  assertEquals(turned(UNTOUCHED, 4), UNTOUCHED);
  assertEquals(turned(turned(UNTOUCHED, 1), -1), UNTOUCHED);
  assertEquals(turned(UNTOUCHED, -1).turns, 3);
});

Deno.test("a quarter clockwise moves the top to the right", () => {
  const top: Rect = { x: 0, y: 0, width: 1, height: 0.1 };
  assert(near(turnRect(top, 1), { x: 0.9, y: 0, width: 0.1, height: 1 }));
  assert(near(turnRect(top, 2), { x: 0, y: 0.9, width: 1, height: 0.1 }));
});

Deno.test("what is drawn on a rotated picture stays where it was drawn", () => {
  for (let turns = 0; turns < 4; turns++) {
    assert(near(unturnRect(turnRect(RECT, turns), turns), RECT), `${turns}`);
  }
});

Deno.test("an area stays within the picture and large enough, whatever was drawn", () => {
  const random = seededRandom(3);
  for (let i = 0; i < 500; i++) {
    const wild = () => 6 * random() - 3;
    const rect = clampRect({ x: wild(), y: wild(), width: wild(), height: wild() });
    assert(rect.x >= 0 && rect.y >= 0 && rect.width >= 0.02 && rect.height >= 0.02);
    assert(rect.x + rect.width <= 1 + 1e-9 && rect.y + rect.height <= 1 + 1e-9);
    assert(near(clampRect(rect), rect));
  }
});

Deno.test("an area is the same from whichever corner it is drawn", () => {
  const [a, b] = [{ x: 0.1, y: 0.6 }, { x: 0.4, y: 0.2 }];
  assert(near(rectBetween(a, b), RECT));
  assert(near(rectBetween(b, a), RECT));
});

Deno.test("untouched is a picture without edits", () => {
  assert(isUntouched(UNTOUCHED));
  const touched: Partial<Edits>[] = [
    { turns: 1 },
    { crop: RECT },
    { covers: [{ kind: "black", rect: RECT }] },
  ];
  for (const change of touched) assert(!isUntouched({ ...UNTOUCHED, ...change }));
});
