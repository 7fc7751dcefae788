/**
 * This project's implementation against the kit, and implementations that the kit has to find
 * fault with.
 *
 * @module
 */
import { assert, assertEquals } from "../support/assert.ts";
import { type Answer, type Implementation, type Question, type Result, runKit } from "./kit.ts";
import { Ours } from "./ours.ts";
import { Program } from "./run.ts";

async function resultsOf(tested: Implementation): Promise<Result[]> {
  return await Array.fromAsync(runKit(tested));
}

function wrong(results: readonly Result[]): string[] {
  return results.flatMap(({ name, problem }) => problem === null ? [] : `${name}: ${problem}`);
}

Deno.test("this implementation does what the kit asks for, in every case", async () => {
  const results = await resultsOf(new Ours());
  assertEquals(wrong(results), []);
  assert(results.length > 150, String(results.length));
  const names = results.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size, "each case has a name of its own");
});

Deno.test("the kit finds every refusal that an implementation leaves out", async () => {
  const ours = new Ours();
  const gullible: Implementation = {
    async ask(question: Question): Promise<Answer> {
      const answer = await ours.ask(question);
      // The offer of every handshake, so that a forged M4 seems to be understood.
      return answer.refused === true ? { value: "v=0 offer", bytes: "00" } : answer;
    },
  };
  const honest = await resultsOf(new Ours());
  const found = wrong(await resultsOf(gullible)).length;
  const refusals = await countRefusals();
  assert(found >= refusals, `${found} of ${refusals}`);
  assert(honest.length > found);
});

/** How many questions have to be refused. */
async function countRefusals(): Promise<number> {
  let count = 0;
  const ours = new Ours();
  await resultsOf({
    async ask(question) {
      const answer = await ours.ask(question);
      if (answer.refused === true) count++;
      return answer;
    },
  });
  return count;
}

Deno.test("the kit finds an implementation that refuses everything", async () => {
  const results = await resultsOf({ ask: () => Promise.resolve({ refused: true }) });
  assert(wrong(results).length > 20);
});

Deno.test("a program is asked over its standard input and output", async () => {
  using program = new Program([
    Deno.execPath(),
    "run",
    "-A",
    "--lock=tests/deno.lock",
    new URL("ours.ts", import.meta.url).href,
  ]);
  const ask = (text: string) => program.ask({ do: "message", kind: "client", text });
  assertEquals(await ask('{"t":"leave"}'), { value: { t: "leave" } });
  assertEquals(await ask("{"), { refused: true });
});
