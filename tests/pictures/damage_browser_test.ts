import { assertThrows } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import { Bench, BenchSite, type Finding } from "./bench.ts";
import { assertTaken, damageProperty } from "./damage.ts";
import { plainPictures } from "./make.ts";

function refused(reason: string, whole: boolean): Finding {
  const shown = { width: 4, height: 4, whole };
  const outcome = { ok: false, reason } as const;
  return { kind: "looked", look: { shown, outcome, difference: null, ms: 1 }, sent: null };
}

Deno.test("assertTaken() detects a refusal of what is shown", () => {
  assertThrows(() => assertTaken(refused("not_an_image", true), 100), Error);
  assertThrows(() => assertTaken(refused("not_an_image", false), 100), Error);
  assertThrows(() => assertTaken({ kind: "lost", why: "no answer in time" }, 100), Error);
  assertThrows(() => assertTaken(refused("truncated", false), 100), Error);
});

Deno.test("a picture with a damaged header is taken if <img> shows any of it", async () => {
  await using site = await BenchSite.start();
  await using bench = new Bench(site);
  const pictures = await plainPictures();
  const { property, runs } = damageProperty(pictures, (picture) => bench.look(picture));
  // The same inputs at every run.
  await fc.assert(property, { seed: 20_261_129, numRuns: runs });
});
