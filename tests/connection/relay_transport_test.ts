import { ChannelClosedError } from "../../lib/connection/flow_channel.ts";
import { parseFrame, RelayTransport, WINDOW } from "../../lib/connection/relay_transport.ts";
import type { Lane, TransportState } from "../../lib/connection/transport.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { FakeTime, settle } from "../support/fake_time.ts";

/** One end, with what it sent and received; nothing is delivered by itself. */
class End {
  readonly said: Bytes[] = [];
  readonly heard: { readonly lane: Lane; readonly data: unknown }[] = [];
  readonly states: TransportState[] = [];
  reachable = true;
  readonly transport: RelayTransport;

  constructor(k = 1) {
    this.transport = new RelayTransport(k, (frame) => {
      if (this.reachable) this.said.push(frame);
      return this.reachable;
    });
    this.transport.listen({
      onMessage: (lane, data) => void this.heard.push({ lane, data }),
      onState: (state) => void this.states.push(state),
    });
  }

  /** Delivers what was sent since the last call. */
  passTo(other: End): void {
    for (const bytes of this.said.splice(0)) {
      const frame = parseFrame(bytes);
      assert(frame !== null);
      other.transport.receive(frame);
    }
  }
}

const RECORD = new Uint8Array(64 * 1024);

Deno.test("messages of both lanes arrive as they were sent", async () => {
  const [a, b] = [new End(), new End()];
  await a.transport.send("control", new Uint8Array([1, 2]));
  await a.transport.send("files", new Uint8Array([3]));
  a.passTo(b);
  assertEquals(b.heard, [
    { lane: "control", data: new Uint8Array([1, 2]) },
    { lane: "files", data: new Uint8Array([3]) },
  ]);
});

Deno.test("files wait for acknowledgements beyond the window; control does not", async () => {
  const [a, b] = [new End(), new End()];
  let sent = 0;
  const sending = (async () => {
    for (; sent < 10; sent++) await a.transport.send("files", RECORD);
  })();
  await settle();
  assertEquals(sent, WINDOW / RECORD.length);
  await a.transport.send("control", new Uint8Array([1]));
  assertEquals(a.said.length, sent + 1);
  for (let i = 0; i < 10; i++) {
    a.passTo(b);
    b.passTo(a);
    await settle();
    assert(a.said.length <= WINDOW / RECORD.length + 1);
  }
  await sending;
  assertEquals(b.heard.length, 11);
});

Deno.test("a wait for room ends when it is over, with the reason of an abort", async () => {
  const end = new End();
  for (let i = 0; i < WINDOW / RECORD.length; i++) await end.transport.send("files", RECORD);
  const abort = new AbortController();
  const unwanted = end.transport.send("files", RECORD, abort.signal);
  abort.abort();
  await assertRejects(() => unwanted, DOMException);
  const waiting = end.transport.send("files", RECORD);
  end.transport.close();
  await assertRejects(() => waiting, ChannelClosedError);
  assertEquals(end.states, []);
});

Deno.test("an unreachable server makes it stuck, once; then all is silent", async () => {
  const [a, b] = [new End(), new End()];
  a.reachable = false;
  await a.transport.send("control", new Uint8Array([1]));
  a.transport.broke();
  assertEquals(a.states, ["stuck"]);
  await assertRejects(() => a.transport.send("control", new Uint8Array([2])), ChannelClosedError);
  await b.transport.send("control", new Uint8Array([3]));
  b.passTo(a);
  assertEquals(a.heard, []);
});

Deno.test("frames of another transport, of no lane, or too short are ignored", async () => {
  const [old, now] = [new End(1), new End(2)];
  await old.transport.send("control", new Uint8Array([1]));
  old.passTo(now);
  now.transport.receive({ k: 2, kind: 9, body: new Uint8Array([1]) });
  assertEquals([now.heard, now.said, parseFrame(new Uint8Array(4))], [[], [], null]);
});

Deno.test("a message is confirmed once it was opened, unless all is over by then", async () => {
  const [a, b] = [new End(), new End()];
  const opened = Promise.withResolvers<void>();
  b.transport.listen({ onMessage: () => opened.promise, onState() {} });
  await a.transport.send("control", new Uint8Array([1]));
  a.passTo(b);
  await settle();
  assertEquals(b.said, []);
  opened.resolve();
  await settle();
  assertEquals(b.said.length, 1);
  await a.transport.send("control", new Uint8Array([1]));
  a.passTo(b);
  b.transport.close();
  await settle();
  assertEquals(b.said.length, 1);
});

Deno.test("flushing tells whether the other end opened everything", async () => {
  for (const opens of [true, false]) {
    const [a, b] = [new End(), new End()];
    using time = new FakeTime();
    if (!opens) b.transport.listen({ onMessage: () => new Promise(() => {}), onState() {} });
    await a.transport.send("control", new Uint8Array([1]));
    const flushing = a.transport.flush();
    a.passTo(b);
    b.passTo(a);
    await settle();
    await time.advance(1_000);
    assertEquals(await flushing, opens);
  }
});

Deno.test("flushing waits for the other end, but not for ever", async () => {
  const [a, b] = [new End(), new End()];
  await a.transport.send("control", new Uint8Array([1]));
  let flushed = false;
  const flushing = a.transport.flush().then(() => flushed = true);
  await settle();
  assertEquals(flushed, false);
  a.passTo(b);
  b.passTo(a);
  await flushing;
});
