import {
  ChannelClosedError,
  FlowChannel,
  HIGH_WATERMARK,
  LOW_WATERMARK,
} from "../../lib/connection/flow_channel.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { settle } from "../support/fake_time.ts";
import { FakeDataChannel } from "./fake_channel.ts";

const KIB = 1_024;

function start(queued = 0) {
  const channel = new FakeDataChannel();
  channel.stuck = true;
  channel.bufferedAmount = queued;
  return { channel, flow: new FlowChannel(channel) };
}

/** An abort signal that counts its listeners. */
function countingAbort() {
  const controller = new AbortController();
  const { signal } = controller;
  const counted = { listeners: 0 };
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  Object.assign(signal, {
    addEventListener(kind: string, listener: EventListener) {
      counted.listeners++;
      add(kind, listener);
    },
    removeEventListener(kind: string, listener: EventListener) {
      counted.listeners--;
      remove(kind, listener);
    },
  });
  return { controller, signal, counted };
}

/** Whether a promise has settled by now, and how. */
function watch(promise: Promise<void>) {
  const seen = { state: "waiting" };
  promise.then(() => seen.state = "sent", () => seen.state = "refused");
  return seen;
}

Deno.test("send() sends at once while less than 128 KiB are queued", async () => {
  const { channel, flow } = start(128 * KIB - 1);
  await flow.send(new Uint8Array(10));
  assertEquals([channel.sent.length, channel.listeners], [1, 0]);
});

Deno.test("send() waits at 128 KiB and resumes at 64 KiB, not one byte before", async () => {
  const { channel, flow } = start(128 * KIB);
  assertEquals([HIGH_WATERMARK, LOW_WATERMARK], [128 * KIB, 64 * KIB]);
  assertEquals(channel.bufferedAmountLowThreshold, 64 * KIB);
  const sending = watch(flow.send(new Uint8Array(10)));
  channel.drain(64 * KIB - 1);
  await settle();
  assertEquals([sending.state, channel.sent.length], ["waiting", 0]);
  channel.drain(1);
  await settle();
  assertEquals([sending.state, channel.sent.length, channel.listeners], ["sent", 1, 0]);
});

Deno.test("at most the high mark and one message are queued; order is kept", async () => {
  const { channel, flow } = start();
  const size = 64 * KIB;
  const all = (async () => {
    for (let i = 0; i < 100; i++) await flow.send(new Uint8Array(size).fill(i));
  })();
  let done = false;
  all.then(() => done = true);
  while (!done) {
    channel.drain(7 * KIB);
    await Promise.resolve();
  }
  await all;
  assert(channel.mostBuffered < HIGH_WATERMARK + size, `${channel.mostBuffered} bytes queued`);
  assert(channel.mostBuffered > LOW_WATERMARK, "the queue was never filled: nothing was tested");
  assertEquals(channel.sent.map(([first]) => first), Array.from({ length: 100 }, (_, i) => i));
  assertEquals(channel.listeners, 0);
});

Deno.test("closing the channel ends a wait with ChannelClosedError, no listener", async () => {
  const { channel, flow } = start(128 * KIB);
  const { signal, counted } = countingAbort();
  const sending = flow.send(new Uint8Array(10), signal);
  assert(channel.listeners > 0 && counted.listeners > 0);
  channel.close();
  await assertRejects(() => sending, ChannelClosedError);
  assertEquals([channel.listeners, counted.listeners, channel.sent.length], [0, 0, 0]);
});

Deno.test("an abort ends a wait with its reason and leaves no listener", async () => {
  const { channel, flow } = start(128 * KIB);
  const { controller, signal, counted } = countingAbort();
  const sending = flow.send(new Uint8Array(10), signal);
  const reason = new RangeError("enough");
  controller.abort(reason);
  assertEquals(await assertRejects(() => sending, RangeError), reason);
  assertEquals([channel.listeners, counted.listeners, channel.sent.length], [0, 0, 0]);
});

Deno.test("a wait that ended by draining leaves no listener, nor on the signal", async () => {
  const { channel, flow } = start(128 * KIB);
  const { signal, counted } = countingAbort();
  const sending = flow.send(new Uint8Array(10), signal);
  channel.drain(128 * KIB);
  await sending;
  assertEquals([channel.listeners, counted.listeners, channel.sent.length], [0, 0, 1]);
});

Deno.test("a signal that was aborted before keeps send() from sending", async () => {
  for (const queued of [0, 128 * KIB]) {
    const { channel, flow } = start(queued);
    const signal = AbortSignal.abort(new RangeError("before"));
    await assertRejects(() => flow.send(new Uint8Array(10), signal), RangeError);
    assertEquals([channel.listeners, channel.sent.length], [0, 0]);
  }
});

Deno.test("an abort between draining and sending still stops the message", async () => {
  const { channel, flow } = start(128 * KIB);
  const controller = new AbortController();
  const sending = flow.send(new Uint8Array(10), controller.signal);
  channel.drain(128 * KIB);
  controller.abort(new RangeError("late"));
  await assertRejects(() => sending, RangeError);
  assertEquals(channel.sent.length, 0);
});

Deno.test("on a closed channel send() throws ChannelClosedError, queue full or not", async () => {
  for (const queued of [0, 128 * KIB]) {
    const { channel, flow } = start(queued);
    channel.close();
    await assertRejects(() => flow.send(new Uint8Array(10)), ChannelClosedError);
    assertEquals(channel.listeners, 0);
  }
});
