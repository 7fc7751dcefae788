/** Codes, as connections see them; connection_test.ts covers links. */
import { type Code, loadWordlist, parseCode } from "../../lib/e2e/code.ts";
import { SenderHandshake, ViewerHandshake } from "../../lib/e2e/handshake.ts";
import { loadKem } from "../../lib/e2e/kem.ts";
import { createLinkSecret, deriveRoom } from "../../lib/e2e/link.ts";
import { randomBytes } from "../../lib/e2e/suite.ts";
import { type Bytes, fromBase64Url, toBase64Url } from "../../lib/protocol/bytes.ts";
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import { CONNECT_TIMEOUT_MS, MAX_HANDSHAKES } from "../../lib/protocol/limits.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { FakeTime, settle, until, withGlobals } from "../support/fake_time.ts";
import { FakePeerConnection, withFakeRtc } from "./fake_rtc.ts";
import { FakeWebSocket } from "./fake_web_socket.ts";
import { Lobby } from "./lobby.ts";
import { Person } from "./person.ts";

const list = await loadWordlist();

function read(text: string | null | undefined): Code {
  const code = parseCode(text ?? "", list);
  if ("reason" in code) throw new Error(`Not a code: ${text}`);
  return code;
}

/** A sender who shows a code, on a real server. */
async function offer(lobby: Lobby): Promise<{ sender: Person; secret: Bytes; code: Code }> {
  const secret = createLinkSecret();
  const sender = new Person("S", secret, lobby.url);
  await sender.connection.start();
  await until(() => sender.codes.length === 1, "the code is out");
  return { sender, secret, code: read(sender.codes[0]) };
}

async function joinWith(lobby: Lobby, secret: Bytes | Code): Promise<Person> {
  const viewer = new Person("R", secret, lobby.url);
  await viewer.connection.start();
  return viewer;
}

function wrong(code: Code): Code {
  const [first, ...others] = code.words.split("-");
  const other = list[(list.indexOf(first ?? "") + 1) % list.length];
  return { ...code, words: [other, ...others].join("-") };
}

/** Enters a wrong code, and waits until both sides noticed. */
async function guess(lobby: Lobby, sender: Person, code: Code): Promise<void> {
  const before = sender.turnedAway.length;
  using thief = await joinWith(lobby, wrong(code));
  await until(() => thief.failures.length > 0, "the thief was turned away");
  assertEquals([thief.failures, thief.bound], [["wrong_code"], false]);
  assertEquals(sender.turnedAway.slice(before), ["code"]);
}

Deno.test("a viewer with the code is bound, and both sides know that it was the code", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender, code } = await offer(lobby);
  using _sender = sender;
  assertMatch(sender.codes[0] ?? "", /^\d{4}-[a-z]+-[a-z]+-[a-z]+$/);
  using viewer = await joinWith(lobby, code);
  await until(() => sender.bound && viewer.bound, "both are bound");
  assertEquals([sender.links[0]?.by, viewer.links[0]?.by], ["code", "code"]);
  assertEquals(sender.links[0]?.sas, viewer.links[0]?.sas);
  assertEquals(sender.turnedAway, []);
});

Deno.test("a viewer with the link is bound, and both know that it was the link", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender, secret } = await offer(lobby);
  using _sender = sender;
  using viewer = await joinWith(lobby, secret);
  await until(() => sender.bound && viewer.bound, "both are bound");
  assertEquals([sender.links[0]?.by, viewer.links[0]?.by], ["link", "link"]);
});

Deno.test("a wrong code is refused with a reason; the right one still works", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender, code } = await offer(lobby);
  using _sender = sender;
  await guess(lobby, sender, code);
  assertEquals([sender.failures, sender.codes.length], [[], 1]);
  using viewer = await joinWith(lobby, code);
  await until(() => sender.bound && viewer.bound, "both are bound");
});

Deno.test("three wrong codes withdraw the code; the link still works", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender, secret, code } = await offer(lobby);
  using _sender = sender;
  for (let i = 0; i < 3; i++) await guess(lobby, sender, code);
  assertEquals([sender.codes.length, sender.codes.at(-1)], [2, null]);
  using late = await joinWith(lobby, code);
  await until(() => late.failures.length > 0, "the right code is refused");
  assertEquals([late.failures, sender.turnedAway.length], [["refused"], 3]);
  using viewer = await joinWith(lobby, secret);
  await until(() => sender.bound && viewer.bound, "both are bound");
});

Deno.test("a code stays withdrawn when the server restarts and forgets it", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender, secret, code } = await offer(lobby);
  using _sender = sender;
  for (let i = 0; i < 3; i++) await guess(lobby, sender, code);
  await lobby.restart();
  await until(() => sender.seated === 2, "the sender is seated again");
  assertEquals(sender.codes.filter((shown) => shown !== null).length, 1);
  using viewer = await joinWith(lobby, secret);
  await until(() => sender.bound && viewer.bound, "both are bound");
});

Deno.test("after a server restart the words stay, and the new code works", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender, code } = await offer(lobby);
  using _sender = sender;
  await lobby.restart();
  await until(() => sender.codes.length === 2, "there is a code again");
  const again = read(sender.codes[1]);
  assertEquals(again.words, code.words);
  using viewer = await joinWith(lobby, again);
  await until(() => sender.bound && viewer.bound, "both are bound");
});

Deno.test("a stranger who knows the digits and joins as by link is turned away", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender, code } = await offer(lobby);
  using _sender = sender;
  const socket = new WebSocket(`${lobby.url}/ws/${code.digits}`, "img-e2e.1");
  const closed = new Promise<number>((resolve) => socket.onclose = ({ code }) => resolve(code));
  const relay = (bytes: Bytes) =>
    socket.send(JSON.stringify({ t: "relay", d: toBase64Url(bytes) }));
  socket.onopen = () => socket.send(JSON.stringify({ t: "join" }));
  socket.onmessage = ({ data }) => {
    if (!String(data).includes('"peer"')) return;
    relay(new Uint8Array(35).fill(1));
    relay(new Uint8Array(1_251).fill(3, 0, 1).fill(1, 1, 2));
  };
  assertEquals(await closed, CLOSE.dismissed);
  await until(() => sender.turnedAway.length === 1, "it was noticed");
  assertEquals([sender.turnedAway, sender.failures], [["link"], []]);
  using viewer = await joinWith(lobby, code);
  await until(() => sender.bound && viewer.bound, "both are bound");
});

/** A sender or viewer whose server is played by the test. */
async function withServer(
  role: "S" | "R",
  secret: Bytes | Code,
  body: (person: Person, socket: FakeWebSocket) => Promise<void>,
): Promise<void> {
  using _rtc = withFakeRtc();
  FakeWebSocket.all = [];
  using _socket = withGlobals({ WebSocket: FakeWebSocket });
  using person = new Person(role, secret, "ws://evil");
  await person.connection.start();
  const socket = FakeWebSocket.last;
  socket.open();
  const rtok = toBase64Url(new Uint8Array(32));
  if (role === "S") socket.hear({ t: "created", exp: 600, rtok, code: "4821" });
  else socket.hear({ t: "joined", rtok });
  await body(person, socket);
}

function said(socket: FakeWebSocket, t: string): unknown[] {
  return socket.sent.filter((message) =>
    typeof message === "object" && message !== null && "t" in message && message.t === t
  );
}

function relayed(socket: FakeWebSocket, type: number): Bytes[] {
  return said(socket, "relay").flatMap((message) => {
    if (typeof message !== "object" || message === null || !("d" in message)) return [];
    const bytes = fromBase64Url(String(message.d));
    return bytes?.[0] === type ? [bytes] : [];
  });
}

Deno.test("a silent visitor is turned away after 35 s; three of them cost the code", () => {
  return withServer("S", createLinkSecret(), async (sender, socket) => {
    await until(() => sender.codes.length === 1, "the code is out");
    using time = new FakeTime();
    for (let i = 1; i <= 3; i++) {
      socket.hear({ t: "peer", up: true, by: "join" });
      await time.advance(CONNECT_TIMEOUT_MS);
      assertEquals(sender.turnedAway.length, i - 1, "an honest viewer has that long as well");
      await time.advance(5_000);
      assertEquals(sender.turnedAway.length, i);
      socket.hear({ t: "peer", up: false, by: "leave" });
    }
    assertEquals([said(socket, "dismiss").length, said(socket, "withdraw").length], [3, 1]);
    assertEquals([sender.turnedAway, sender.codes.at(-1)], [Array(3).fill("silence"), null]);
    // The server may not have received it, so this goes on, but not for ever.
    while (sender.failures.length === 0 && sender.turnedAway.length < 20) {
      socket.hear({ t: "peer", up: true, by: "join" });
      await time.advance(CONNECT_TIMEOUT_MS + 5_000);
    }
    assertEquals([sender.turnedAway.length, sender.failures], [9, ["verification"]]);
  });
});

Deno.test("a viewer told for 40 s that the sender is away asks once more", () => {
  return withServer("R", createLinkSecret(), async (_viewer, socket) => {
    using time = new FakeTime();
    socket.hear({ t: "peer", up: true, by: "join" });
    socket.hear({ t: "peer", up: false, by: "lost" });
    const before = FakeWebSocket.all.length;
    await time.advance(39_000);
    assertEquals(FakeWebSocket.all.length, before);
    await time.advance(2_000);
    assertEquals(FakeWebSocket.all.length, before + 1);
    FakeWebSocket.last.open();
    assertEquals(said(FakeWebSocket.last, "resume").length, 1);
  });
});

Deno.test("a server that forgot the withdrawal is told again", () => {
  return withServer("S", createLinkSecret(), async (sender, socket) => {
    await until(() => sender.codes.length === 1, "the code is out");
    using time = new FakeTime();
    for (let i = 0; i < 3; i++) {
      socket.hear({ t: "peer", up: true, by: "join" });
      await time.advance(CONNECT_TIMEOUT_MS + 5_000);
    }
    assertEquals(said(socket, "withdraw").length, 1);
    const rtok = toBase64Url(new Uint8Array(32));
    socket.hear({ t: "created", exp: 600, rtok, code: "9999" });
    assertEquals(said(socket, "withdraw").length, 2);
    socket.hear({ t: "joined", rtok });
    assertEquals([said(socket, "withdraw").length, sender.codes.at(-1)], [3, null]);
  });
});

/** Plays a sender who guesses the words, up to `times`; stops once the viewer gives up. */
async function guessAt(viewer: Person, socket: FakeWebSocket, code: Code, times: number) {
  const kem = await loadKem();
  for (let i = 1; i <= times && viewer.failures.length === 0; i++) {
    socket.hear({ t: "peer", up: true, by: "join" });
    await until(() => relayed(socket, HANDSHAKE.commit).length === i, "the viewer commits");
    const mallory = await SenderHandshake.start({
      link: { room: randomBytes(16), psk: randomBytes(32) },
      code: { ...code, words: "zebra-zero-zone" },
      fingerprint: randomBytes(32),
      kem,
    });
    const commit = relayed(socket, HANDSHAKE.commit)[i - 1];
    assert(commit !== undefined);
    const m2 = await mallory.receiveCommit(commit);
    socket.hear({ t: "relay", d: toBase64Url(m2) });
    await until(
      () => relayed(socket, HANDSHAKE.helloR).length === i || viewer.failures.length > 0,
      "the viewer answers, or gives up",
    );
  }
  await settle(20);
}

Deno.test("a server that restarts the viewer gets three answers to guess with at most", () => {
  const code = { digits: "4821", words: "crystal-orbit-lemon" };
  return withServer("R", code, async (viewer, socket) => {
    await guessAt(viewer, socket, code, 5);
    assertEquals(relayed(socket, HANDSHAKE.helloR).length, 3);
    assertEquals([viewer.failures, viewer.bound], [["timeout"], false]);
  });
});

Deno.test("a reload of the viewer's page gives no new guesses at its code", () => {
  const code = { digits: "4821", words: "crystal-orbit-lemon" };
  return withServer("R", code, async (viewer, socket) => {
    await guessAt(viewer, socket, code, 2);
    assertEquals(relayed(socket, HANDSHAKE.helloR).length, 2);
    using page = new Person("R", code, "ws://evil", false, viewer);
    await page.connection.start();
    const next = FakeWebSocket.last;
    next.open();
    next.hear({ t: "joined", rtok: toBase64Url(new Uint8Array(32)) });
    await guessAt(page, next, code, 5);
    assertEquals(relayed(next, HANDSHAKE.helloR).length, 1);
    assertEquals([page.failures, page.bound], [["timeout"], false]);
  });
});

Deno.test("a server with the link can't make the viewer retry until the SAS matches", () => {
  const secret = createLinkSecret();
  return withServer("R", secret, async (viewer, socket) => {
    const [kem, { rid, psk }] = await Promise.all([loadKem(), deriveRoom(secret)]);
    for (let i = 1; i <= 30 && viewer.failures.length === 0; i++) {
      socket.hear({ t: "peer", up: true, by: "join" });
      await until(() => relayed(socket, HANDSHAKE.commit).length === i, "the viewer commits");
      const mallory = await SenderHandshake.start({
        link: { room: rid, psk },
        code: null,
        fingerprint: randomBytes(32),
        kem,
      });
      const commit = relayed(socket, HANDSHAKE.commit)[i - 1];
      assert(commit !== undefined);
      socket.hear({ t: "relay", d: toBase64Url(await mallory.receiveCommit(commit)) });
      await until(
        () => relayed(socket, HANDSHAKE.helloR).length === i || viewer.failures.length > 0,
        "the viewer answers, or gives up",
      );
      socket.hear({ t: "peer", up: false, by: "lost" });
    }
    assertEquals(relayed(socket, HANDSHAKE.helloR).length, MAX_HANDSHAKES);
    assertEquals(viewer.failures, ["timeout"]);
  });
});

Deno.test("nor can it make the sender retry, who confirms before showing the SAS", () => {
  const secret = createLinkSecret();
  return withServer("S", secret, async (sender, socket) => {
    const [kem, { rid, psk }] = await Promise.all([loadKem(), deriveRoom(secret)]);
    let confirmed = 0;
    for (let i = 1; i <= 30 && sender.failures.length === 0; i++) {
      socket.hear({ t: "peer", up: true, by: "resume" });
      const mallory = await ViewerHandshake.start({
        secret: { room: rid, psk },
        fingerprint: randomBytes(32),
        kem,
      });
      socket.hear({ t: "relay", d: toBase64Url(mallory.commit) });
      await until(() => relayed(socket, HANDSHAKE.helloS).length === i, "the sender answers");
      const helloS = relayed(socket, HANDSHAKE.helloS)[i - 1];
      assert(helloS !== undefined);
      const m3 = await mallory.receiveHello(helloS);
      socket.hear({ t: "relay", d: toBase64Url(m3) });
      await until(
        () => relayed(socket, HANDSHAKE.offer).length === i || sender.failures.length > 0,
        "the sender confirms, or gives up",
      );
      confirmed = relayed(socket, HANDSHAKE.offer).length;
    }
    assertEquals([confirmed, sender.failures], [MAX_HANDSHAKES, ["timeout"]]);
  });
});

Deno.test("a HELLO that answers an earlier attempt is no offence: the last one counts", () => {
  const secret = createLinkSecret();
  return withServer("R", secret, async (viewer, socket) => {
    const [kem, { rid, psk }] = await Promise.all([loadKem(), deriveRoom(secret)]);
    const start = () =>
      SenderHandshake.start({
        link: { room: rid, psk },
        code: null,
        fingerprint: randomBytes(32),
        kem,
      });
    const commit = (i: number) => {
      const bytes = relayed(socket, HANDSHAKE.commit)[i];
      assert(bytes !== undefined);
      return bytes;
    };
    socket.hear({ t: "peer", up: true, by: "join" });
    await until(() => relayed(socket, HANDSHAKE.commit).length === 1, "the viewer commits");
    const stale = await (await start()).receiveCommit(commit(0));
    socket.hear({ t: "peer", up: true, by: "resume" });
    await until(() => relayed(socket, HANDSHAKE.commit).length === 2, "the viewer commits anew");
    socket.hear({ t: "relay", d: toBase64Url(stale) });
    const sender = await start();
    const fresh = await sender.receiveCommit(commit(1));
    socket.hear({ t: "relay", d: toBase64Url(fresh) });
    await until(() => relayed(socket, HANDSHAKE.helloR).length === 1, "the viewer answers");
    const [m3] = relayed(socket, HANDSHAKE.helloR);
    assert(m3 !== undefined);
    assertEquals((await sender.receiveHello(m3)).role, "S");
    assertEquals([viewer.failures, relayed(socket, HANDSHAKE.helloR).length], [[], 1]);
  });
});

Deno.test("reconnecting does not extend how long a visitor may keep the seat", () => {
  return withServer("S", createLinkSecret(), async (sender, socket) => {
    await until(() => sender.codes.length === 1, "the code is out");
    using time = new FakeTime();
    socket.hear({ t: "peer", up: true, by: "join" });
    for (let s = 0; s < 60 && sender.turnedAway.length === 0; s += 10) {
      await time.advance(1_000);
      socket.hear({ t: "peer", up: false, by: "lost" });
      await time.advance(9_000);
      socket.hear({ t: "peer", up: true, by: "resume" });
    }
    assertEquals([sender.turnedAway, said(socket, "dismiss").length > 0], [["silence"], true]);
  });
});

Deno.test("three guesses that break off count at once; a link still gets in", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender, secret, code } = await offer(lobby);
  using _sender = sender;
  const kem = await loadKem();
  for (let i = 0; i < 3; i++) {
    const mallory = await ViewerHandshake.start({
      secret: wrong(code),
      fingerprint: randomBytes(32),
      kem,
    });
    const socket = new WebSocket(`${lobby.url}/ws/${code.digits}`, "img-e2e.1");
    const closed = new Promise((resolve) => socket.onclose = resolve);
    const say = (message: unknown) => socket.send(JSON.stringify(message));
    socket.onopen = () => say({ t: "join" });
    socket.onmessage = async ({ data }) => {
      const message: unknown = JSON.parse(String(data));
      if (typeof message !== "object" || message === null || !("t" in message)) return;
      if (message.t === "peer") say({ t: "relay", d: toBase64Url(mallory.commit) });
      if (message.t !== "relay" || !("d" in message)) return;
      const helloS = fromBase64Url(String(message.d));
      if (helloS?.[0] !== HANDSHAKE.helloS) return;
      say({ t: "relay", d: toBase64Url(await mallory.receiveHello(helloS)) });
      say({ t: "leave" });
    };
    await closed;
    await until(() => sender.turnedAway.length === i + 1, "it was noticed");
  }
  assertEquals([sender.turnedAway, sender.codes.at(-1)], [["code", "code", "code"], null]);
  using viewer = await joinWith(lobby, secret);
  await until(() => sender.bound && viewer.bound, "both are bound");
  assertEquals([sender.turnedAway.length, viewer.failures], [3, []]);
});

/** Software of an attacking viewer, which can send anything at any time. */
async function mallory(digits: string, words: string): Promise<ViewerHandshake> {
  const secret = { digits, words };
  return await ViewerHandshake.start({
    secret,
    fingerprint: randomBytes(32),
    kem: await loadKem(),
  });
}

function relay(socket: FakeWebSocket, message: Bytes): void {
  socket.hear({ t: "relay", d: toBase64Url(message) });
}

/** Sends M1 and answers M2. Returns M3, which is not sent yet. */
async function prepareProof(socket: FakeWebSocket, words: string): Promise<Bytes | null> {
  const before = relayed(socket, HANDSHAKE.helloS).length;
  const viewer = await mallory("4821", words);
  relay(socket, viewer.commit);
  await settle(50);
  const helloS = relayed(socket, HANDSHAKE.helloS)[before];
  return helloS === undefined ? null : await viewer.receiveHello(helloS);
}

for (
  const [how, cut] of [
    ["a new M1", (socket, commit) => relay(socket, commit)],
    ["a server that says that they left", (socket) => {
      socket.hear({ t: "peer", up: false, by: "lost" });
      socket.hear({ t: "peer", up: true, by: "join" });
    }],
  ] satisfies readonly [string, (socket: FakeWebSocket, commit: Bytes) => void][]
) {
  Deno.test(`a guess that is cut short by ${how} is counted all the same`, () => {
    return withServer("S", createLinkSecret(), async (sender, socket) => {
      await until(() => sender.codes.length === 1, "the code is out");
      socket.hear({ t: "peer", up: true, by: "join" });
      const { commit } = await mallory("4821", "zoo-zoo-zoo");
      let proofs = 0;
      for (let i = 0; i < 6; i++) {
        const proof = await prepareProof(socket, "zebra-zero-zone");
        if (proof === null) break;
        proofs++;
        relay(socket, proof);
        // Its check has begun, and is far from finished.
        for (let turn = 0; turn < 5; turn++) await Promise.resolve();
        cut(socket, commit);
      }
      await settle(50);
      assertEquals([proofs, sender.codes.at(-1)], [3, null]);
      assertEquals([said(socket, "withdraw").length, sender.failures], [1, []]);
    });
  });
}

Deno.test("a right guess that breaks off has no visible effect: no connection is made", () => {
  return withServer("S", createLinkSecret(), async (sender, socket) => {
    await until(() => sender.codes.length === 1, "the code is out");
    socket.hear({ t: "peer", up: true, by: "join" });
    const { words } = read(sender.codes[0]);
    const { commit } = await mallory("4821", words);
    const proof = await prepareProof(socket, words);
    assert(proof !== null);
    relay(socket, proof);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    relay(socket, commit);
    await settle(50);
    assertEquals(FakePeerConnection.all.length, 0);
  });
});

Deno.test("a visitor who was turned away is not listened to, even after a resume", () => {
  return withServer("S", createLinkSecret(), async (sender, socket) => {
    await until(() => sender.codes.length === 1, "the code is out");
    const nonsense = () => {
      relay(socket, new Uint8Array(35).fill(1));
      relay(socket, new Uint8Array(1_251).fill(3, 0, 1).fill(1, 1, 2));
      return settle(50);
    };
    socket.hear({ t: "peer", up: true, by: "join" });
    for (let i = 0; i < 10; i++) await nonsense();
    assertEquals([sender.turnedAway, sender.failures], [["link"], []]);
    socket.hear({ t: "peer", up: false, by: "lost" });
    socket.hear({ t: "peer", up: true, by: "resume" });
    for (let i = 0; i < 10; i++) await nonsense();
    assertEquals([sender.turnedAway, sender.failures], [["link"], []]);
    assertEquals(said(socket, "dismiss").length, 2, "the visitor is dismissed again");
    socket.hear({ t: "peer", up: false, by: "leave" });
    socket.hear({ t: "peer", up: true, by: "join" });
    await nonsense();
    assertEquals(sender.turnedAway, ["link", "link"], "the next one is heard");
  });
});

Deno.test("with the right words and no working route, retries are unlimited", () => {
  return withServer("S", createLinkSecret(), async (sender, socket) => {
    await until(() => sender.codes.length === 1, "the code is out");
    const { words } = read(sender.codes[0]);
    for (let i = 1; i <= 5; i++) {
      socket.hear({ t: "peer", up: true, by: "join" });
      const proof = await prepareProof(socket, words);
      assert(proof !== null);
      relay(socket, proof);
      await until(() => relayed(socket, HANDSHAKE.offer).length === i, "the guess was right");
      socket.hear({ t: "peer", up: false, by: "leave" });
    }
    assertEquals([said(socket, "withdraw"), sender.turnedAway], [[], []]);
  });
});

Deno.test("a server that turns the sender away itself breaks the protocol", () => {
  return withServer("S", createLinkSecret(), async (sender, socket) => {
    await until(() => sender.codes.length === 1, "the code is out");
    socket.closed(CLOSE.dismissed);
    assertEquals(sender.failures, ["protocol"]);
  });
});
