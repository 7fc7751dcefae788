import { Countdown, type Scheduler } from "../../lib/viewer/countdown.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

/** Timers fire only when a test lets them, and as late as it likes. */
class FakeScheduler implements Scheduler {
  time = 1_000;
  asked = 0;
  #pending: { at: number; callback: () => void } | null = null;

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    this.asked = ms;
    const entry = { at: this.time + ms, callback };
    this.#pending = entry;
    return () => {
      if (this.#pending === entry) this.#pending = null;
    };
  }

  get waiting(): boolean {
    return this.#pending !== null;
  }

  /** Lets time pass, firing every timer exactly when due. */
  run(ms: number): void {
    const until = this.time + ms;
    while (this.#pending !== null && this.#pending.at <= until) {
      const { at, callback } = this.#pending;
      this.#pending = null;
      this.time = at;
      callback();
    }
    this.time = until;
  }

  /** Lets time pass without any timer, as in a sleeping phone. */
  sleep(ms: number): void {
    this.time += ms;
  }
}

class FakeDocument extends EventTarget {
  signal: AbortSignal | undefined;

  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    const [, , options] = args;
    if (typeof options === "object") this.signal = options.signal;
    super.addEventListener(...args);
  }
}

function start(seconds: number, startedAt?: number) {
  const scheduler = new FakeScheduler();
  const wakeups = new FakeDocument();
  const ends: number[] = [];
  const countdown = new Countdown(seconds, () => ends.push(scheduler.time), {
    scheduler,
    wakeups,
    ...(startedAt === undefined ? {} : { startedAt }),
  });
  return { scheduler, wakeups, ends, countdown };
}

Deno.test("a countdown ends once, at its deadline", () => {
  const { scheduler, ends, countdown } = start(5);
  scheduler.run(4_999);
  assertEquals([ends, countdown.remaining(), countdown.fraction()], [[], 1, 0.0002]);
  scheduler.run(60_000);
  assertEquals(ends, [6_000]);
  assertEquals([countdown.remaining(), countdown.fraction()], [0, 0]);
  assertEquals(countdown.elapsed(), 5_000);
});

Deno.test("a countdown counts from the first painted frame, not from its construction", () => {
  const { scheduler, ends } = start(5, 400);
  scheduler.run(10_000);
  assertEquals(ends, [5_400]);
});

Deno.test("a countdown that slept through its deadline ends at the first wake-up", () => {
  const { scheduler, wakeups, ends } = start(5);
  scheduler.sleep(90_000);
  assertEquals(ends, []);
  wakeups.dispatchEvent(new Event("visibilitychange"));
  wakeups.dispatchEvent(new Event("visibilitychange"));
  assertEquals(ends, [91_000]);
});

Deno.test("waking up before the deadline does not end a countdown", () => {
  const { scheduler, wakeups, ends } = start(5);
  scheduler.sleep(3_000);
  wakeups.dispatchEvent(new Event("visibilitychange"));
  assertEquals(ends, []);
  scheduler.run(2_000);
  assertEquals(ends, [6_000]);
});

Deno.test("a countdown never sleeps longer than a second", () => {
  const { scheduler } = start(600);
  assertEquals(scheduler.asked, 1_000);
});

Deno.test("extend() moves the deadline", () => {
  const { scheduler, ends, countdown } = start(5);
  scheduler.run(4_000);
  assertEquals(countdown.extend(10), true);
  assertEquals([countdown.remaining(), countdown.fraction()], [11_000, 11 / 15]);
  scheduler.run(30_000);
  assertEquals(ends, [16_000]);
});

Deno.test("extend() does not bring back a deadline that has passed", () => {
  const { scheduler, ends, countdown } = start(5);
  scheduler.sleep(5_000);
  assertEquals(countdown.extend(10), false);
  assertEquals([ends, countdown.remaining()], [[6_000], 0]);
});

Deno.test("extend() refuses what is not a positive number", () => {
  const { countdown } = start(5);
  assertEquals([0, -1, NaN].map((seconds) => countdown.extend(seconds)), [false, false, false]);
  assertEquals(countdown.remaining(), 5_000);
});

Deno.test("zero seconds mean no deadline", () => {
  const { scheduler, wakeups, ends, countdown } = start(0);
  scheduler.run(10_000_000);
  wakeups.dispatchEvent(new Event("visibilitychange"));
  assertEquals([ends, countdown.remaining(), countdown.fraction()], [[], Infinity, 1]);
  assertEquals([scheduler.waiting, countdown.extend(5)], [false, false]);
  assertEquals(countdown.elapsed(), 10_000_000);
});

Deno.test("stop() leaves no timer and no listener, and keeps the time on screen", () => {
  const { scheduler, wakeups, ends, countdown } = start(5);
  scheduler.run(2_000);
  countdown.stop();
  assertEquals([scheduler.waiting, wakeups.signal?.aborted], [false, true]);
  scheduler.run(60_000);
  wakeups.dispatchEvent(new Event("visibilitychange"));
  assertEquals([ends, countdown.elapsed(), countdown.extend(5)], [[], 2_000, false]);
});

Deno.test("a countdown refuses what is not a number of seconds", () => {
  for (const seconds of [-1, NaN, Infinity]) assertThrows(() => start(seconds), RangeError);
});
