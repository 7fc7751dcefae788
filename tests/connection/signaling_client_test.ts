import { SignalingClient, type SignalingEnd } from "../../lib/connection/signaling_client.ts";
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { SEAT_GRACE_MS, SUBPROTOCOL } from "../../lib/protocol/limits.ts";
import type { ClientMessage, ServerMessage } from "../../lib/protocol/signaling.ts";
import { createMessage, newAccess } from "../rooms/room_server.ts";
import { token } from "../rooms/store_contract.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeTime, settle, until, withGlobals } from "../support/fake_time.ts";
import { FakeWebSocket } from "./fake_web_socket.ts";
import { Lobby } from "./lobby.ts";

const FIRST = { t: "join", tok: token(16) } as const satisfies ClientMessage;
const GRACE_MS = SEAT_GRACE_MS;

/** A client and everything that it told its owner. */
class Told implements Disposable {
  readonly messages: ServerMessage[] = [];
  readonly contacts: boolean[] = [];
  readonly ends: SignalingEnd[] = [];
  /** The details of each end. */
  readonly retries: (number | undefined)[] = [];
  readonly client: SignalingClient;

  constructor(url: string, first: ClientMessage) {
    this.client = new SignalingClient({
      url,
      first,
      handlers: {
        onMessage: (message) => this.messages.push(message),
        onContact: (contact) => this.contacts.push(contact),
        onEnd: (why, retry) => {
          this.ends.push(why);
          this.retries.push(retry);
        },
      },
    });
  }

  /** Types of all messages so far. */
  get types(): string[] {
    return this.messages.map(({ t }) => t);
  }

  [Symbol.dispose](): void {
    this.client.end({ t: "leave" });
  }
}

// With the real server

async function withServer(body: (lobby: Lobby) => Promise<void>): Promise<void> {
  await using lobby = new Lobby();
  await body(lobby);
}

function address(lobby: Lobby, room: string): string {
  return `${lobby.url}/ws/${room}`;
}

/** Both seats of a room. */
async function meet(lobby: Lobby) {
  const access = newAccess();
  const sender = new Told(address(lobby, access.room), createMessage(access));
  await until(() => sender.types.includes("created"), "the room was created");
  const viewer = new Told(address(lobby, access.room), { t: "join", tok: access.jtok });
  await until(() => sender.types.includes("peer"), "the two met");
  return { access, sender, viewer };
}

Deno.test("two clients take their seats and relay to each other, in order", () =>
  withServer(async (lobby) => {
    const { sender, viewer } = await meet(lobby);
    using _sender = sender;
    using _viewer = viewer;
    const sent = Array.from({ length: 20 }, () => token(8));
    for (const d of sent) sender.client.relay(d);
    viewer.client.relay("back");
    const relayed = ({ messages }: Told) => messages.flatMap((m) => m.t === "relay" ? [m.d] : []);
    await until(() => relayed(viewer).length === 20 && relayed(sender).length === 1, "all came");
    assertEquals(relayed(viewer), sent);
    assertEquals(relayed(sender), ["back"]);
    assertEquals([sender.contacts, viewer.contacts], [[true], [true]]);
  }));

Deno.test("a client whose line breaks gets its seat back, and the other one is told", () =>
  withServer(async (lobby) => {
    const { sender, viewer } = await meet(lobby);
    using _sender = sender;
    using _viewer = viewer;
    lobby.line.cut("first");
    await until(() => sender.contacts.length === 3, "contact was lost and is back");
    assertEquals(sender.contacts, [true, false, true]);
    // By `resume`: a `create` would have been answered by `created`.
    assertEquals(sender.types.filter((t) => t === "created" || t === "joined"), [
      "created",
      "joined",
    ]);
    const causes = () => viewer.messages.flatMap((m) => m.t === "peer" ? [m.by] : []);
    await until(() => causes().length === 3, "the viewer heard of it");
    assertEquals(causes(), ["join", "lost", "resume"]);
    assertEquals([sender.ends, viewer.ends], [[], []]);
  }));

Deno.test("each resume needs the newest token: the line may break repeatedly", () =>
  withServer(async (lobby) => {
    const { sender, viewer } = await meet(lobby);
    using _sender = sender;
    using _viewer = viewer;
    for (const times of [1, 2, 3]) {
      lobby.line.cut("all");
      for (const side of [sender, viewer]) {
        await until(() => side.contacts.length === 1 + 2 * times, `contact is back (${times})`);
      }
    }
    sender.client.relay("still");
    await until(() => viewer.types.at(-1) === "relay", "the relay works");
    assertEquals([sender.ends, viewer.ends], [[], []]);
  }));

Deno.test("after a server restart the sender recreates the room and the viewer joins", () =>
  withServer(async (lobby) => {
    const { sender, viewer } = await meet(lobby);
    using _sender = sender;
    using _viewer = viewer;
    await lobby.restart();
    const count = ({ types }: Told, type: string) => types.filter((t) => t === type).length;
    await until(() => count(sender, "created") === 2, "the room is there again");
    await until(() => count(viewer, "joined") === 2, "the viewer is there again");
    assertEquals(lobby.rooms, 1);
    sender.client.relay("on");
    await until(() => viewer.types.at(-1) === "relay", "the relay works");
    assertEquals([sender.ends, viewer.ends], [[], []]);
  }));

Deno.test("a newer socket in the same seat ends this client, which does not fight back", () =>
  withServer(async (lobby) => {
    const { access, sender, viewer } = await meet(lobby);
    using _viewer = viewer;
    using newer = new Told(address(lobby, access.room), createMessage(access));
    await until(() => sender.ends.length === 1, "the old client ended");
    assertEquals(sender.ends, ["superseded"]);
    await until(() => newer.types.includes("peer"), "the newer one is seated");
    assertEquals([newer.ends, viewer.ends], [[], []]);
  }));

Deno.test("a room that never existed is refused at once, for good", () =>
  withServer(async (lobby) => {
    using viewer = new Told(address(lobby, newAccess().room), FIRST);
    await until(() => viewer.ends.length === 1, "the client ended");
    assertEquals([viewer.ends, viewer.types, viewer.contacts], [["refused"], ["err"], []]);
  }));

Deno.test("end() with `delete` deletes the room before closing; the other side is told", () =>
  withServer(async (lobby) => {
    const { access, sender, viewer } = await meet(lobby);
    using _viewer = viewer;
    sender.client.end({ t: "delete", otok: access.otok });
    await until(() => viewer.ends.length === 1, "the viewer's client ended");
    assertEquals(viewer.messages.at(-1), { t: "gone", why: "deleted" });
    assertEquals([viewer.ends, sender.ends, lobby.rooms], [["gone"], [], 0]);
  }));

Deno.test("end() with `leave` frees the seat at once, without a grace period", () =>
  withServer(async (lobby) => {
    const { sender, viewer } = await meet(lobby);
    using _sender = sender;
    viewer.client.end({ t: "leave" });
    await until(() => sender.types.at(-1) === "peer" && sender.messages.length >= 3, "it is known");
    assertEquals(sender.messages.at(-1), { t: "peer", up: false, by: "leave" });
    assertEquals(viewer.ends, []);
  }));

// With a fake clock

const NO_ANSWER = () => Promise.reject(new TypeError("no network"));

/** A client whose server is the test; `fetch` answers its requests without a socket. */
async function withFakes(
  body: (tools: { time: FakeTime; told: Told; socket: () => FakeWebSocket }) => Promise<void>,
  fetch: (url: string) => Promise<Response> = NO_ANSWER,
): Promise<void> {
  FakeWebSocket.all = [];
  using _globals = withGlobals({ WebSocket: FakeWebSocket, fetch });
  using time = new FakeTime();
  using told = new Told("ws://127.0.0.1/ws/room", FIRST);
  await body({ time, told, socket: () => FakeWebSocket.last });
}

const JOINED = () => ({ t: "joined", rtok: token(32) }) as const;

function seat(socket: FakeWebSocket): string {
  const message = JOINED();
  socket.open();
  socket.hear(message);
  return message.rtok;
}

Deno.test("the client names the subprotocol and first sends how it takes its seat", () =>
  withFakes(({ socket }) => {
    assertEquals([socket().protocols, socket().sent], [SUBPROTOCOL, []]);
    socket().open();
    assertEquals(socket().sent, [FIRST]);
    return Promise.resolve();
  }));

Deno.test("nothing is relayed before there is a seat, or after it was lost", () =>
  withFakes(({ told, socket }) => {
    told.client.relay("early");
    socket().open();
    told.client.relay("early");
    socket().hear(JOINED());
    told.client.relay("now");
    socket().closed(1006);
    told.client.relay("late");
    assertEquals(socket().sent, [FIRST, { t: "pong" }, { t: "relay", d: "now" }]);
    return Promise.resolve();
  }));

Deno.test("a page that never had a seat reports an unreachable server after 3 tries", () =>
  withFakes(async ({ time, told, socket }) => {
    for (const tries of [1, 2]) {
      socket().closed(1006);
      assertEquals([told.ends, FakeWebSocket.all.length], [[], tries]);
      await time.advance(8_000);
    }
    assertEquals(FakeWebSocket.all.length, 3);
    socket().closed(1006);
    assertEquals(told.ends, ["unreachable"]);
    await time.advance(120_000);
    assertEquals([FakeWebSocket.all.length, told.contacts, time.waiting], [3, [], []]);
  }));

Deno.test("a lost seat is retried soon, then less often, at least every 8 s, without end", () =>
  withFakes(async ({ time, told, socket }) => {
    const rtok = seat(socket());
    for (let lost = 1; lost <= 12; lost++) {
      socket().closed(1006);
      const [wait = NaN, ...others] = time.waiting;
      const longest = lost === 1 ? 250 : Math.min(8_000, 250 * 2 ** (lost - 2));
      assertEquals(others, []);
      assert(wait >= longest / 2 && wait <= longest, `try ${lost} waits ${wait} ms`);
      await time.advance(wait);
      assertEquals(FakeWebSocket.all.length, lost + 1);
      socket().open();
      assertEquals(socket().sent, [{ t: "resume", rtok }]);
    }
    assertEquals([told.contacts, told.ends], [[true, false], []]);
  }));

Deno.test("two clients that lost the same server do not reconnect in the same moment", async () => {
  const waits = new Set<number>();
  for (let i = 0; i < 8; i++) {
    await withFakes(({ time, socket }) => {
      seat(socket());
      socket().closed(CLOSE.restart);
      waits.add(time.waiting[0] ?? 0);
      return Promise.resolve();
    });
  }
  assert(waits.size > 1, `all wait ${[...waits].join()} ms`);
});

Deno.test("once a seat was taken back the delays start over, with the newest token", () =>
  withFakes(async ({ time, socket }) => {
    seat(socket());
    for (let i = 0; i < 6; i++) {
      socket().closed(1006);
      await time.advance(8_000);
    }
    const newest = seat(socket());
    socket().closed(1006);
    assert((time.waiting[0] ?? Infinity) <= 250);
    await time.advance(250);
    socket().open();
    assertEquals(socket().sent, [{ t: "resume", rtok: newest }]);
  }));

Deno.test("a refusal within the grace period takes the seat anew, later ends the client", () =>
  withFakes(async ({ time, told, socket }) => {
    seat(socket());
    socket().closed(1006);
    await time.advance(250);
    socket().open();
    socket().closed(CLOSE.refused);
    assert((time.waiting[0] ?? Infinity) <= 250, "at once, for a restarted server");
    while (told.ends.length === 0) {
      const before = FakeWebSocket.all.length;
      await time.advance(8_000);
      assertEquals(FakeWebSocket.all.length, before + 1);
      socket().open();
      assertEquals(socket().sent, [FIRST]);
      socket().closed(CLOSE.refused);
    }
    assertEquals(told.ends, ["refused"]);
    assert(performance.now() - 1_000 > GRACE_MS, "the grace was not used");
    assert(performance.now() - 1_000 < GRACE_MS + 30_000, "tried long after the grace");
  }));

for (
  const [code, end] of [
    ["refused", "refused"],
    ["gone", "gone"],
    ["superseded", "superseded"],
    ["busy", "busy"],
    ["malformed", "protocol"],
    ["tooLarge", "protocol"],
    ["outOfTurn", "protocol"],
    ["access", "access"],
  ] as const
) {
  Deno.test(`a socket closed as ${code} before there was a seat ends the client: ${end}`, () =>
    withFakes(async ({ time, told, socket }) => {
      socket().open();
      socket().closed(CLOSE[code]);
      assertEquals(told.ends, [end]);
      await time.advance(120_000);
      assertEquals([FakeWebSocket.all.length, told.ends.length], [1, 1]);
    }));
}

for (const code of ["gone", "superseded", "busy", "malformed", "tooLarge", "outOfTurn"] as const) {
  Deno.test(`a socket closed as ${code} ends a seated client as well, and it stays away`, () =>
    withFakes(async ({ time, told, socket }) => {
      seat(socket());
      socket().closed(CLOSE[code]);
      assertEquals([told.ends.length, told.contacts], [1, [true, false]]);
      globalThis.dispatchEvent(new Event("online"));
      await time.advance(120_000);
      assertEquals([FakeWebSocket.all.length, time.waiting], [1, []]);
    }));
}

for (const code of ["done", "restart", "timeout", "slow"] as const) {
  Deno.test(`a socket closed as ${code} is replaced`, () =>
    withFakes(async ({ time, told, socket }) => {
      seat(socket());
      socket().closed(CLOSE[code]);
      await time.advance(250);
      assertEquals([FakeWebSocket.all.length, told.ends], [2, []]);
    }));
}

function limited(status: number, retryAfter: string) {
  return () =>
    Promise.resolve(new Response(null, { status, headers: { "retry-after": retryAfter } }));
}

for (const status of [429, 503]) {
  Deno.test(`a page whose socket never opens asks why: ${status} tells it how long to wait`, () => {
    const asked: string[] = [];
    return withFakes(async ({ time, told, socket }) => {
      socket().closed(1006);
      await settle();
      assertEquals([told.ends, told.retries], [["busy"], [40]]);
      assertEquals(asked, ["http://127.0.0.1/ws/room"]);
      await time.advance(600_000);
      assertEquals([FakeWebSocket.all.length, time.waiting], [1, []]);
    }, (url) => {
      asked.push(url);
      return limited(status, "40")();
    });
  });
}

Deno.test("a page that had a seat waits as long as a limited server says, then rejoins", () =>
  withFakes(async ({ time, told, socket }) => {
    const rtok = seat(socket());
    socket().closed(1006);
    await time.advance(250);
    assertEquals(FakeWebSocket.all.length, 2);
    socket().closed(1006);
    await settle();
    assert((time.waiting[0] ?? 0) >= 40_000, `waits ${time.waiting}`);
    await time.advance(39_999);
    assertEquals([FakeWebSocket.all.length, told.ends], [2, []]);
    await time.advance(8_001);
    socket().open();
    assertEquals([FakeWebSocket.all.length, socket().sent], [3, [{ t: "resume", rtok }]]);
  }, limited(429, "40")));

Deno.test("a socket closed as busy ends an unseated page; a seated one waits", async () => {
  await withFakes(({ told, socket }) => {
    socket().open();
    socket().hear({ t: "err", code: "busy", retry: 7 });
    socket().closed(CLOSE.busy);
    assertEquals([told.ends, told.retries], [["busy"], [7]]);
    return Promise.resolve();
  });
  await withFakes(async ({ time, told, socket }) => {
    seat(socket());
    socket().closed(1006);
    await time.advance(250);
    socket().open();
    socket().hear({ t: "err", code: "busy", retry: 7 });
    socket().closed(CLOSE.busy);
    await time.advance(6_999);
    assertEquals([FakeWebSocket.all.length, told.ends], [2, []]);
    await time.advance(8_001);
    assertEquals([FakeWebSocket.all.length, told.ends], [3, []]);
  });
});

for (
  const [what, answer] of [
    ["426", limited(426, "40")],
    ["429 without a time", limited(429, "")],
    ["503 with a date", limited(503, "Wed, 21 Oct 2026 07:28:00 GMT")],
    ["429 with a time that never comes", limited(429, "86400")],
  ] as const
) {
  Deno.test(`a page keeps trying where the answer is ${what}`, () =>
    withFakes(async ({ time, told, socket }) => {
      seat(socket());
      for (let i = 0; i < 5; i++) {
        socket().closed(1006);
        await settle();
        await time.advance(8_000);
        assertEquals([FakeWebSocket.all.length, told.ends], [i + 2, []]);
      }
    }, answer));
}

Deno.test("an answer that arrives when the seat is back changes nothing", () => {
  const answer = Promise.withResolvers<Response>();
  return withFakes(async ({ time, told, socket }) => {
    seat(socket());
    socket().closed(1006);
    await time.advance(250);
    socket().closed(1006);
    await time.advance(250);
    seat(socket());
    answer.resolve(await limited(429, "40")());
    await settle();
    assertEquals([told.ends, told.contacts.at(-1), socket().closes], [[], true, []]);
  }, () => answer.promise);
});

Deno.test("a ping is answered, and not reported", () =>
  withFakes(({ told, socket }) => {
    seat(socket());
    socket().hear({ t: "ping" });
    assertEquals([socket().sent.at(-1), told.types], [{ t: "pong" }, ["joined"]]);
    return Promise.resolve();
  }));

Deno.test("a socket that is silent for 50 s counts as lost, even if it never closes", () =>
  withFakes(async ({ time, told, socket }) => {
    const rtok = seat(socket());
    const silent = socket();
    await time.advance(30_000);
    silent.hear({ t: "ping" });
    await time.advance(49_999);
    assertEquals([told.contacts, silent.closes], [[true], []]);
    await time.advance(1);
    assertEquals([told.contacts, silent.closes.length], [[true, false], 1]);
    await time.advance(250);
    socket().open();
    assertEquals(socket().sent, [{ t: "resume", rtok }]);
    // Its close event arrives at last, and a delayed message: both are ignored.
    silent.hearRaw("junk");
    silent.closed(CLOSE.gone);
    assertEquals([told.ends, FakeWebSocket.all.length], [[], 2]);
  }));

Deno.test("a socket that never opens is given up like a silent one", () =>
  withFakes(async ({ time }) => {
    await time.advance(50_000 + 250);
    assertEquals(FakeWebSocket.all.length, 2);
  }));

for (const junk of ["junk", "{}", `{"t":"joined"}`, "x".repeat(9_000), new ArrayBuffer(4)]) {
  Deno.test(`a server that sends ${String(junk).slice(0, 20)} is left at once`, () =>
    withFakes(({ told, socket }) => {
      seat(socket());
      socket().hearRaw(junk);
      assertEquals([told.ends, told.types], [["protocol"], ["joined"]]);
      assertEquals(socket().closes.length, 1);
      return Promise.resolve();
    }));
}

Deno.test("a network or a page that comes back ends the wait", () => {
  const wakeups = [() => new Event("online"), () => new Event("pageshow")];
  return wakeups.reduce(async (before, wakeup) => {
    await before;
    await withFakes(({ time, socket }) => {
      seat(socket());
      socket().closed(1006);
      globalThis.dispatchEvent(wakeup());
      assertEquals([FakeWebSocket.all.length, time.waiting.length], [2, 1]);
      // The timer that waited is gone: only the watchdog is left, and no second socket is made.
      globalThis.dispatchEvent(wakeup());
      assertEquals(FakeWebSocket.all.length, 2);
      return Promise.resolve();
    });
  }, Promise.resolve());
});

Deno.test("a tab that is shown again wakes the client, one that stays hidden does not", () => {
  const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  using _document = withGlobals({ document: page });
  return withFakes(({ socket }) => {
    seat(socket());
    socket().closed(1006);
    page.dispatchEvent(new Event("visibilitychange"));
    assertEquals(FakeWebSocket.all.length, 1);
    page.visibilityState = "visible";
    page.dispatchEvent(new Event("visibilitychange"));
    assertEquals(FakeWebSocket.all.length, 2);
    return Promise.resolve();
  });
});

Deno.test("end() sends goodbye first, closes, and nothing happens any more", () =>
  withFakes(async ({ time, told, socket }) => {
    seat(socket());
    const last = socket();
    told.client.end({ t: "leave" });
    told.client.end({ t: "leave" });
    assertEquals([last.sent.at(-1), last.sent.length, last.closes], [{ t: "leave" }, 3, [1000]]);
    last.hear({ t: "ping" });
    last.closed(1006);
    globalThis.dispatchEvent(new Event("online"));
    await time.advance(120_000);
    assertEquals([told.ends, told.contacts, FakeWebSocket.all.length], [[], [true], 1]);
    assertEquals(time.waiting, []);
  }));

Deno.test("end() without a seat sends nothing, and stops a pending retry", () =>
  withFakes(async ({ time, told, socket }) => {
    socket().closed(1006);
    told.client.end({ t: "leave" });
    await time.advance(120_000);
    assertEquals([FakeWebSocket.all.length, socket().sent, told.ends], [1, [], []]);
  }));
