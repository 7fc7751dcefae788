import { GuessLimit, RateLimit } from "../../lib/ops/rate_limits.ts";
import { FakeClock } from "../rooms/fake_clock.ts";
import { assert, assertEquals } from "../support/assert.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How many of `tries` are granted, one every `pause` ms. */
async function granted(
  limit: { take(key: string): number },
  { clock, tries, pause = 0 }: { clock: FakeClock; tries: number; pause?: number },
): Promise<number> {
  let count = 0;
  for (let i = 0; i < tries; i++) {
    if (limit.take("a") === 0) count++;
    if (pause > 0) await clock.advance(pause);
  }
  return count;
}

Deno.test("RateLimit grants its number at once; that is refilled over a minute", async () => {
  for (const perMinute of [1, 3, 7, 20, 240, 60_000]) {
    const clock = new FakeClock();
    const limit = new RateLimit(perMinute, { clock });
    assertEquals(await granted(limit, { clock, tries: perMinute + 10 }), perMinute);
    assertEquals(limit.take("b"), 0, "another key has its own");
    const wait = limit.take("a");
    assert(Math.abs(wait - MINUTE / perMinute) < 0.01, `waits ${wait} ms`);
    await clock.advance(wait);
    assertEquals(await granted(limit, { clock, tries: 3 }), 1);
    await clock.advance(MINUTE);
    assertEquals(await granted(limit, { clock, tries: perMinute + 10 }), perMinute);
  }
});

Deno.test("RateLimit grants twice its number in any minute at most", async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(20, { clock });
  const count = await granted(limit, { clock, tries: 60 * 60, pause: 1_000 });
  assert(count >= 19 * 60 && count <= 20 * 61, `${count} in an hour`);
});

Deno.test("RateLimit gives back what was taken, and no more", async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(2, { clock });
  for (let i = 0; i < 5; i++) limit.giveBack("a");
  assertEquals(await granted(limit, { clock, tries: 5 }), 2);
  limit.giveBack("a");
  assertEquals(await granted(limit, { clock, tries: 5 }), 1);
});

Deno.test("RateLimit with Infinity limits nothing and remembers nothing", async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(Infinity, { clock });
  assertEquals([await granted(limit, { clock, tries: 1_000 }), limit.size], [1_000, 0]);
});

Deno.test("a table is bounded: of a million addresses it remembers the last ones", () => {
  const clock = new FakeClock();
  for (
    const limit of [
      new RateLimit(1, { clock, maxKeys: 100 }),
      new GuessLimit(1, { clock, maxKeys: 100 }),
    ]
  ) {
    for (let i = 0; i < 1_000_000; i++) {
      limit.take(`${i}`);
      if (limit.size > 100) throw new Error(`remembers ${limit.size}`);
    }
    assertEquals(limit.size, 100);
    assert(limit.take("999999") > 0 && limit.take("999900") > 0);
    assertEquals(limit.take("0"), 0);
  }
});

Deno.test("a GuessLimit that is used up locks out for 1, 2, 4 … 60 minutes", async () => {
  const clock = new FakeClock();
  const limit = new GuessLimit(3, { clock });
  for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
    assertEquals(await granted(limit, { clock, tries: 3 }), 3);
    assertEquals(limit.take("a"), minutes * MINUTE);
    await clock.advance(minutes * MINUTE - 1);
    assertEquals(limit.take("a"), 1, "asking does not make it longer, nor shorter");
    assertEquals(limit.take("b"), 0, "nobody else is shut out");
    await clock.advance(1);
  }
  await clock.advance(HOUR);
  assertEquals(await granted(limit, { clock, tries: 3 }), 3);
  assertEquals(limit.take("a"), MINUTE, "an hour of calm, and it begins anew");
});

Deno.test("a GuessLimit of 20 gives a bot 140 in its first hour, then 42 at most", async () => {
  const clock = new FakeClock();
  const limit = new GuessLimit(20, { clock });
  const tries = HOUR / 500;
  const first = await granted(limit, { clock, tries, pause: 500 });
  const second = await granted(limit, { clock, tries, pause: 500 });
  assert(first <= 140 && second <= 42, `${first}, then ${second}`);
});

Deno.test("whoever is right, or slow, is never locked out by a GuessLimit", async () => {
  const clock = new FakeClock();
  const limit = new GuessLimit(20, { clock });
  for (let i = 0; i < 1_000; i++) {
    assertEquals(limit.take("a"), 0);
    limit.giveBack("a");
  }
  assertEquals(await granted(limit, { clock, tries: 600, pause: 6_000 }), 600);
});
