/**
 * A few fixed seeds of `deno task chaos`, one for each kind of trouble, so that neither the product
 * nor this harness breaks unnoticed.
 *
 * @module
 */
import { assertEquals } from "../support/assert.ts";
import { hasUdpProxy } from "../support/udp_proxy.ts";
import { runAll } from "./runner.ts";
import { tell } from "./tell.ts";

/** Chosen because none of them has to wait for the end of the grace period. */
const SEEDS = [1, 3, 4, 7, 8, 11];

/** Sessions that a machine with two cores can run in parallel, besides other tests. */
const AT_ONCE = 3;

Deno.test({
  name: "chaos: seen once and closed, not seen, or unconfirmed, and the sender reads which",
  ignore: !hasUdpProxy,
  async fn() {
    const { results, leaks } = await runAll({ seeds: SEEDS, atOnce: AT_ONCE });
    const bad = results.filter(({ problems }) => problems.length > 0);
    assertEquals(bad.map((result) => tell(result, { progress: "" })).join("\n"), "");
    assertEquals(leaks, []);
    assertEquals(results.length, SEEDS.length);
  },
});
