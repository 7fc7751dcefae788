import { assert, assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import { fuzz, type Property } from "./property.ts";

/** Holds only below 1,000. */
const BELOW_1000: Property = {
  name: "numbers are below 1,000",
  runs: 50,
  property: fc.property(fc.nat(100_000), (n) => {
    assert(n < 1_000);
  }),
};

const HOLDS: Property = {
  name: "numbers are numbers",
  runs: 50,
  property: fc.asyncProperty(fc.nat(), (n) => Promise.resolve(assertEquals(n, n))),
};

async function report(properties: readonly Property[], ms: number, seed = 7) {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const failed = await fuzz(properties, { ms, nextSeed: () => seed, write });
  return { failed, text: lines.join("\n") };
}

Deno.test("fuzz() reports seed, smallest counterexample and totals of a failure", async () => {
  const { failed, text } = await report([BELOW_1000, HOLDS], 0);
  assertEquals(failed, 1);
  assert(text.includes("Counterexample: [1000]") && text.includes("seed: 7"), text);
  assert(text.includes("held: 50 inputs in 1 rounds: numbers are numbers"), text);
  assert(text.includes("rounds: numbers are below 1,000"), text);
});

Deno.test("fuzz() draws new seeds until its time is up, for each property in turn", async () => {
  const { failed, text } = await report([HOLDS, { ...HOLDS, name: "another" }], 200);
  assertEquals(failed, 0);
  const rounds = Number(/in (\d+) rounds: numbers/.exec(text)?.[1]);
  assert(rounds > 1, text);
  assert(/held: \d+ inputs in \d+ rounds: another/.test(text), text);
});

Deno.test("fuzz() stops early when no property is left that holds", async () => {
  const { failed } = await report([BELOW_1000], 3_600_000);
  assertEquals(failed, 1);
});
