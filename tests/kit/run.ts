/**
 * `deno run -A --lock=tests/deno.lock tests/kit/run.ts [program …]`: checks a program that answers
 * the kit's questions on its standard input and output; without one, this project's own.
 *
 * @module
 */
import { type Answer, type Implementation, linesOf, type Question, runKit } from "./kit.ts";

/** The program of this project's implementation. */
const OURS = [Deno.execPath(), "run", "-A", new URL("ours.ts", import.meta.url).href];

/** Milliseconds for one answer. */
const PATIENCE_MS = 30_000;

/** A program that answers questions, one JSON object a line. Ended by `using`. */
export class Program implements Implementation, Disposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: AsyncGenerator<string>;

  constructor([command = "", ...args]: readonly string[]) {
    this.#child = new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout);
  }

  /** Throws if there is no answer in time, or none at all. */
  async ask(question: Question): Promise<Answer> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(question)}\n`));
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("Cannot go on: no answer")), PATIENCE_MS);
    try {
      const { value, done } = await Promise.race([this.#lines.next(), promise]);
      if (done) throw new Error("Cannot go on: the program ended");
      return JSON.parse(value);
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#child.kill();
    } catch {
      // It ended by itself.
    }
  }
}

if (import.meta.main) {
  const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
  using program = new Program(Deno.args.length > 0 ? Deno.args : OURS);
  let [wrong, total] = [0, 0];
  for await (const { name, problem } of runKit(program)) {
    total++;
    if (problem === null) continue;
    wrong++;
    print(`${name}: ${problem}`);
  }
  print(`${total - wrong} of ${total} are right`);
  Deno.exit(wrong === 0 ? 0 : 1);
}
