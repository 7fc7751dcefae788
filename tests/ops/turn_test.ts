import { parseServerMessage } from "../../lib/protocol/signaling.ts";
import { type IceIssuer, iceIssuer, TURN_TTL_S, turnPassword } from "../../lib/ops/turn.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { PROJECT } from "../support/project.ts";
import {
  hasTurnServer,
  LOOPBACK,
  startTurnServer,
  TURN_SECRET,
  TurnClient,
} from "../support/turn.ts";

const NOW = 1_700_000_000_999;
const GUEST = { host: "pic.example", address: "192.0.2.1" };
const URLS = ["turn:relay.example:3478?transport=udp"];

function issue(options: Partial<Parameters<typeof iceIssuer>[0]> = {}) {
  return iceIssuer({ servers: [], turnUrls: URLS, turnSecret: TURN_SECRET, ...options })(
    GUEST,
  );
}

/** Credentials issued by the app, for a short time. */
function credentials(now = Date.now(), turnSecret = TURN_SECRET) {
  const { username = "", credential = "" } = issue({ now: () => now, turnSecret })?.servers[0] ??
    {};
  return { username, credential };
}

Deno.test("turnPassword() agrees with OpenSSL: base64(HMAC-SHA1)", () => {
  // printf 1700000600:label | openssl dgst -sha1 -hmac 0123456789abcdef -binary | base64
  assertEquals(
    turnPassword("0123456789abcdef", "1700000600:label"),
    "huVM+v0XDjUP60uKDTnC+Wr6y78=",
  );
});

Deno.test("iceIssuer() names no servers by default", () => {
  assertEquals(issue({ turnUrls: [], turnSecret: "" }), null);
});

Deno.test("iceIssuer() hands configured servers out as they are", () => {
  const servers = [{ urls: ["stun:a.example"] }];
  assertEquals(issue({ servers, turnUrls: [] })?.servers, servers);
  assertEquals(issue({ servers })?.servers.length, 2);
});

Deno.test("iceIssuer() makes credentials for ten minutes", () => {
  assert(TURN_TTL_S <= 600);
  const message = issue({ now: () => NOW });
  const [server] = message?.servers ?? [];
  const [, expiry] = /^(\d+):[\w-]{16}$/.exec(server?.username ?? "") ?? [];
  assertEquals([message?.exp, Number(expiry)], [TURN_TTL_S, 1_700_000_000 + TURN_TTL_S]);
  assertEquals(server?.credential, turnPassword(TURN_SECRET, server?.username ?? ""));
});

/** The name that an issuer gives a client, without the expiry. */
function nameFrom(make: IceIssuer, address: string): string {
  return make({ ...GUEST, address })?.servers[0]?.username?.split(":")[1] ?? "";
}

Deno.test("iceIssuer() names a client for an hour, a /48 once, and tells nobody who", () => {
  let now = NOW;
  const options = { servers: [], turnUrls: URLS, turnSecret: TURN_SECRET, now: () => now };
  const make = iceIssuer(options);
  const name = nameFrom(make, "192.0.2.1");
  now += 60_000;
  assertEquals(nameFrom(make, "192.0.2.1"), name);
  assert(nameFrom(make, "192.0.2.2") !== name);
  const site = ["20010db8000100aa/64", "20010db80001ffff/64", "20010db8000200aa/64"];
  const [here, there, other] = site.map((address) => nameFrom(make, address));
  assert(here === there && here !== other);
  // Without the key, which no other process has, an address leads to no name.
  assert(nameFrom(iceIssuer(options), "192.0.2.1") !== name);
  now += 3_600_000;
  assert(nameFrom(make, "192.0.2.1") !== name);
});

Deno.test("iceIssuer() leaves TURN out for a client that asked too often", () => {
  const stun = [{ urls: ["stun:a.example"] }];
  assertEquals(issue({ servers: stun, admit: () => false })?.servers, stun);
  assertEquals(issue({ admit: () => false }), null);
});

Deno.test("iceIssuer() makes a valid message, which holds no secret", () => {
  const message = issue({ servers: [{ urls: ["stun:a.example"] }] });
  const text = JSON.stringify(message);
  assertEquals(parseServerMessage(text), message);
  assert(!text.includes(TURN_SECRET));
});

const OWN = { host: "", port: 3000 };

Deno.test("iceIssuer() names the server's own STUN by the host of the page", () => {
  const make = iceIssuer({ servers: [], turnUrls: [], turnSecret: "", stun: () => OWN });
  const urls = (host: string) =>
    make({ ...GUEST, host })?.servers.flatMap((server) => server.urls) ?? [];
  assertEquals(urls("pic.example"), ["stun:pic.example:3000"]);
  assertEquals(urls("192.0.2.7"), ["stun:192.0.2.7:3000"]);
  assertEquals(urls("[2001:db8::1]"), ["stun:[2001:db8::1]:3000"]);
  const message = make({ ...GUEST, host: "pic.example" });
  assertEquals(parseServerMessage(JSON.stringify(message)), message);
});

Deno.test("iceIssuer() names no STUN for pages of the same machine, or for a strange host", () => {
  const make = iceIssuer({ servers: [], turnUrls: [], turnSecret: "", stun: () => OWN });
  for (
    const host of [
      ...["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "", "a b", "a/b", "ü.de"],
      ...["a?transport=tcp", "a:1", `${"a".repeat(201)}`, "[::1]:5\r\n"],
    ]
  ) assertEquals([host, make({ ...GUEST, host })], [host, null]);
});

Deno.test("iceIssuer() names the configured host, and nothing while the port is not open", () => {
  const named = { host: "direct.example", port: 3478 };
  const options = { servers: [], turnUrls: [], turnSecret: "" };
  assertEquals(
    iceIssuer({ ...options, stun: () => named })({ ...GUEST, host: "localhost" })?.servers,
    [{ urls: ["stun:direct.example:3478"] }],
  );
  assertEquals(iceIssuer({ ...options, stun: () => null })(GUEST), null);
});

Deno.test("iceIssuer() names no more servers than pages take", () => {
  const servers = Array.from({ length: 7 }, (_, i) => ({ urls: [`stun:${i}.example`] }));
  for (const turnUrls of [[], URLS]) {
    const message = iceIssuer({ servers, turnUrls, turnSecret: TURN_SECRET, stun: () => OWN })(
      GUEST,
    );
    assertEquals([message?.servers.length, parseServerMessage(JSON.stringify(message))], [
      8,
      message,
    ]);
  }
});

const ignore = !hasTurnServer();

Deno.test({
  name: "a real coturn accepts the app's credentials, and no expired or forged ones",
  ignore,
  async fn() {
    await using server = await startTurnServer(LOOPBACK);
    const good = credentials();
    const later = { ...good, username: good.username.replace(/^\d+/, (n) => `${Number(n) + 600}`) };
    for (
      const [what, given, answer] of [
        ["the app's", good, 0],
        ["eleven minutes old", credentials(Date.now() - 660_000), 401],
        ["of another secret", credentials(Date.now(), `${TURN_SECRET}x`), 401],
        ["with a later expiry", later, 401],
        ["without a password", { ...good, credential: "" }, 401],
      ] as const
    ) {
      using client = new TurnClient(server.port, given);
      assertEquals([what, await client.allocate()], [what, answer]);
    }
  },
});

Deno.test({
  name: "with names by client, coturn's user-quota stops one address and nobody else",
  ignore,
  async fn() {
    await using server = await startTurnServer([...LOOPBACK, "--user-quota=3", "--total-quota=9"]);
    const make = iceIssuer({ servers: [], turnUrls: URLS, turnSecret: TURN_SECRET });
    const clients: TurnClient[] = [];
    /** Makes a room, joins it, and uses what it got. */
    const allocate = async (address: string) => {
      const [turn] = make({ ...GUEST, address })?.servers ?? [];
      const { username = "", credential = "" } = turn ?? {};
      const client = new TurnClient(server.port, { username, credential });
      clients.push(client);
      return await client.allocate();
    };
    try {
      const greedy: number[] = [];
      for (let i = 0; i < 12; i++) greedy.push(await allocate("203.0.113.7"));
      // 486: Allocation Quota Reached.
      assertEquals(greedy, [0, 0, 0, ...Array<number>(9).fill(486)]);
      assertEquals(await allocate("192.0.2.1"), 0);
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
  },
});

Deno.test({
  name: "an allocation outlives its credentials: coturn asks for them only once",
  ignore,
  async fn() {
    await using server = await startTurnServer(LOOPBACK);
    // Seconds until it expires, in place of ten minutes.
    const lifeMs = 2_000;
    const given = credentials(Date.now() - TURN_TTL_S * 1_000 + lifeMs);
    using client = new TurnClient(server.port, given);
    assertEquals(await client.allocate(), 0);
    await new Promise((resolve) => setTimeout(resolve, lifeMs + 1_500));
    assertEquals(await client.refresh(), 0);
    using late = new TurnClient(server.port, given);
    assertEquals(await late.allocate(), 401);
  },
});

Deno.test({
  name: "the real turnserver accepts deploy/coturn.conf, which blocks private networks",
  ignore,
  async fn() {
    await using server = await startTurnServer(["-c", `${PROJECT}deploy/coturn.conf`]);
    using client = new TurnClient(server.port, credentials());
    assertEquals(await client.allocate(), 0);
    assert(!/bad config|error|unrecognized|wrong|invalid/i.test(server.output), server.output);
    for (
      const [address, answer] of [
        ["9.9.9.9", 0],
        ["127.0.0.1", 403],
        ["10.1.2.3", 403],
        ["100.64.0.1", 403],
        ["169.254.169.254", 403],
        ["172.16.0.1", 403],
        ["172.31.255.254", 403],
        ["192.168.0.1", 403],
        ["192.0.0.1", 403],
        ["192.0.2.1", 403],
        ["192.88.99.1", 403],
        ["198.18.0.1", 403],
        ["198.51.100.1", 403],
        ["203.0.113.1", 403],
        ["224.0.0.1", 403],
        ["240.0.0.1", 403],
        ["255.255.255.255", 403],
      ] as const
    ) assertEquals([address, await client.permit(address)], [address, answer]);
  },
});
