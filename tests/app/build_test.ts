/**
 * The hash of what browsers get is the same wherever it is built, and can be computed without our
 * programs.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { copyContext } from "../support/image.ts";
import { PROJECT, readDenoJson } from "../support/project.ts";

interface Ran {
  readonly stdout: string;
  readonly stderr: string;
}

async function run([program = "", ...args]: readonly string[], cwd: string): Promise<Ran> {
  const { success, ...output } = await new Deno.Command(program, {
    args,
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  const [stdout, stderr] = [decoder.decode(output.stdout), decoder.decode(output.stderr)];
  assert(success, `${program} ${args.join(" ")}\n${stdout}${stderr}`);
  return { stdout, stderr };
}

/**
 * A copy of what a build needs, in a directory of its own, without the output of earlier builds.
 */
async function cleanCopy(directory: string): Promise<string> {
  await copyContext(directory);
  for (const made of ["static/workers", "static/sw.js"]) {
    await Deno.remove(`${directory}/${made}`, { recursive: true }).catch(() => {});
  }
  return directory;
}

/** Builds as the task does. Returns the hash that it prints. */
async function build(directory: string): Promise<string> {
  const command = (await readDenoJson()).tasks["build"]?.split(" ").slice(1) ?? [];
  const { stdout } = await run([Deno.execPath(), ...command], directory);
  const [, hash = ""] = /^What browsers get: sha256 ([0-9a-f]{64})$/m.exec(stdout) ?? [];
  assert(hash !== "", stdout);
  assertEquals(await Deno.readTextFile(`${directory}/_fresh/build.sha256`), `${hash}\n`);
  return hash;
}

Deno.test({
  name: "two clean copies at different paths build the same hash, which sha256sum finds as well",
  ignore: Deno.build.os === "windows",
  async fn() {
    const root = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${root}/a/longer path, with spaces`, { recursive: true });
      const one = await cleanCopy(`${root}/one`);
      const two = await cleanCopy(`${root}/a/longer path, with spaces/two`);
      const hash = await build(one);
      assertEquals(await build(two), hash);

      // The command of docs/architecture.md, copied verbatim.
      const docs = await Deno.readTextFile(`${PROJECT}docs/architecture.md`);
      const command = /^ {4}(cd _fresh && find pages static .+ \| sha256sum)$/m.exec(docs)?.[1] ??
        "";
      assertMatch((await run(["sh", "-c", command], one)).stdout, new RegExp(`^${hash} `));

      // One byte more in what browsers get changes the hash.
      await Deno.writeTextFile(`${two}/static/styles.css`, "\n", { append: true });
      assert(await build(two) !== hash);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});
