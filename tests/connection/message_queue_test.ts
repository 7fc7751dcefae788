import { MessageQueue } from "../../lib/connection/message_queue.ts";
import { assertEquals } from "../support/assert.ts";
import { settle } from "../support/fake_time.ts";

Deno.test("messages are handled one at a time, in order, once all is ready", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const log: string[] = [];
  const queue = new MessageQueue<number>(promise, async (n) => {
    log.push(`${n} begins`);
    await settle();
    log.push(`${n} ends`);
  });
  queue.push(1);
  queue.push(2);
  await settle();
  assertEquals(log, []);
  resolve();
  await settle(30);
  assertEquals(log, ["1 begins", "1 ends", "2 begins", "2 ends"]);
});

Deno.test("what was not handled can be taken back, once", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const handled: number[] = [];
  const queue = new MessageQueue<number>(Promise.resolve(), async (n) => {
    handled.push(n);
    await promise;
  });
  for (const n of [1, 2, 3]) queue.push(n);
  await settle();
  assertEquals([queue.takeBack(), queue.takeBack()], [[2, 3], []]);
  queue.push(4);
  resolve();
  await settle();
  assertEquals(handled, [1, 4]);
});
