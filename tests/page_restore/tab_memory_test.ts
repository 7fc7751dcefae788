import { createLinkSecret } from "../../lib/e2e/link.ts";
import { randomBytes } from "../../lib/e2e/suite.ts";
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import { memoryKey } from "../../lib/page_restore/tab_key.ts";
import { Remains, TabMemory } from "../../lib/page_restore/tab_memory.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeTime, until, withGlobals } from "../support/fake_time.ts";

/** A tab's storage. */
class FakeStorage {
  readonly items = new Map<string, string>();
  blocked = false;

  getItem(key: string): string | null {
    this.#check();
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.#check();
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.#check();
    this.items.delete(key);
  }

  #check(): void {
    if (this.blocked) throw new DOMException("", "SecurityError");
  }
}

const token = (length: number) => toBase64Url(randomBytes(length));
const KEY = memoryKey("S");

function tab() {
  const storage = new FakeStorage();
  const globals = withGlobals({ sessionStorage: storage });
  return { storage, [Symbol.dispose]: () => globals[Symbol.dispose]() };
}

const memo = () => ({ path: token(16), rtok: token(32), salt: token(32) });

const CODE = { digits: "4821", words: "crystal-orbit-lemon" };

/** A sender's page that is bound, and has shown a picture. */
async function full() {
  const secret = createLinkSecret();
  const resumed = { resume: randomBytes(32), by: "link", sas: randomBytes(6) } as const;
  const owner = randomBytes(32);
  const memory = new TabMemory("S");
  const seat = memo();
  memory.seated(seat);
  const ledger = {
    states: [{ at: "closed", why: "timer", ms: 3_000 }, { at: "shown" }],
    openedAt: 1_000,
    pending: true,
  } as const;
  await memory.keep({ secret, owner, code: CODE, misses: 1, resumed, bound: true, ledger });
  await memory.keep({ keep: true, mayAnswer: true, hide: true });
  return { memory, seat, secret, owner, resumed, ledger };
}

Deno.test("the page after a reload finds everything, with the salt", async () => {
  using _tab = tab();
  const { seat, memory, ...kept } = await full();
  memory.seen({ n: 1, why: "hidden", ms: 2_500 });
  const remains = Remains.find("S");
  assertEquals([remains?.path, remains?.rtok], [seat.path, seat.rtok]);
  const rtok = token(32);
  const { sealed: _, ...found } = await remains?.open({ rtok, salt: seat.salt }) ?? {};
  assertEquals<unknown>(found, {
    ...kept,
    code: CODE,
    misses: 1,
    handshakes: 0,
    bound: true,
    keep: true,
    mayAnswer: true,
    hide: true,
    rtok,
    last: { n: 1, why: "hidden", ms: 2_500 },
  });
  assertEquals(Remains.find("R"), null);
  assertEquals(Remains.find("S")?.rtok, rtok, "for whoever loads it twice in a row");
});

Deno.test("what is stored is useless without the room's salt, and reveals nothing", async () => {
  using own = tab();
  const { storage } = own;
  const { secret, owner, resumed } = await full();
  const remains = Remains.find("S");
  assertEquals(await remains?.open({ rtok: token(32), salt: token(32) }), null);
  const text = [...storage.items.values()].join();
  for (const bytes of [secret, owner, resumed.resume]) {
    assert(!text.includes(toBase64Url(bytes)), "a secret in the clear");
  }
  for (const word of ["crystal", "4821", "closed"]) assert(!text.includes(word), word);
});

Deno.test("a reloaded page also keeps its next token at once, before resealing", async () => {
  using _tab = tab();
  const { seat, secret } = await full();
  const before = await Remains.find("S")?.open({ rtok: token(32), salt: seat.salt });
  assert(before !== undefined && before !== null);
  const memory = new TabMemory("S", before);
  const rtok = token(32);
  memory.seated({ ...seat, rtok });
  assertEquals(Remains.find("S")?.rtok, rtok);
  const next = await Remains.find("S")?.open({ rtok, salt: seat.salt });
  assertEquals<unknown>(next?.secret, secret);
  // What is sealed later is as readable.
  await memory.keep({ misses: 2 });
  assertEquals((await Remains.find("S")?.open({ rtok, salt: seat.salt }))?.misses, 2);
});

Deno.test("a token is stored at once, and a new salt replaces the old one", async () => {
  using _tab = tab();
  const { memory, seat } = await full();
  const rtok = token(32);
  memory.seated({ ...seat, rtok });
  assertEquals(Remains.find("S")?.rtok, rtok);
  const anew = { ...memo(), path: seat.path };
  memory.seated(anew);
  await until(() => Remains.find("S")?.rtok === anew.rtok, "it is sealed again");
  assertEquals(await Remains.find("S")?.open({ rtok, salt: seat.salt }), null);
  assert(Boolean(await Remains.find("S")?.open({ rtok, salt: anew.salt })));
});

Deno.test("a picture on screen when the page went away counts as seen until now", async () => {
  using time = new FakeTime();
  using _tab = tab();
  const { memory, seat } = await full();
  memory.seen({ n: 0, why: "left", ms: 0, since: Date.now() - 4_000 });
  const before = await Remains.find("S")?.open({ rtok: seat.rtok, salt: seat.salt });
  const ms = before?.last?.ms ?? 0;
  assert(ms >= 4_000 && ms < 60_000, `${ms}`);
  assertEquals(time.waiting, []);
});

Deno.test("without salts from the server, or without storage, nothing is kept", async () => {
  using own = tab();
  const { storage } = own;
  const memory = new TabMemory("S");
  memory.seated({ path: token(16), rtok: token(32), salt: undefined });
  await memory.keep({ secret: createLinkSecret() });
  assertEquals(storage.items.size, 0);
  storage.blocked = true;
  await full();
  assertEquals(Remains.find("S"), null);
  memory.forget();
});

Deno.test("forget() removes it, and nothing comes back", async () => {
  using own = tab();
  const { storage } = own;
  const { memory, seat } = await full();
  memory.forget();
  memory.seen({ n: 0, why: "user", ms: 1 });
  memory.seated({ ...seat, rtok: token(32) });
  await memory.keep({ misses: 2 });
  assertEquals(storage.items.size, 0);
});

Deno.test("incomplete data is ignored and removed", async () => {
  using own = tab();
  const { storage } = own;
  await full();
  const entry: unknown = JSON.parse(storage.items.get(KEY) ?? "");
  assert(typeof entry === "object" && entry !== null);
  for (
    const change of [
      { path: "../../x" },
      { rtok: "short" },
      { tab: 7 },
      { box: null },
      { path: undefined },
    ]
  ) {
    storage.items.set(KEY, JSON.stringify({ ...entry, ...change }));
    assertEquals(Remains.find("S"), null);
    assertEquals(storage.items.size, 0);
  }
  storage.items.set(KEY, "{");
  assertEquals(Remains.find("S"), null);
  storage.items.set(KEY, JSON.stringify({ ...entry, box: "AAAA", last: { n: 99 } }));
  assertEquals(await Remains.find("S")?.open({ rtok: token(32), salt: token(32) }), null);
});
