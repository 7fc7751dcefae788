import { WakeLock } from "../../lib/device/wake_lock.ts";
import { assertEquals } from "../support/assert.ts";
import { withGlobals } from "../support/fake_time.ts";

/** A screen, and a page on it. */
class FakeScreen extends EventTarget {
  visibilityState = "visible";
  readonly locks: { released: boolean; release(): Promise<void> }[] = [];
  readonly navigator = {
    wakeLock: {
      request: () => {
        if (this.visibilityState === "hidden") return Promise.reject(new Error("hidden"));
        const lock = {
          released: false,
          release() {
            lock.released = true;
            return Promise.resolve();
          },
        };
        this.locks.push(lock);
        return Promise.resolve(lock);
      },
    },
  };

  /** Locks that currently keep the screen awake. */
  get held(): number {
    return this.locks.filter(({ released }) => !released).length;
  }

  /** As browsers do: the lock of a hidden page is released. */
  show(visible: boolean): void {
    this.visibilityState = visible ? "visible" : "hidden";
    if (!visible) { for (const lock of this.locks) lock.released = true; }
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

async function test(
  body: (screen: FakeScreen, lock: WakeLock, ending: AbortController) => Promise<void>,
): Promise<void> {
  const screen = new FakeScreen();
  using _globals = withGlobals({ document: screen, navigator: screen.navigator });
  const ending = new AbortController();
  await body(screen, new WakeLock(ending.signal), ending);
}

Deno.test("the screen is kept awake while that is wanted, by one lock", () =>
  test(async (screen, lock) => {
    await Promise.all([lock.keep(true), lock.keep(true)]);
    assertEquals([screen.held, screen.locks.length], [1, 1]);
    await lock.keep(false);
    assertEquals(screen.held, 0);
  }));

Deno.test("a page that comes back takes the lock again, as long as it is wanted", () =>
  test(async (screen, lock) => {
    await lock.keep(true);
    screen.show(false);
    assertEquals(screen.held, 0);
    screen.show(true);
    await lock.keep(true);
    assertEquals([screen.held, screen.locks.length], [1, 2]);
    await lock.keep(false);
    screen.show(false);
    screen.show(true);
    await lock.keep(false);
    assertEquals(screen.held, 0);
  }));

Deno.test("the latest request counts, however fast it changes", () =>
  test(async (screen, lock) => {
    void lock.keep(true);
    void lock.keep(false);
    await lock.keep(true);
    assertEquals(screen.held, 1);
    void lock.keep(true);
    await lock.keep(false);
    assertEquals(screen.held, 0);
  }));

Deno.test("a page that is over lets the screen sleep", () =>
  test(async (screen, lock, ending) => {
    await lock.keep(true);
    ending.abort();
    await lock.keep(false);
    assertEquals(screen.held, 0);
  }));

Deno.test("a browser that refuses, or has no wake lock, is no failure", async () => {
  await test(async (screen, lock) => {
    screen.visibilityState = "visible";
    screen.navigator.wakeLock.request = () => Promise.reject(new Error("battery"));
    await lock.keep(true);
    assertEquals(screen.held, 0);
  });
  using _globals = withGlobals({ document: new EventTarget(), navigator: {} });
  await new WakeLock(new AbortController().signal).keep(true);
});
