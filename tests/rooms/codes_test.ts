import { CODE_PATTERN } from "../../lib/protocol/signaling.ts";
import { CODE_REST_MS } from "../../lib/protocol/limits.ts";
import { CodeTable, type CodeTableOptions, digitsFor, isCode } from "../../lib/rooms/codes.ts";
import { STORE_LIMITS } from "../../lib/rooms/limits.ts";
import { MemoryRoomStore } from "../../lib/rooms/memory_store.ts";
import { hashToken, type RandomSource, systemRandom } from "../../lib/ops/tokens.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeClock } from "./fake_clock.ts";
import { token } from "./store_contract.ts";

function make(options: Partial<CodeTableOptions> = {}) {
  const clock = new FakeClock();
  const { codeRestMs: restMs, maxCodes } = STORE_LIMITS;
  return {
    clock,
    table: new CodeTable({ clock, random: systemRandom, restMs, maxCodes, ...options }),
  };
}

/** Returns these numbers as four bytes each, the last one for ever, and counts the calls. */
function numbers(...values: number[]): { random: RandomSource; asked: () => number } {
  let asked = 0;
  const random = (length: number) => {
    assertEquals(length, 4);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, values[Math.min(asked++, values.length - 1)] ?? 0);
    return bytes;
  };
  return { random, asked: () => asked };
}

/** Draws `count` codes, all of which must exist. */
function drawMany(table: CodeTable, count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const code = table.draw(`room ${i}`);
    assert(code !== null && CODE_PATTERN.test(code), `Not digits: ${code}`);
    return code;
  });
}

Deno.test("digits lead to the room that drew them, until they are retired", () => {
  const { table } = make();
  const codes = drawMany(table, 100);
  codes.forEach((code, i) => assertEquals(table.find(code), `room ${i}`));
  const [first = "", second = ""] = codes;
  table.retire(first);
  assertEquals([table.find(first), table.find(second)], [undefined, "room 1"]);
  assertEquals(table.counts, { live: 99, resting: 1 });
});

Deno.test("of 5,000 rooms no two share digits, while half of them end", async () => {
  const store = new MemoryRoomStore({ clock: new FakeClock() });
  const codes = new Set<string>();
  const own = hashToken(token(32));
  const join = hashToken(token(16));
  for (let i = 0; i < 5_000; i++) {
    const claim = { room: token(16), conn: "s", rtok: hashToken(token(32)), listener() {} };
    const created = await store.create(claim, { own, join, ttl: 600, salt: token(32) });
    assert(typeof created === "object" && created.code !== null);
    codes.add(created.code);
    if (i % 2 === 0) {
      await store.act({ room: claim.room, conn: "s", seat: "sender" }, { t: "delete", own });
    }
  }
  assertEquals([codes.size, store.size], [5_000, 2_500]);
});

Deno.test("digits rest for exactly their time, however often they are retired", async () => {
  const { clock, table } = make({ random: numbers(42).random });
  assertEquals(table.draw("a"), "0042");
  table.retire("0042");
  await clock.advance(CODE_REST_MS - 1);
  table.retire("0042");
  assertEquals(table.draw("b"), null);
  await clock.advance(1);
  assertEquals(table.draw("b"), "0042");
  assertEquals(table.find("0042"), "b");
});

Deno.test("digits that were never given out cannot be retired", () => {
  const { table } = make();
  table.retire("4821");
  assertEquals(table.counts, { live: 0, resting: 0 });
});

Deno.test("sweep() frees digits whose rest is over and no others", async () => {
  const { clock, table } = make();
  const codes = drawMany(table, 10);
  for (const code of codes) {
    table.retire(code);
    await clock.advance(1_000);
  }
  await clock.advance(CODE_REST_MS - 6_000);
  table.sweep();
  assertEquals(table.counts, { live: 0, resting: 5 });
  await clock.advance(CODE_REST_MS);
  table.sweep();
  assertEquals(table.counts, { live: 0, resting: 0 });
});

Deno.test("codes have four digits while few are taken, and one more at each tenfold", () => {
  const lengths: [taken: number, digits: number | null][] = [
    [0, 4],
    [99, 4],
    [100, 5],
    [999, 5],
    [1_000, 6],
    [10_000, 7],
    [100_000, 8],
    [999_999, 8],
    [1_000_000, null],
  ];
  for (const [taken, digits] of lengths) assertEquals([taken, digitsFor(taken)], [taken, digits]);
});

Deno.test("codes grow with live and resting ones, and shrink after the rest", async () => {
  const { clock, table } = make();
  const short = drawMany(table, 100);
  assert(short.every((code) => code.length === 4));
  for (const code of short.slice(0, 60)) table.retire(code);
  const long = drawMany(table, 50);
  assert(long.every((code) => code.length === 5));
  await clock.advance(CODE_REST_MS);
  assertEquals(drawMany(table, 1)[0]?.length, 4);
  assertEquals(table.counts, { live: 91, resting: 0 });
});

Deno.test("at most a hundredth of the addresses of each length is ever taken", () => {
  const { table } = make({ maxCodes: 20_000 });
  const taken = new Map<number, number>();
  for (const { length } of drawMany(table, 20_000)) taken.set(length, (taken.get(length) ?? 0) + 1);
  assertEquals([...taken], [[4, 100], [5, 900], [6, 9_000], [7, 10_000]]);
});

Deno.test("making rooms in a loop is bounded: beyond the limit there are no digits", async () => {
  const { clock, table } = make({ maxCodes: 500 });
  for (let i = 0; i < 2_000; i++) {
    const code = table.draw("churn");
    if (code !== null) table.retire(code);
  }
  assertEquals(table.counts, { live: 0, resting: 500 });
  assertEquals(table.draw("honest"), null);
  await clock.advance(CODE_REST_MS);
  assert(table.draw("honest") !== null);
});

Deno.test("a draw of taken digits is repeated, live or resting", () => {
  const { random, asked } = numbers(7, 7, 8, 7, 8, 10_009);
  const { table } = make({ random });
  assertEquals(table.draw("a"), "0007");
  assertEquals(table.draw("b"), "0008");
  table.retire("0007");
  assertEquals(table.draw("c"), "0009");
  assertEquals(asked(), 6);
});

Deno.test("a draw that would favor low digits is discarded", () => {
  // 2^32 = 429,496 · 10,000 + 7,296: the last 7,296 numbers would give 0000 … 7295 an extra chance.
  const { table } = make({ random: numbers(2 ** 32 - 1, 4_294_960_000, 4_294_959_999).random });
  assertEquals(table.draw("a"), "9999");
});

Deno.test("a random source that repeats itself makes no endless loop", () => {
  for (const value of [5, 2 ** 32 - 1]) {
    const { random, asked } = numbers(value);
    const { table } = make({ random });
    for (let i = 0; i < 3; i++) table.draw(`room ${i}`);
    assert(table.counts.live <= 1 && asked() <= 3 * 64);
  }
});

Deno.test("isCode() accepts four to eight digits and nothing else", () => {
  for (const code of ["0000", "48213", "482134", "4821345", "48213456"]) assert(isCode(code), code);
  const others = ["", "482", "482134567", "48 21", "4821\n", "-482", "４８２１", "482a", token(16)];
  for (const other of others) assert(!isCode(other), other);
});
