// deno-lint-ignore-file no-console -- a test reads what the logger writes
import { Metrics } from "../../lib/ops/metrics.ts";
import { Access } from "../../lib/server/access.ts";
import { FakeClock } from "../rooms/fake_clock.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";

const KEY = "correct horse battery";
const HOUR_MS = 3_600_000;

class World {
  readonly clock = new FakeClock();
  now = 1_800_000_000_000;
  readonly metrics = new Metrics();
  readonly access: Access;

  constructor({ keys = [KEY], secure = false }: { keys?: string[]; secure?: boolean } = {}) {
    const { clock, metrics: counters } = this;
    this.access = new Access({ keys, secure, clock, now: () => this.now, counters });
  }

  enter(key: string, { address = "192.0.2.1", headers = {} } = {}) {
    const body = new URLSearchParams({ key });
    const req = new Request("http://x/access", { method: "POST", body, headers });
    return this.access.enter(req, address);
  }

  /** The cookie for a right key, as a browser sends it back. */
  async cookie(key = KEY): Promise<string> {
    const entry = await this.enter(key);
    assert(entry.at === "in");
    return entry.cookie.split(";")[0] ?? "";
  }

  admits(cookie: string | null): boolean {
    const headers: HeadersInit = cookie === null ? {} : { cookie };
    return this.access.admits(new Request("http://x/", { headers }));
  }
}

Deno.test("without ACCESS_KEY everybody is admitted, and no key is right", async () => {
  const world = new World({ keys: [] });
  assert(world.admits(null) && world.admits("access=x"));
  for (const key of ["", " ", "key"]) assertEquals(await world.enter(key), { at: "wrong" });
});

Deno.test("with ACCESS_KEY only requests with a valid cookie are admitted", async () => {
  const world = new World();
  const cookie = await world.cookie();
  assert(world.admits(cookie));
  assert(world.admits(`other=1; ${cookie}; more=2`));
  const [name, value = ""] = cookie.split("=");
  const [expires = "", mac = ""] = value.split(".");
  const flipped = (mac.startsWith("A") ? "B" : "A") + mac.slice(1);
  const wrong = [
    null,
    "",
    `${name}=`,
    `${name}=${expires}.`,
    `${name}=.${mac}`,
    `${name}=${expires}.${flipped}`,
    `${name}=${Number(expires) + 1}.${mac}`,
    `${name}=${Number(expires) * 10}.${mac}`,
    `${name}=${expires}.${mac}A`,
    `${name}=${expires}.${mac}=`,
    `x${name}=${value}`,
    `${name}=1; ${name}x=${value}`,
    `${name}=${KEY}`,
  ];
  for (const text of wrong) assertEquals([text, world.admits(text)], [text, false]);
});

Deno.test("a cookie is valid for twelve hours, across restarts, for one key only", async () => {
  const world = new World();
  const cookie = await world.cookie();
  const again = new World();
  const other = new World({ keys: [`${KEY}!`] });
  for (const { now } of [{ now: world.now }, { now: world.now + 12 * HOUR_MS - 1_000 }]) {
    world.now = again.now = other.now = now;
    assertEquals([world.admits(cookie), again.admits(cookie), other.admits(cookie)], [
      true,
      true,
      false,
    ]);
  }
  world.now = again.now = world.now + 1_000;
  assertEquals([world.admits(cookie), again.admits(cookie)], [false, false]);
});

Deno.test("the cookie is HttpOnly, SameSite, has no key, and is Secure over HTTPS", async () => {
  const plain = await new World().enter(KEY);
  const secure = await new World({ secure: true }).enter(KEY);
  assert(plain.at === "in" && secure.at === "in");
  const attributes = ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Strict"];
  const [pair = "", ...said] = plain.cookie.split("; ");
  assertMatch(pair, /^access=\d{10}\.[\w-]{43}$/);
  assertEquals(said.sort(), attributes);
  const [securePair = "", ...secureSaid] = secure.cookie.split("; ");
  assertMatch(securePair, /^__Host-access=\d{10}\.[\w-]{43}$/);
  assertEquals(secureSaid.sort(), [...attributes, "Secure"]);
});

Deno.test("any other key is wrong, whatever its length; outer spaces don't count", async () => {
  const world = new World();
  for (
    const key of ["", KEY.slice(1), KEY.slice(0, -1), KEY.toUpperCase(), `${KEY}.`, "x".repeat(512)]
  ) {
    assertEquals([key, await world.enter(key)], [key, { at: "wrong" }]);
  }
  assertEquals((await world.enter(` ${KEY}\n`)).at, "in");
});

Deno.test("after ten wrong keys an address is locked out, others are not", async () => {
  const world = new World();
  for (let i = 0; i < 10; i++) assertEquals((await world.enter(`wrong ${i}`)).at, "wrong");
  assertEquals(await world.enter(KEY), { at: "wait", retry: 60 });
  assertEquals((await world.enter(KEY, { address: "192.0.2.2" })).at, "in");
  await world.clock.advance(60_000);
  assertEquals((await world.enter(KEY)).at, "in");
});

Deno.test("whoever has the key is never locked out", async () => {
  const world = new World();
  for (let i = 0; i < 50; i++) assertEquals((await world.enter(KEY)).at, "in");
});

Deno.test("while keys are changed both are right, and each has cookies of its own", async () => {
  const old = await new World().cookie();
  const both = new World({ keys: ["another long key", KEY] });
  assert(both.admits(old), "the old cookie");
  assertEquals((await both.enter("another long key")).at, "in");
  const next = await both.cookie("another long key");
  const after = new World({ keys: ["another long key"] });
  assertEquals([after.admits(old), after.admits(next)], [false, true]);
  assertEquals(await after.enter(KEY), { at: "wrong" });
});

Deno.test("signing out makes the browser forget its cookie, from this site only", async () => {
  const world = new World();
  const leave = (site: string) => {
    const headers = { "sec-fetch-site": site };
    const req = new Request("http://x/access?out", { method: "POST", headers });
    return world.access.enter(req, "192.0.2.1");
  };
  const entry = await leave("same-origin");
  assert(entry.at === "out");
  const [pair, ...attributes] = entry.cookie.split("; ");
  assertEquals(pair, "access=");
  assert(attributes.includes("Max-Age=0") && attributes.includes("Path=/"), entry.cookie);
  assertEquals((await leave("cross-site")).at, "foreign");
});

Deno.test("strangers who fail lock nobody out, however many they are", async () => {
  const world = new World();
  for (let i = 0; i < 5_000; i++) await world.enter(`wrong ${i}`, { address: `stranger ${i}` });
  assertEquals((await world.enter(KEY, { address: "192.0.2.2" })).at, "in");
});

Deno.test("a /48 guesses as often as four clients do", async () => {
  const world = new World();
  let heard = 0;
  for (let i = 0; i < 1_000; i++) {
    const address = `20010db80001${(i * 61).toString(16).padStart(4, "0")}/64`;
    if ((await world.enter(`wrong ${i}`, { address })).at === "wrong") heard++;
  }
  assertEquals(heard, 40);
});

Deno.test("wrong keys are counted, and logged without saying from where", async () => {
  const world = new World();
  const lines: string[] = [];
  const original = console.error;
  console.error = (line: string) => void lines.push(line);
  try {
    for (let i = 0; i < 12; i++) await world.enter(`wrong ${i}`, { address: "203.0.113.77" });
    await world.clock.advance(60_000);
    await world.enter("wrong again", { address: "203.0.113.77" });
    await world.enter(KEY, { address: "192.0.2.2" });
  } finally {
    console.error = original;
  }
  const counts = ["right", "wrong", "wait"] as const;
  assertEquals(counts.map((was) => world.metrics.get("access_keys", was)), [1, 11, 2]);
  const logged = lines.map((line) => JSON.parse(line));
  assertEquals(
    logged.map(({ level, message, count }) => ({ level, message, count })),
    [1, 10].map((count) => ({ level: "warn", message: "wrong access keys", count })),
  );
  assert(!lines.join().includes("203.0.113.77") && !lines.join().includes("wrong 1"));
});

Deno.test("a form of another site, or one that is too long, is not read", async () => {
  const world = new World();
  for (const site of ["cross-site", "same-site"]) {
    const entry = await world.enter(KEY, { headers: { "sec-fetch-site": site } });
    assertEquals(entry, { at: "foreign" });
  }
  assertEquals((await world.enter(KEY, { headers: { "sec-fetch-site": "same-origin" } })).at, "in");
  assertEquals(await world.enter("x".repeat(10_000)), { at: "foreign" });
});

Deno.test("a form without an end is abandoned after 8 KiB", async () => {
  const world = new World();
  let given = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      given += 1_024;
      controller.enqueue(new Uint8Array(1_024));
    },
  });
  const req = new Request("http://x/access", { method: "POST", body });
  assertEquals(await world.access.enter(req, "192.0.2.1"), { at: "foreign" });
  assert(given <= 16_384, `${given} bytes were read`);
});
