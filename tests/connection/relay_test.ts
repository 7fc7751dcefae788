/**
 * ICE servers and the hidden address, from the server's `ice` to the settings of the connection.
 *
 * @module
 */
import { createLinkSecret } from "../../lib/e2e/link.ts";
import { type IceIssuer, iceIssuer } from "../../lib/ops/turn.ts";
import { createIdentity, Peer } from "../../lib/connection/peer.ts";
import { pairOf, routeOf } from "../../lib/connection/route.ts";
import { randomBytes } from "../../lib/e2e/suite.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import { assertEquals } from "../support/assert.ts";
import { until } from "../support/fake_time.ts";
import { FakePeerConnection, withFakeRtc } from "./fake_rtc.ts";
import { agree } from "./keys.ts";
import { Lobby } from "./lobby.ts";
import { Person } from "./person.ts";

const TURN = iceIssuer({
  servers: [{ urls: ["stun:a.example"] }],
  turnUrls: ["turn:a.example"],
  turnSecret: "a secret of the relay and the app",
});
const STUN = iceIssuer({
  servers: [{ urls: ["stun:a.example"] }],
  turnUrls: [],
  turnSecret: "",
});
/** Credentials that have expired when they arrive. */
const STALE: IceIssuer = (guest) => {
  const message = TURN(guest);
  return message === null ? null : { ...message, exp: 0 };
};

async function couple(lobby: Lobby, prepare: (sender: Person, viewer: Person) => void) {
  const secret = createLinkSecret();
  const sender = new Person("S", secret, lobby.url);
  const viewer = new Person("R", secret, lobby.url);
  prepare(sender, viewer);
  await sender.connection.start();
  await until(() => sender.seated === 1, "the sender is seated");
  await viewer.connection.start();
  return { sender, viewer };
}

function settings() {
  return FakePeerConnection.all.map(({ settings: { iceServers = [], iceTransportPolicy } }) => ({
    urls: iceServers.flatMap(({ urls }) => urls),
    policy: iceTransportPolicy,
  }));
}

Deno.test("both sides use the ICE servers that they were given, or none", async () => {
  for (const ice of [TURN, undefined]) {
    using _rtc = withFakeRtc();
    await using lobby = new Lobby(ice);
    const { sender, viewer } = await couple(lobby, () => {});
    using _sender = sender;
    using _viewer = viewer;
    await until(() => sender.bound && viewer.bound, "both are bound");
    const urls = ice === undefined ? [] : ["stun:a.example", "turn:a.example"];
    assertEquals(settings(), [{ urls, policy: "all" }, { urls, policy: "all" }]);
  }
});

Deno.test("whoever hides their address uses TURN only; the other side is free", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby(TURN);
  const { sender, viewer } = await couple(
    lobby,
    (_, viewer) => viewer.connection.hideAddress(true),
  );
  using _sender = sender;
  using _viewer = viewer;
  await until(() => sender.bound && viewer.bound, "both are bound");
  assertEquals(settings().map(({ policy }) => policy), ["all", "relay"]);
});

Deno.test("a peer that hides its address seals only relay candidates", async () => {
  using _rtc = withFakeRtc();
  FakePeerConnection.candidates = 3;
  for (const [relayOnly, sealed] of [[false, 3], [true, 0]] as const) {
    const identity = await createIdentity();
    const keys = await agree({ s: identity.fingerprint, r: randomBytes(32) });
    const types: (number | undefined)[] = [];
    const peer = new Peer({
      identity,
      keys: keys.s,
      iceServers: [],
      relayOnly,
      send: ([type]) => void types.push(type),
      onBound() {},
      onFailed() {},
    });
    await peer.offer(keys.confirm);
    // The last one marks the end of candidates.
    const expected = [HANDSHAKE.offer, ...Array(sealed + 1).fill(HANDSHAKE.candidate)];
    await until(() => types.length >= expected.length, "all is sealed");
    assertEquals(types, expected);
    peer.close();
  }
});

for (const role of ["S", "R"] as const) {
  for (
    const [what, ice] of [["none", undefined], ["STUN alone", STUN], [
      "old credentials",
      STALE,
    ]] as const
  ) {
    const who = role === "S" ? "a sender" : "a viewer";
    Deno.test(`${who} who hides, with ${what} from the server, fails: no relay`, async () => {
      using _rtc = withFakeRtc();
      await using lobby = new Lobby(ice);
      const { sender, viewer } = await couple(lobby, (sender, viewer) => {
        (role === "S" ? sender : viewer).connection.hideAddress(true);
      });
      using _sender = sender;
      using _viewer = viewer;
      const hidden = role === "S" ? sender : viewer;
      await until(() => hidden.failures.length > 0, "they were told");
      assertEquals([hidden.failures, FakePeerConnection.all.length], [["no_relay"], 0]);
    });
  }
}

Deno.test("a server that comes back without TURN leaves no old credentials", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby(TURN);
  const secret = createLinkSecret();
  using sender = new Person("S", secret, lobby.url);
  await sender.connection.start();
  await until(() => sender.seated === 1, "the sender is seated");
  using first = new Person("R", secret, lobby.url);
  FakePeerConnection.candidates = 0;
  await first.connection.start();
  await until(() => sender.peers.includes(true), "they met");
  first.connection.end();
  await until(() => sender.peers.at(-1) === false, "the viewer left");
  await lobby.restart(() => null);
  await until(() => sender.seated === 2, "the sender is seated again");
  FakePeerConnection.all = [];
  using second = new Person("R", secret, lobby.url);
  await second.connection.start();
  await until(() => second.bound, "both are bound");
  assertEquals(settings().map(({ urls }) => urls), [[], []]);
});

/** Statistics of a connection, as an engine reports them. */
function statistics(entries: Record<string, object>) {
  return { getStats: () => Promise.resolve(new Map(Object.entries(entries))) };
}

const ENDS = {
  host: { type: "local-candidate", candidateType: "host" },
  own: { type: "local-candidate", candidateType: "relay" },
  far: { type: "remote-candidate", candidateType: "srflx" },
  other: { type: "remote-candidate", candidateType: "relay" },
};

Deno.test("routeOf() says direct or relayed, by either end, in both engines", async () => {
  for (
    const [local, remote, way] of [
      ["host", "far", "direct"],
      ["own", "far", "relayed"],
      ["host", "other", "relayed"],
      ["own", "other", "relayed"],
    ] as const
  ) {
    const pair = { type: "candidate-pair", localCandidateId: local, remoteCandidateId: remote };
    const unused = { ...pair, localCandidateId: "own", remoteCandidateId: "other" };
    const chromium = { transport: { type: "transport", selectedCandidatePairId: "pair" } };
    assertEquals(await routeOf(statistics({ unused, ...ENDS, pair, ...chromium })), way);
    assertEquals(
      await routeOf(statistics({ unused, ...ENDS, pair: { ...pair, selected: true } })),
      way,
    );
  }
});

Deno.test("routeOf() returns nothing where the engine reports nothing", async () => {
  const pair = { type: "candidate-pair", localCandidateId: "host", remoteCandidateId: "gone" };
  const transport = { type: "transport", selectedCandidatePairId: "pair" };
  assertEquals(await routeOf(statistics({})), null);
  assertEquals(await routeOf(statistics({ ...ENDS, pair, transport })), null);
  assertEquals(await routeOf({ getStats: () => Promise.reject(new TypeError("closed")) }), null);
});

Deno.test("pairOf() says how the own TURN relay is reached, never the other side's", async () => {
  const pair = { type: "candidate-pair", localCandidateId: "own", remoteCandidateId: "other" };
  const transport = { type: "transport", selectedCandidatePairId: "pair" };
  for (
    const [own, protocol] of [
      [{ candidateType: "relay", relayProtocol: "tls" }, "tls"],
      [{ candidateType: "relay", relayProtocol: "tcp" }, "tcp"],
      [{ candidateType: "relay", relayProtocol: "udp" }, "udp"],
      [{ candidateType: "relay", relayProtocol: "192.0.2.1" }, null],
      [{ candidateType: "relay" }, null],
      [{ candidateType: "srflx", relayProtocol: "udp" }, null],
    ] as const
  ) {
    const other = { ...ENDS.other, relayProtocol: "udp" };
    const found = await pairOf(statistics({ pair, transport, own, other }));
    assertEquals(found?.relayProtocol, protocol);
  }
});
