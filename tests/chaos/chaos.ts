/**
 * `deno task chaos`: runs CHAOS_RUNS (200) sessions with real browsers, CHAOS_AT_ONCE (8) in
 * parallel, in which everything fails that can. CHAOS_SEED repeats one of them; CHAOS_FIRST is the
 * first seed (1). Prints the results, and exits with 1 if anything went wrong.
 *
 * @module
 */
import { runAll } from "./runner.ts";
import { summary, tell } from "./tell.ts";

function number(name: string, otherwise: number): number {
  const text = Deno.env.get(name) ?? "";
  return text === "" ? otherwise : Number(text);
}

const one = number("CHAOS_SEED", 0);
const first = one === 0 ? number("CHAOS_FIRST", 1) : one;
const runs = one === 0 ? number("CHAOS_RUNS", 200) : 1;
const seeds = Array.from({ length: runs }, (_, i) => first + i);

let done = 0;
const report = await runAll({
  seeds,
  atOnce: number("CHAOS_AT_ONCE", 8),
  onResult(result) {
    const progress = `${++done}/${runs}`;
    // deno-lint-ignore no-console -- a program for a terminal
    console.log(tell(result, { progress, whole: one !== 0 }));
  },
});
// deno-lint-ignore no-console -- a program for a terminal
console.log(summary(report));
const bad = report.results.some(({ problems }) => problems.length > 0) || report.leaks.length > 0;
Deno.exit(bad ? 1 : 0);
