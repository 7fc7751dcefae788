import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { assert, assertEquals, assertRejects } from "@std/assert";

Deno.test("delay() waits, and rejects with the reason of a signal", async () => {
  await delay(1);
  const gone = new Error("gone");
  await assertRejects(() => delay(60_000, { signal: AbortSignal.abort(gone) }), Error, "gone");
  const controller = new AbortController();
  const waiting = delay(60_000, { signal: controller.signal });
  controller.abort(gone);
  await assertRejects(() => waiting, Error, "gone");
});

Deno.test("deadline() resolves as the promise does, in time", async () => {
  assertEquals(await deadline(Promise.resolve(3), 60_000), 3);
  await assertRejects(() => deadline(Promise.reject(new RangeError("no")), 60_000), RangeError);
});

Deno.test("deadline() rejects with a TimeoutError when it has passed", async () => {
  const never = new Promise<void>(() => {});
  assertEquals((await assertRejects(() => deadline(never, 1), DOMException)).name, "TimeoutError");
  const late = await assertRejects(
    () => deadline(never, 60_000, { signal: AbortSignal.abort() }),
    DOMException,
  );
  assert(late.name === "AbortError");
});
