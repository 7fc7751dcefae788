import type { Frame } from "../../lib/image/animation_messages.ts";
import { paceOf, Player, type PlayerClock } from "../../lib/viewer/player.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeBitmap } from "../pictures/pictures.ts";

/** Time that moves only with `advance`; each paint is seen one millisecond later. */
class FakeClock implements PlayerClock {
  #now = 0;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((other) => other !== timer);
  }

  painted(run: () => void): () => void {
    return this.after(1, run);
  }

  get waiting(): number {
    return this.#timers.length;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.run();
      await settle();
    }
    this.#now = end;
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

interface Film {
  readonly ms: readonly number[];
  readonly plays?: number;
  /** How long each frame takes to decode. */
  readonly tookMs?: number;
  readonly brokenAt?: number;
}

function stand({ ms, plays = Infinity, tookMs = 0, brokenAt = -1 }: Film) {
  const clock = new FakeClock();
  const asked: number[] = [];
  const shown: (readonly [index: number, at: number])[] = [];
  const changes: boolean[] = [];
  const bitmaps: FakeBitmap[] = [];
  let under = 0;
  const indexes = new Map<ImageBitmap, number>();
  const player = new Player({
    source: {
      async frame(index): Promise<Frame> {
        asked.push(index);
        under += 1;
        assertEquals(under, 1, "one question at a time");
        if (tookMs > 0) await new Promise<void>((resolve) => clock.after(tookMs, resolve));
        under -= 1;
        if (index === brokenAt) throw new Error("broken");
        const bitmap = new FakeBitmap();
        bitmaps.push(bitmap);
        indexes.set(bitmap, index);
        return { bitmap, detail: null, ms: ms[index] ?? 0 };
      },
    },
    facts: { frames: ms.length, plays },
    show: ({ bitmap }) => shown.push([indexes.get(bitmap) ?? -1, clock.now()]),
    onChange: (playing) => changes.push(playing),
    clock,
  });
  return { clock, player, asked, shown, changes, bitmaps };
}

Deno.test("frames are shown in order, each for its duration, loop after loop", async () => {
  const { clock, player, shown } = stand({ ms: [50, 200, 40] });
  player.play();
  await clock.advance(400);
  assertEquals(shown, [[0, 0], [1, 50], [2, 250], [0, 290], [1, 340]]);
});

Deno.test("decoding continues while a frame is seen, and does not prolong it", async () => {
  const { clock, player, shown } = stand({ ms: [100, 100], tookMs: 30 });
  player.play();
  await clock.advance(400);
  assertEquals(shown, [[0, 30], [1, 130], [0, 230], [1, 330]]);
});

Deno.test("a decoder slower than the picture is asked for one frame at a time", async () => {
  const { clock, player, shown, asked } = stand({ ms: [20, 20], tookMs: 500 });
  player.play();
  await clock.advance(2_100);
  assertEquals(shown.length, 4);
  assertEquals(asked.length, 5);
});

Deno.test("it stops after its last loop at the last frame, and can be played again", async () => {
  const { clock, player, shown, changes } = stand({ ms: [50, 50], plays: 2 });
  player.play();
  await clock.advance(1_000);
  assertEquals(shown.map(([index]) => index), [0, 1, 0, 1]);
  assertEquals(changes, [true, false]);
  assertEquals(clock.waiting, 0);
  player.play();
  await clock.advance(1_000);
  assertEquals(shown.map(([index]) => index), [0, 1, 0, 1, 0, 1, 0, 1]);
});

Deno.test("it pauses and is covered where it is, and resumes from there", async () => {
  const { clock, player, asked } = stand({ ms: [50, 50, 50] });
  player.play();
  await clock.advance(10);
  player.pause();
  await clock.advance(1_000);
  assertEquals(asked, [0]);
  player.cover(true);
  player.play();
  await clock.advance(1_000);
  assertEquals(asked, [0]);
  player.cover(false);
  await clock.advance(60);
  assertEquals(asked, [0, 1, 2]);
  player.cover(true);
  await clock.advance(1_000);
  assertEquals(asked, [0, 1, 2]);
});

Deno.test("once stopped nothing is shown, and frames under way are closed", async () => {
  const { clock, player, shown, bitmaps } = stand({ ms: [50, 50], tookMs: 30 });
  player.play();
  await clock.advance(10);
  player.stop();
  player.play();
  player.cover(true);
  player.cover(false);
  await clock.advance(1_000);
  assertEquals(shown, []);
  assertEquals(bitmaps.map(({ closes }) => closes), [1]);
});

Deno.test("a broken frame ends it at the one before", async () => {
  const { clock, player, shown, changes } = stand({ ms: [50, 50, 50], brokenAt: 2 });
  player.play();
  await clock.advance(1_000);
  assertEquals(shown.map(([index]) => index), [0, 1]);
  assertEquals(changes, [true, false]);
});

Deno.test("hasty frames take 100 ms as in browsers; the rest 20 ms up to GIF's maximum", () => {
  assertEquals([0, 1, 10, -5, NaN].map(paceOf), [100, 100, 100, 100, 100]);
  assertEquals([11, 20, 33, 5_000, Infinity].map(paceOf), [20, 20, 33, 5_000, 655_350]);
});
