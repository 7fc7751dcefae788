import type { ConnectionKeys } from "../../lib/e2e/handshake.ts";
import { randomBytes } from "../../lib/e2e/suite.ts";
import { ChannelClosedError } from "../../lib/connection/flow_channel.ts";
import { createIdentity, Peer } from "../../lib/connection/peer.ts";
import { RtcTransport } from "../../lib/connection/rtc_transport.ts";
import { StripedTransport } from "../../lib/connection/striped_transport.ts";
import type { TransportState } from "../../lib/connection/transport.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import { RECORD } from "../../lib/protocol/record.ts";
import {
  encodeArrived,
  encodePlaced,
  encodeStripe,
  STRIPE_WINDOW,
  STRIPES,
} from "../../lib/protocol/stripe.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { settle, until, withGlobals } from "../support/fake_time.ts";
import { FakeDataChannel } from "./fake_channel.ts";
import { FakePeerConnection, withFakeRtc } from "./fake_rtc.ts";
import { agree } from "./keys.ts";
import { FakeConnection } from "./link_pair.ts";

/** One end, and what its owner received. */
interface End {
  readonly transport: StripedTransport;
  readonly pc: FakeConnection;
  readonly control: FakeDataChannel;
  readonly files: FakeDataChannel;
  readonly records: number[];
  readonly said: unknown[];
  readonly states: TransportState[];
}

/** Changes what one end has of its own. */
interface Meddling {
  readonly keysOfViewer?: (keys: ConnectionKeys, n: number) => ConnectionKeys;
}

/** A record that contains its own number. */
function record(n: number): Bytes {
  const bytes = new Uint8Array(60_000);
  bytes[0] = RECORD.chunk;
  new DataView(bytes.buffer).setUint32(4, n);
  return bytes;
}

/** Two ends on a first connection with a round trip of `seconds()`. */
async function meet(
  { seconds = () => 0.1, ...meddling }: Meddling & { readonly seconds?: () => number } = {},
): Promise<{ s: End; r: End; offer(by: "s" | "r", n: number): Promise<Bytes> }> {
  const [identityS, identityR] = [await createIdentity(), await createIdentity()];
  const keys = await agree({ s: identityS.fingerprint, r: identityR.fingerprint });
  const [controlS, controlR] = FakeDataChannel.pair();
  const [filesS, filesR] = FakeDataChannel.pair();
  const make = (role: "s" | "r", control: FakeDataChannel, files: FakeDataChannel): End => {
    const pc = new FakeConnection(control, files);
    pc.getStats = () =>
      Promise.resolve(
        new Map([
          ["t", { type: "transport", selectedCandidatePairId: "p" }],
          ["p", { type: "candidate-pair", currentRoundTripTime: seconds() }],
        ]),
      );
    const identity = role === "s" ? identityS : identityR;
    const own = keys[role];
    const stripe = async (n: number) => {
      const honest = await own.stripe(n);
      return role === "r" ? meddling.keysOfViewer?.(honest, n) ?? honest : honest;
    };
    const transport = new StripedTransport({
      first: new RtcTransport({ pc, control, files }),
      keys: { role: own.role, stripe },
      connect: (options) => new Peer({ ...options, identity, iceServers: [] }),
    });
    const end: End = { transport, pc, control, files, records: [], said: [], states: [] };
    transport.listen({
      onMessage: (lane, data) => {
        if (lane === "control" || !(data instanceof ArrayBuffer || data instanceof Uint8Array)) {
          return void end.said.push(data);
        }
        const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
        end.records.push(new DataView(bytes.buffer, bytes.byteOffset).getUint32(4));
      },
      onState: (state) => void end.states.push(state),
    });
    return end;
  };
  return {
    s: make("s", controlS, filesS),
    r: make("r", controlR, filesR),
    /**
     * The message with which an attacker offers the n-th connection, sealed as well as possible.
     */
    async offer(by, n) {
      const { certificate } = by === "s" ? identityS : identityR;
      const { sdp } = await new RTCPeerConnection({ certificates: [certificate] }).createOffer();
      const { signalSealer } = await keys[by].stripe(n);
      return encodeStripe(n, await signalSealer.seal(HANDSHAKE.offer, sdp ?? ""));
    },
  };
}

/** Takes time, as a connection does, so that the next record uses another one. */
function slowly(channel: FakeDataChannel, ms: number): void {
  channel.stuck = true;
  channel.tamper = (message) => {
    setTimeout(() => {
      channel.drain(message.length);
      channel.other?.deliver(message);
    }, ms);
    return [];
  };
}

/** All file lanes at one end. */
function lanes(end: End, remoteIsOffer: boolean): readonly FakeDataChannel[] {
  const further = opened().filter((pc) => pc.remoteIsOffer === remoteIsOffer);
  return [end.files, ...further.map(({ files }) => files)];
}

/**
 * Sends records on a line so slow that the others are set up. Resolves to the number of records.
 */
async function stripe({ s }: { s: End }): Promise<number> {
  await sendAll(s, 0, 7);
  await waiting(3_000, () => sendAll(s, 7, 8));
  await settle(20);
  return 8;
}

/** What is sent meanwhile waits for `ms`, by the clock. */
async function waiting(ms: number, send: () => Promise<void>): Promise<void> {
  let now = performance.now();
  using _ = withGlobals({ performance: { now: () => now += ms } });
  await send();
}

/** The connections besides the first, of both ends. */
function others(): readonly FakePeerConnection[] {
  return FakePeerConnection.all;
}

async function sendAll(end: End, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) await end.transport.send("files", record(n));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

const opened = () => others().filter(({ connectionState }) => connectionState === "connected");

Deno.test("on a short round trip, one connection is used", async () => {
  using _rtc = withFakeRtc();
  const { s, r } = await meet({ seconds: () => 0.01 });
  const next = await stripe({ s });
  await sendAll(s, next, 40);
  await until(() => r.records.length === 40, "all arrived");
  assertEquals([r.records, others().length], [upTo(40), 0]);
});

Deno.test("when a short round trip becomes long, the other connections are set up", async () => {
  using _rtc = withFakeRtc();
  let seconds = 0.01;
  const { s } = await meet({ seconds: () => seconds });
  const next = await stripe({ s });
  assertEquals(others().length, 0);
  seconds = 0.1;
  await waiting(3_000, () => sendAll(s, next, next + 1));
  await until(() => opened().length === 2 * STRIPES, "all are connected");
});

Deno.test("on a long round trip with a fast connection, one is used", async () => {
  using _rtc = withFakeRtc();
  const { s, r } = await meet();
  // 40 records in a second of waiting.
  await waiting(25, () => sendAll(s, 0, 100));
  await until(() => r.records.length === 100, "all arrived");
  assertEquals([r.records, others().length], [upTo(100), 0]);
});

Deno.test("far and slow: records use four connections and are put in order", async () => {
  using _rtc = withFakeRtc();
  const { s, r } = await meet();
  const next = await stripe({ s });
  await until(() => opened().length === 2 * STRIPES, "all are connected");
  await settle(20);
  // Each with another delay, so that later records arrive first.
  const all = lanes(s, false);
  for (const [i, channel] of all.entries()) slowly(channel, 5 * (all.length - i));
  await sendAll(s, next, 200);
  await until(() => r.records.length === 200, "all arrived");
  assertEquals(r.records, upTo(200));
  for (const { sent } of all) assert(sent.length > 5, `${sent.length} records on one of them`);
  assertEquals([s.said, r.said], [[], []]);
});

Deno.test("the viewer's own pictures use them as well, but control messages never do", async () => {
  using _rtc = withFakeRtc();
  const { s, r } = await meet();
  const next = await stripe({ s });
  await until(() => opened().length === 2 * STRIPES, "all are connected");
  await settle(20);
  for (const channel of [...lanes(s, false), ...lanes(r, true)]) slowly(channel, 2);
  await sendAll(r, 0, 50);
  await sendAll(s, next, 50);
  assert(lanes(r, true).every(({ sent }) => sent.length > 3), "the viewer uses them all");
  await s.transport.send("control", new Uint8Array([RECORD.control, 1]));
  await until(() => s.records.length === 50 && r.records.length === 50, "all arrived");
  await until(() => r.said.length === 1, "it was heard");
  assertEquals([s.records, r.records], [upTo(50), upTo(50)]);
  // One binding each, and nothing else.
  for (const pc of opened()) assertEquals(pc.control.sent.length, 1);
});

Deno.test("when one breaks, the first resumes at the first missing record, once", async () => {
  using _rtc = withFakeRtc();
  const { s, r } = await meet();
  const next = await stripe({ s });
  await until(() => opened().length === 2 * STRIPES, "all are connected");
  await settle(20);
  for (const channel of lanes(s, false)) slowly(channel, 2);
  const [dying] = opened().filter(({ remoteIsOffer }) => !remoteIsOffer);
  assert(dying !== undefined, "there is one");
  dying.files.tamper = () => [];
  const sending = sendAll(s, next, 60);
  await settle(50);
  assert(r.records.length < 60, "something is missing");
  dying.fail();
  await sending;
  await sendAll(s, 60, 120);
  await until(() => r.records.length >= 120, "all arrived");
  await settle(20);
  assertEquals(r.records, upTo(120));
  assert(others().every(({ closed }) => closed), "the others are closed at both ends");
  assertEquals([s.states, r.states], [[], []]);
});

Deno.test("when the first one is repaired the others are dropped, and it goes on", async () => {
  using _rtc = withFakeRtc();
  const { s, r } = await meet();
  const next = await stripe({ s });
  await until(() => opened().length === 2 * STRIPES, "all are connected");
  await settle(20);
  for (const channel of lanes(s, false)) slowly(channel, 2);
  await sendAll(s, next, 60);
  s.pc.become("disconnected");
  s.pc.become("connected");
  await sendAll(s, 60, 90);
  await until(() => r.records.length >= 90, "all arrived");
  assertEquals([r.records, s.states], [upTo(90), ["shaky", "up"]]);
  await settle(20);
  assert(others().every(({ closed }) => closed), "the others are closed");
});

Deno.test("what is still under way on the first one when others open counts too", async () => {
  using _rtc = withFakeRtc();
  const { s, r } = await meet();
  // As much as a browser may have in flight, arriving late.
  s.files.tamper = (message) => {
    setTimeout(() => s.files.other?.deliver(message), 1_000);
    return [];
  };
  await sendAll(s, 0, 7);
  await waiting(3_000, () => sendAll(s, 7, 8));
  await sendAll(s, 8, STRIPE_WINDOW + 20);
  await until(() => opened().length === 2 * STRIPES, "all are connected");
  await settle(20);
  // Its queue is longer than theirs, so they are faster.
  s.files.bufferedAmount = 100_000;
  await sendAll(s, STRIPE_WINDOW + 20, 3 * STRIPE_WINDOW);
  await until(() => r.records.length >= 3 * STRIPE_WINDOW || r.said.length > 0, "all arrived");
  assertEquals([r.records, r.said], [upTo(3 * STRIPE_WINDOW), []]);
});

Deno.test("no more is under way than the other side can hold; closing ends waits", async () => {
  using _rtc = withFakeRtc();
  const { s, r } = await meet();
  const next = await stripe({ s });
  await until(() => opened().length === 2 * STRIPES, "all are connected");
  await settle(20);
  // Nothing that arrived is acknowledged.
  r.control.tamper = () => [];
  const sending = sendAll(s, next, 1_000);
  const ended = assertRejects(() => sending, ChannelClosedError);
  await settle(50);
  assert(r.records.length <= next + STRIPE_WINDOW, `${r.records.length} records`);
  const abort = new AbortController();
  const aborted = assertRejects(
    () => s.transport.send("files", record(0), abort.signal),
    DOMException,
  );
  abort.abort();
  await aborted;
  s.transport.close();
  await ended;
  assert(others().every(({ closed }) => closed), "the others are closed");
});

Deno.test("where the others can't be set up, one connection is used", async () => {
  using _rtc = withFakeRtc();
  FakePeerConnection.blocked = true;
  const { s, r } = await meet();
  const next = await stripe({ s });
  await settle(20);
  for (const pc of [...others()]) pc.fail();
  await sendAll(s, next, 40);
  await until(() => r.records.length === 40, "all arrived");
  assertEquals(r.records, upTo(40));
  assertEquals([s.said, s.states, r.said, r.states], [[], [], [], []]);
});

// An attacking peer. A `null` that reaches the link ends it.

const BREACH: readonly unknown[] = [null];

Deno.test("a further connection with a wrong or reflected binding ends the link", async () => {
  for (const wrong of ["random", "of another number", "reflected"]) {
    using _rtc = withFakeRtc();
    let of1: ConnectionKeys | null = null;
    const { s } = await meet({
      keysOfViewer: (keys, n) => {
        of1 ??= keys;
        if (wrong === "random") return { ...keys, ownBinding: randomBytes(32) };
        if (wrong === "of another number" && n > 1) {
          return { ...keys, ownBinding: of1.ownBinding };
        }
        return keys;
      },
    });
    const { send } = FakeDataChannel.prototype;
    const sending = stripe({ s });
    sending.catch(() => {});
    if (wrong === "reflected") {
      using _restore = {
        [Symbol.dispose]: () => void (FakeDataChannel.prototype.send = send),
      };
      // The sender's first message is reflected in place of the viewer's.
      FakeDataChannel.prototype.send = function (data) {
        const mine = others().find(({ channels }) => channels.includes(this));
        if (data[0] !== RECORD.bind || mine === undefined) return send.call(this, data);
        if (!mine.remoteIsOffer) this.deliver(data);
      };
      await until(() => s.said.length > 0, "the sender saw it");
    } else {
      await until(() => s.said.length > 0, `the sender saw a binding that is ${wrong}`);
    }
    assertEquals(s.said[0], null);
    await sending;
    s.transport.close();
  }
});

Deno.test("records within the window are held, one beyond it ends the link", async () => {
  using _rtc = withFakeRtc();
  const { r } = await meet();
  for (let place = STRIPE_WINDOW - 1; place > 0; place--) {
    r.files.deliver(encodePlaced(place, record(place)));
  }
  assertEquals([r.records, r.said], [[], []]);
  r.files.deliver(encodePlaced(STRIPE_WINDOW, record(STRIPE_WINDOW)));
  assertEquals([r.records, r.said], [[], BREACH]);
});

Deno.test("duplicates are dropped, also of records that arrived early", async () => {
  using _rtc = withFakeRtc();
  const { r } = await meet();
  for (const place of [1, 1, 0, 0, 1, 2]) r.files.deliver(encodePlaced(place, record(place)));
  assertEquals([r.records, r.said], [[0, 1, 2], []]);
});

const NONSENSE: readonly (readonly [
  what: string,
  lane: "control" | "files",
  message: Bytes,
])[] = [
  ["a truncated record number", "files", new Uint8Array([RECORD.placed, 0, 0])],
  ["an acknowledgement of records that were never sent", "control", encodeArrived(1)],
  ["an extended acknowledgement", "control", new Uint8Array([...encodeArrived(0), 0])],
  ["a truncated acknowledgement", "control", encodeArrived(0).slice(0, 3)],
  ["an offer with a forged seal", "control", encodeStripe(1, new Uint8Array(80).fill(4))],
];

for (const [what, lane, message] of NONSENSE) {
  Deno.test(`${what} ends the link`, async () => {
    using _rtc = withFakeRtc();
    const { r } = await meet();
    r[lane].deliver(message);
    await settle(20);
    assertEquals([r.said, r.records], [BREACH, []]);
  });
}

Deno.test("a sender takes no offer, and a viewer takes each number once", async () => {
  using _rtc = withFakeRtc();
  const { s, r, offer } = await meet();
  s.control.deliver(await offer("r", 1));
  await settle(20);
  assertEquals(s.said, BREACH);
  const offers: Bytes[] = [];
  s.control.tamper = (message) => {
    if (message[0] === RECORD.stripe && message[2] === 4) offers.push(message);
    return [message];
  };
  const { s: sender, r: viewer } = await meet();
  sender.control.tamper = s.control.tamper;
  await stripe({ s: sender });
  await until(() => offers.length === STRIPES, "all were offered");
  assertEquals(viewer.said, []);
  for (const offer of offers.slice(0, 1)) viewer.control.deliver(offer);
  await until(() => viewer.said.length > 0, "the second one was seen");
  assertEquals([viewer.said, r.said], [BREACH, []]);
});

Deno.test("a viewer takes offers of valid numbers only", async () => {
  for (
    const [n, expected] of [[0, BREACH], [1, []], [STRIPES, []], [STRIPES + 1, BREACH]] as const
  ) {
    using _rtc = withFakeRtc();
    const { r, offer } = await meet();
    r.control.deliver(await offer("s", n));
    await settle(20);
    assertEquals(r.said, expected, `number ${n}`);
    r.transport.close();
  }
});

Deno.test("only numbered records may arrive over a further connection", async () => {
  using _rtc = withFakeRtc();
  const { s, r } = await meet();
  await stripe({ s });
  await until(() => opened().length === 2 * STRIPES, "all are connected");
  await settle(20);
  const at = opened().find(({ remoteIsOffer }) => remoteIsOffer);
  at?.files.deliver(record(0));
  assertEquals(r.said, BREACH);
  at?.control.deliver(encodeArrived(0));
  assertEquals(r.said, [...BREACH, ...BREACH]);
});
