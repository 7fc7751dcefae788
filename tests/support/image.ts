/**
 * A Dockerfile without Docker: runs its COPY and RUN steps in directories of this machine, and its
 * CMD and HEALTHCHECK there. It can't test the base image, its tini and its user, nor whether
 * Docker itself accepts the file.
 *
 * @module
 */
import { dirname } from "node:path";
import { PROJECT } from "./project.ts";

/** One instruction of a Dockerfile, with continued lines joined. */
export interface Step {
  readonly name: string;
  readonly rest: string;
}

/** Everything from one FROM to the next. */
export interface Stage {
  readonly base: string;
  readonly alias: string | null;
  readonly steps: readonly Step[];
}

const STEPS = ["ARG", "CMD", "COPY", "ENV", "EXPOSE", "HEALTHCHECK", "RUN", "USER", "WORKDIR"];

/**
 * The stages of a Dockerfile.
 *
 * @throws {SyntaxError} for an instruction that is not implemented here
 */
export function parseDockerfile(text: string): Stage[] {
  const stages: { base: string; alias: string | null; steps: Step[] }[] = [];
  const lines = text.replaceAll("\\\n", " ").split("\n").filter((line) => !/^\s*(#|$)/.test(line));
  for (const line of lines) {
    const [, name = "", rest = ""] = /^([A-Z]+) +(.+)$/.exec(line) ?? [];
    if (name === "FROM") {
      const [, base = "", alias = null] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      stages.push({ base, alias, steps: [] });
    } else {
      const stage = stages.at(-1);
      if (!STEPS.includes(name) || stage === undefined) {
        throw new SyntaxError(`Cannot read the Dockerfile: ${line}`);
      }
      stage.steps.push({ name, rest });
    }
  }
  return stages;
}

/** The words of a JSON array, as in CMD. */
export function execForm(rest: string): string[] {
  const words: unknown = JSON.parse(rest);
  if (!Array.isArray(words)) throw new SyntaxError(`Not an array: ${rest}`);
  return words.map(String);
}

/** The command of a HEALTHCHECK, without its options. */
export function healthCommand(rest: string): string[] {
  return execForm(/ CMD (.+)$/.exec(` ${rest}`)?.[1] ?? "");
}

/** A stage that was replayed. */
interface Replayed {
  readonly root: string;
  readonly env: Record<string, string>;
  directory: string;
}

/** The result of the last stage: a directory tree, and how to run commands in it. */
export class Image implements AsyncDisposable {
  /** Path of the image's `/`. */
  readonly root: string;
  readonly #directory: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #temporary: string;

  private constructor(temporary: string, { root, directory, env }: Replayed) {
    this.#temporary = temporary;
    this.root = root;
    this.#directory = directory;
    this.#env = env;
  }

  /** Replays every stage from a clean copy of the files that .dockerignore includes. */
  static async build(stages: readonly Stage[]): Promise<Image> {
    const temporary = await Deno.makeTempDir({ prefix: "image_" });
    try {
      const context = `${temporary}/context`;
      await copyContext(context);
      const done = new Map<string, Replayed>();
      let last: Replayed | undefined;
      for (const [i, stage] of stages.entries()) {
        const root = `${temporary}/${i}`;
        await Deno.mkdir(root);
        last = { root, env: { DENO_DIR: `${root}/deno-dir` }, directory: "/" };
        for (const step of stage.steps) await replay(step, last, { context, done });
        if (stage.alias !== null) done.set(stage.alias, last);
      }
      if (last === undefined) throw new SyntaxError("Cannot build: the Dockerfile has no stage");
      return new Image(temporary, last);
    } catch (error) {
      await Deno.remove(temporary, { recursive: true });
      throw error;
    }
  }

  /** Makes the tree read-only, for root too, like a root file system mounted read-only. */
  async freeze(): Promise<void> {
    await run("chmod", ["-R", "a-w", this.root]);
  }

  /**
   * Starts a command of the image with its environment, and with no more privileges than in the
   * container.
   */
  spawn(command: readonly string[], env: Readonly<Record<string, string>> = {}): Deno.ChildProcess {
    const [program = "", ...args] = powerless(command);
    return new Deno.Command(program, {
      args,
      cwd: this.root + this.#directory,
      clearEnv: true,
      env: { ...BASE_ENV, ...this.#env, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Paths of all files, with size and modification time. */
  async files(): Promise<string[]> {
    const found: string[] = [];
    for await (const path of walk(this.root)) {
      const { size, mtime } = await Deno.stat(path);
      found.push(`${path.slice(this.root.length)} ${size} ${mtime?.getTime()}`);
    }
    return found.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("chmod", ["-R", "u+w", this.#temporary]);
    await Deno.remove(this.#temporary, { recursive: true });
  }
}

async function* walk(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory) yield* walk(`${directory}/${name}`);
    else yield `${directory}/${name}`;
  }
}

/** Minimal environment; `deno` is the one that runs this. */
const BASE_ENV = {
  PATH: `${dirname(Deno.execPath())}:/usr/local/bin:/usr/bin:/bin`,
  HOME: "/nonexistent",
  NO_COLOR: "1",
};

/**
 * Runs without capabilities and without a way to gain any; otherwise root could ignore file
 * permissions.
 */
function powerless(command: readonly string[]): readonly string[] {
  if (Deno.uid() !== 0) return command;
  return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", ...command];
}

async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    ...options,
  }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(
    `${program} ${args.join(" ")}\n${decoder.decode(stdout)}${decoder.decode(stderr)}`,
  );
}

/** Copies the build context that Docker would get: the files that .dockerignore includes. */
export async function copyContext(target: string): Promise<void> {
  const ignore = (await Deno.readTextFile(`${PROJECT}.dockerignore`)).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const [first, ...others] = ignore;
  if (first !== "*" || others.some((line) => !/^!?[\w./-]+$/.test(line))) {
    throw new SyntaxError("Cannot read .dockerignore: it is not a list of what is let through");
  }
  await Deno.mkdir(target);
  const passed = others.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  for (const path of passed) await run("cp", ["-R", `${PROJECT}${path}`, `${target}/${path}`]);
  for (const path of others.filter((line) => !line.startsWith("!"))) {
    await Deno.remove(`${target}/${path}`, { recursive: true }).catch(() => {});
  }
}

/** Path on this machine of a path in the image. */
function inside(stage: Replayed, path: string): string {
  return stage.root + (path.startsWith("/") ? path : `${stage.directory}/${path}`);
}

async function replay(
  { name, rest }: Step,
  stage: Replayed,
  { context, done }: { readonly context: string; readonly done: ReadonlyMap<string, Replayed> },
): Promise<void> {
  if (name === "WORKDIR") {
    stage.directory = rest;
    await Deno.mkdir(inside(stage, rest), { recursive: true });
  } else if (name === "ENV") {
    for (const [, key = "", value = ""] of rest.matchAll(/(\w+)=(\S+)/g)) {
      stage.env[key] = value.startsWith("/") ? stage.root + value : value;
    }
  } else if (name === "COPY") {
    const [, from, words = ""] = /^(?:--from=(\S+) )?(.+)$/.exec(rest) ?? [];
    const paths = words.split(" ");
    const target = inside(stage, paths.pop() ?? "");
    const source = from === undefined ? context : done.get(from)?.root;
    if (source === undefined) throw new Error(`Cannot copy from ${from}: there is no such stage`);
    for (const path of paths) {
      const origin = `${source}/${path}`;
      // Docker copies the content of a directory, cp the directory itself. The result is the same
      // if the target does not exist, which is required here.
      await run("cp", ["-R", origin, target]);
    }
  } else if (name === "RUN") {
    // The command may contain paths of the image, too.
    const command = rest.replaceAll(/(?<==)\/(?=[\w-]+)/g, `${stage.root}/`);
    const env = { ...Deno.env.toObject(), ...stage.env, PATH: BASE_ENV.PATH, NO_COLOR: "1" };
    await run("sh", ["-c", command], { cwd: inside(stage, ""), env });
  }
}
