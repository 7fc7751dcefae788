import { createIdentity, type Identity, Peer } from "../../lib/connection/peer.ts";
import { parseFingerprint } from "../../lib/connection/sdp.ts";
import { SecureLink } from "../../lib/connection/secure_link.ts";
import { ControlSealer, encodeControl } from "../../lib/e2e/control_record.ts";
import type { SessionKeys } from "../../lib/e2e/handshake.ts";
import { ProtocolError, randomBytes } from "../../lib/e2e/suite.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import { type Bytes, concat } from "../../lib/protocol/bytes.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import { RECORD } from "../../lib/protocol/record.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { FakeTime, settle, until, withGlobals } from "../support/fake_time.ts";
import { FakePeerConnection, withFakeRtc } from "./fake_rtc.ts";
import { agree, STEADY } from "./keys.ts";

/** A peer, what it sent, and what it told its owner. */
class Person {
  readonly peer: Peer;
  readonly pc: FakePeerConnection;
  readonly relayed: Bytes[] = [];
  readonly links: SecureLink[] = [];
  readonly failures: string[] = [];
  readonly heard: (ControlMessage | Bytes)[] = [];
  readonly ends: string[] = [];
  /** Where its messages are sent. */
  onRelay: (message: Bytes) => void = () => {};

  constructor(identity: Identity, keys: SessionKeys) {
    this.peer = new Peer({
      identity,
      keys,
      iceServers: [],
      send: (message) => {
        this.relayed.push(message);
        this.onRelay(message);
      },
      onBound: (transport) => {
        const link = new SecureLink({ keys, transport });
        this.links.push(link);
        link.listen({
          ...STEADY,
          onControl: ({ message }) => void this.heard.push(message),
          onRecord: (record) => void this.heard.push(record),
          onEnd: (why) => void this.ends.push(why),
        });
      },
      onFailed: (why) => void this.failures.push(why),
    });
    const pc = FakePeerConnection.all.at(-1);
    if (pc === undefined) throw new Error("No connection was made");
    this.pc = pc;
  }
}

const OFFER_AT = 2 + 32;

async function identities() {
  const [s, r] = await Promise.all([createIdentity(), createIdentity()]);
  return { s, r, keys: await agree({ s: s.fingerprint, r: r.fingerprint }) };
}

/** Two honest peers; `relay` is between them. */
async function meet(
  relay: (message: Bytes, from: Role) => readonly Bytes[] = (message) => [message],
) {
  const { s, r, keys } = await identities();
  const sender = new Person(s, keys.s);
  const viewer = new Person(r, keys.r);
  const errors: unknown[] = [];
  let turn: Promise<void> = Promise.resolve();
  const deliver = (to: Person, message: Bytes) => {
    turn = turn.then(async () => {
      if (message[0] !== HANDSHAKE.offer) return await to.peer.receive(message);
      await to.peer.answer(await keys.r.signalOpener.open(message, OFFER_AT));
    }).catch((error) => void errors.push(error));
  };
  sender.onRelay = (message) => relay(message, "S").forEach((item) => deliver(viewer, item));
  viewer.onRelay = (message) => relay(message, "R").forEach((item) => deliver(sender, item));
  await sender.peer.offer(keys.confirm);
  return { sender, viewer, keys, errors };
}

Deno.test("two peers offer, answer, bind, and hand over a link that works both ways", async () => {
  using _rtc = withFakeRtc();
  const { sender, viewer, errors } = await meet();
  await until(() => sender.links.length + viewer.links.length === 2, "both are bound");
  assertEquals(sender.links[0]?.sas, viewer.links[0]?.sas);
  await sender.links[0]?.sendControl({ t: "more", n: 0 });
  await viewer.links[0]?.sendRecord(new Uint8Array([7]));
  await until(() => viewer.heard.length + sender.heard.length === 2, "both heard");
  assertEquals([viewer.heard, sender.heard], [[{ t: "more", n: 0 }], [new Uint8Array([7])]]);
  assertEquals([errors, sender.failures, viewer.failures], [[], [], []]);
});

Deno.test("the offer is first, and the relay reads no address and no fingerprint", async () => {
  using _rtc = withFakeRtc();
  const { sender, viewer } = await meet();
  await until(() => sender.links.length + viewer.links.length === 2, "both are bound");
  const types = ({ relayed }: Person) => relayed.map(([type]) => type);
  assertEquals(types(sender), [HANDSHAKE.offer, HANDSHAKE.candidate, HANDSHAKE.candidate]);
  assertEquals(types(viewer)[0], HANDSHAKE.answer);
  for (const message of [...sender.relayed, ...viewer.relayed]) {
    const text = new TextDecoder("latin1").decode(message);
    assert(!/127\.0\.0\.1|candidate|fingerprint|ufrag/.test(text), text);
  }
});

// Sealed signaling

const MEDDLING: readonly [name: string, change: (message: Bytes) => readonly Bytes[]][] = [
  ["changed", (message) => [message.with(40, (message[40] ?? 0) ^ 1)]],
  ["cut", (message) => [message.slice(0, -1)]],
  ["repeated", (message) => [message, message]],
  ["made unsealed", () => [concat(new Uint8Array([HANDSHAKE.answer, 1]), new Uint8Array(300))]],
  ["given another type", (message) => [message.with(0, 0x07)]],
  ["given another version", (message) => [message.with(1, 2)]],
];

for (const [name, change] of MEDDLING) {
  Deno.test(`an answer that was ${name} on the way is refused`, async () => {
    using _rtc = withFakeRtc();
    const { sender, errors } = await meet((message) =>
      message[0] === HANDSHAKE.answer ? change(message) : [message]
    );
    await until(() => errors.length > 0, "the peer refused");
    assert(errors[0] instanceof ProtocolError, String(errors[0]));
    if (name !== "repeated") assertEquals(sender.links, []);
  });
}

Deno.test("a candidate that is missing or repeated breaks the order: refused", async () => {
  for (const copies of [0, 2]) {
    using _rtc = withFakeRtc();
    let seen = 0;
    const { errors } = await meet((message, from) => {
      const first = message[0] === HANDSHAKE.candidate && from === "R" && seen++ === 0;
      return first ? Array.from({ length: copies }, () => message) : [message];
    });
    await until(() => errors.length > 0, "the peer refused");
    assert(errors[0] instanceof ProtocolError, String(errors[0]));
  }
});

Deno.test("a viewer takes no answer, and nobody accepts a message of an earlier step", async () => {
  using _rtc = withFakeRtc();
  const { s, r, keys } = await identities();
  const viewer = new Person(r, keys.r);
  const sender = new Person(s, keys.s);
  const { sdp } = await sender.pc.createOffer();
  const answer = await keys.s.signalSealer.seal(HANDSHAKE.answer, sdp);
  for (const message of [answer, new Uint8Array([HANDSHAKE.commit, 1]), new Uint8Array(0)]) {
    await assertRejects(() => viewer.peer.receive(message), ProtocolError);
  }
});

Deno.test("an unsupported candidate is ignored, an invalid one refused", async () => {
  using _rtc = withFakeRtc();
  const { r, keys } = await identities();
  const viewer = new Person(r, keys.r);
  const say = async (text: string) =>
    await viewer.peer.receive(await keys.s.signalSealer.seal(HANDSHAKE.candidate, text));
  await say("candidate:1 1 udp 1 fe80::1%eth0 9 typ host");
  await say("candidate:1 1 udp 1 127.0.0.1 9 typ host");
  await say("");
  assertEquals(viewer.pc.remoteCandidates, ["candidate:1 1 udp 1 127.0.0.1 9 typ host"]);
  await assertRejects(() => say("a=fingerprint:sha-256 AA"), ProtocolError);
});

// Attackers who have the keys but not the certificate, or who break the protocol

/** The SDP of a stranger's connection: well-formed, with their own certificate. */
async function foreignSdp(): Promise<string> {
  const { certificate } = await createIdentity();
  const pc: unknown = Reflect.construct(FakePeerConnection, [{ certificates: [certificate] }]);
  if (!(pc instanceof FakePeerConnection)) throw new TypeError("Not a fake connection");
  return (await pc.createOffer()).sdp;
}

const SDP_ATTACKS: readonly [name: string, make: (honest: string, foreign: string) => string][] = [
  ["a foreign fingerprint", (_, foreign) => foreign],
  ["two fingerprints", (honest, foreign) => honest + /^a=fingerprint.*$/m.exec(foreign)?.[0]],
  ["two m-lines", (honest) => `${honest}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n`],
  ["a SHA-1 fingerprint", (honest) => honest.replace("sha-256", "sha-1")],
  ["no fingerprint", (honest) => honest.replace(/^a=fingerprint.*\r\n/m, "")],
];

for (const [name, make] of SDP_ATTACKS) {
  Deno.test(`offer and answer with ${name} are refused although well sealed`, async () => {
    using _rtc = withFakeRtc();
    const { s, r, keys } = await identities();
    const sender = new Person(s, keys.s);
    const viewer = new Person(r, keys.r);
    const sdpOf = async (person: Person) => (await person.pc.createOffer()).sdp;
    const foreign = await foreignSdp();
    const answer = make(await sdpOf(viewer), foreign);
    const sealed = await keys.r.signalSealer.seal(HANDSHAKE.answer, answer);
    await assertRejects(() => sender.peer.receive(sealed), ProtocolError);
    const offer = make(await sdpOf(sender), foreign);
    await assertRejects(() => viewer.peer.answer(offer), ProtocolError);
    await settle();
    assertEquals([sender.links, viewer.links, viewer.relayed], [[], [], []]);
  });
}

/** A peer, and in place of the other one a connection that does what a test wants. */
async function against(role: Role) {
  const { s, r, keys } = await identities();
  const [mine, theirs] = role === "S" ? [s, r] : [r, s];
  const [own, other] = role === "S" ? [keys.s, keys.r] : [keys.r, keys.s];
  const victim = new Person(mine, own);
  const evil: unknown = Reflect.construct(FakePeerConnection, [
    { certificates: [theirs.certificate] },
  ]);
  if (!(evil instanceof FakePeerConnection)) throw new TypeError("Not a fake connection");
  for (const [id, label] of ["control", "files"].entries()) evil.createDataChannel(label, { id });
  const open = Promise.withResolvers<void>();
  evil.files.onopen = open.resolve;
  const echo = Promise.withResolvers<Bytes>();
  evil.control.onmessage = ({ data }) => {
    if (data instanceof ArrayBuffer) echo.resolve(new Uint8Array(data));
  };
  if (role === "S") {
    victim.onRelay = async (message) => {
      if (message[0] !== HANDSHAKE.offer) return;
      await evil.setRemoteDescription({ sdp: await other.signalOpener.open(message, OFFER_AT) });
      const { sdp } = await evil.createAnswer();
      victim.peer.receive(await other.signalSealer.seal(HANDSHAKE.answer, sdp));
    };
    await victim.peer.offer(keys.confirm);
  } else {
    victim.onRelay = async (message) => {
      if (message[0] !== HANDSHAKE.answer) return;
      await evil.setRemoteDescription({ sdp: await other.signalOpener.open(message) });
    };
    await victim.peer.answer((await evil.createOffer()).sdp);
  }
  await open.promise;
  const binding = concat(new Uint8Array([RECORD.bind]), other.ownBinding);
  return { victim, evil, keys: other, binding, echo: echo.promise };
}

type Bout = Awaited<ReturnType<typeof against>>;

const BINDINGS: readonly [
  name: string,
  make: (bout: Bout) => Promise<readonly (Bytes | string)[]>,
][] = [
  ["wrong", () => Promise.resolve([concat(new Uint8Array([RECORD.bind]), randomBytes(32))])],
  [
    "flipped in one bit",
    ({ binding }) => Promise.resolve([binding.with(32, (binding[32] ?? 0) ^ 1)]),
  ],
  ["a reflection of ours", async ({ echo }) => [await echo]],
  ["of another session", async () => {
    const { s } = await agree();
    return [concat(new Uint8Array([RECORD.bind]), s.ownBinding)];
  }],
  ["of another type", ({ binding }) => Promise.resolve([binding.with(0, RECORD.control)])],
  ["cut", ({ binding }) => Promise.resolve([binding.slice(0, -1)])],
  ["lengthened", ({ binding }) => Promise.resolve([concat(binding, new Uint8Array(1))])],
  ["empty", () => Promise.resolve([new Uint8Array(0)])],
  ["text", () => Promise.resolve(["bound"])],
  ["preceded by a control record", async ({ binding, keys }) => [
    await new ControlSealer(keys.controlOut).seal(encodeControl({ t: "keep", on: true })),
    binding,
  ]],
  ["preceded by an empty message", ({ binding }) => Promise.resolve([new Uint8Array(0), binding])],
  [
    "wrong first and right the second time",
    ({ binding }) => Promise.resolve([binding.with(5, (binding[5] ?? 0) ^ 1), binding]),
  ],
];

for (const role of ["S", "R"] as const) {
  for (const [name, make] of BINDINGS) {
    Deno.test(`a binding that is ${name} makes no link for ${role}, and ends it`, async () => {
      using _rtc = withFakeRtc();
      const bout = await against(role);
      const { victim, evil, keys } = bout;
      const sealer = new ControlSealer(keys.controlOut);
      const behind = await sealer.seal(encodeControl({ t: "revoke", all: true }));
      const messages = await make(bout);
      // In one task: a victim who gave up at the first would have closed the channels by the next
      // task.
      for (const message of [...messages, behind]) {
        if (typeof message === "string") victim.pc.control.deliver(message);
        else evil.control.send(message);
      }
      evil.files.send(new Uint8Array(100));
      await until(() => victim.failures.length > 0, "the peer gave up");
      await settle();
      assertEquals([victim.failures, victim.links, victim.heard], [["protocol"], [], []]);
      assert(victim.pc.closed);
    });
  }

  Deno.test(`a binding that is missing for 10 s, or late, makes no link for ${role}`, async () => {
    using _rtc = withFakeRtc();
    using time = new FakeTime();
    const { victim, evil, binding } = await against(role);
    evil.files.send(new Uint8Array(100));
    await time.advance(9_999);
    assertEquals([victim.failures, victim.links], [[], []]);
    await time.advance(1);
    assertEquals([victim.failures, victim.links, victim.pc.closed], [["protocol"], [], true]);
    victim.pc.control.readyState = "open";
    victim.pc.control.deliver(binding);
    await settle(20);
    assertEquals([victim.failures, victim.links, victim.heard], [["protocol"], [], []]);
  });
}

Deno.test("a binding on the file channel is not accepted", async () => {
  using _rtc = withFakeRtc();
  using time = new FakeTime();
  const { victim, evil, binding } = await against("S");
  evil.files.send(binding);
  await settle(20);
  await time.advance(10_000);
  assertEquals([victim.failures, victim.links, victim.heard], [["protocol"], [], []]);
});

Deno.test("what follows a binding is read once it is verified, whole and in order", async () => {
  using _rtc = withFakeRtc();
  const { victim, evil, keys, binding } = await against("S");
  const sealer = new ControlSealer(keys.controlOut);
  const said: ControlMessage[] = Array.from({ length: 10 }, (_, n) => ({ t: "open", n }));
  const sealed: Bytes[] = [];
  for (const message of said) sealed.push(await sealer.seal(encodeControl(message)));
  evil.files.send(new Uint8Array([1]));
  evil.control.send(binding);
  for (const record of sealed) evil.control.send(record);
  evil.files.send(new Uint8Array([2]));
  await until(() => victim.heard.length === 12, "all was heard");
  const records = victim.heard.filter((item) => item instanceof Uint8Array);
  assertEquals(records, [new Uint8Array([1]), new Uint8Array([2])]);
  assertEquals(victim.heard.filter((item) => !(item instanceof Uint8Array)), said);
});

Deno.test("at most 64 short messages wait for a binding; more end it", async () => {
  using _rtc = withFakeRtc();
  for (const [count, size, failures] of [[64, 65_536, 0], [65, 10, 1], [1, 65_537, 1]] as const) {
    const { victim, evil, binding } = await against("S");
    for (let i = 0; i < count; i++) evil.files.send(new Uint8Array(size));
    await settle();
    assertEquals(victim.failures.length, failures, `${count} of ${size} bytes`);
    if (failures > 0) continue;
    evil.control.send(binding);
    await until(() => victim.heard.length === count, "what waited was read");
  }
});

Deno.test("a second binding, once bound, is no control record and ends the link", async () => {
  using _rtc = withFakeRtc();
  const { victim, evil, binding } = await against("S");
  evil.control.send(binding);
  evil.control.send(binding);
  await until(() => victim.ends.length > 0, "the link ended");
  assertEquals([victim.ends, victim.heard], [["protocol"], []]);
});

// Ends

Deno.test("a network without a working route is a failure, reported once", async () => {
  using _rtc = withFakeRtc();
  const { s, keys } = await identities();
  const sender = new Person(s, keys.s);
  await sender.peer.offer(keys.confirm);
  sender.pc.fail();
  sender.pc.fail();
  assertEquals([sender.failures, sender.pc.closed], [["network"], true]);
});

Deno.test("a peer that was given up sends and reports nothing any more", async () => {
  using _rtc = withFakeRtc();
  using time = new FakeTime();
  const { victim, evil, binding } = await against("S");
  const sent = victim.relayed.length;
  victim.peer.close();
  victim.peer.close();
  evil.control.send(binding);
  victim.pc.onicecandidate?.({ candidate: { candidate: "candidate:9" } });
  await settle(20);
  await time.advance(60_000);
  assertEquals([victim.links, victim.failures, victim.relayed.length], [[], [], sent]);
  assert(victim.pc.closed);
});

Deno.test("an answer under way when its peer was given up is no violation", async () => {
  using _rtc = withFakeRtc();
  const late = Promise.withResolvers<Bytes>();
  const { sender, errors } = await meet((message) => {
    if (message[0] !== HANDSHAKE.answer) return [message];
    late.resolve(message);
    return [];
  });
  const answer = await late.promise;
  // As when the server's relay takes over: a busy machine may take longer to answer than the sender
  // waits.
  sender.peer.close();
  await sender.peer.receive(answer);
  assertEquals([errors, sender.failures, sender.links], [[], [], []]);
});

Deno.test("close() does not touch a link that was handed over", async () => {
  using _rtc = withFakeRtc();
  const { sender, viewer } = await meet();
  await until(() => sender.links.length + viewer.links.length === 2, "both are bound");
  sender.peer.close();
  await sender.links[0]?.sendControl({ t: "more", n: 0 });
  await until(() => viewer.heard.length === 1, "it was heard");
  assertEquals([sender.pc.closed, sender.ends, viewer.ends], [false, [], []]);
});

Deno.test("createIdentity() knows its fingerprint, even if certificates hide it", async () => {
  using _rtc = withFakeRtc();
  const certificate = await FakePeerConnection.generateCertificate();
  const expected = parseFingerprint(certificate.value);
  assert(expected !== null);
  const silent = Object.assign(certificate, { getFingerprints: undefined });
  class Old extends FakePeerConnection {
    static override generateCertificate = () => Promise.resolve(silent);
  }
  for (const listed of [undefined, () => [], () => [{ algorithm: "sha-1", value: "AA" }]]) {
    Object.assign(certificate, { getFingerprints: listed });
    using _old = withGlobals({ RTCPeerConnection: Old });
    assertEquals((await createIdentity()).fingerprint, expected);
  }
});
