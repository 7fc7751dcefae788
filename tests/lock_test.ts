/**
 * Deno downloads everything that a lock file names as soon as it needs one package of it. So there
 * are two: deno.lock for the app, which `deno task start` and the container use, and
 * tests/deno.lock for developers. A first start with deno.lock leaves 26 MB in Deno's cache; it
 * left 116 MB when that file named the browser that the tests may need.
 *
 * @module
 */
import { assert, assertEquals } from "./support/assert.ts";
import { PROJECT, readDenoJson } from "./support/project.ts";

interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

async function readLock(path: string): Promise<Lock> {
  return JSON.parse(await Deno.readTextFile(`${PROJECT}${path}`));
}

Deno.test("the lock file of the app names no package that only tests need", async () => {
  const names = Object.keys((await readLock("deno.lock")).npm).join("\n");
  assert(names.includes("preact@"));
  assert(!/puppeteer|chromium|axe-core|fast-check|yaml@/.test(names), names);
});

Deno.test("both lock files agree; to update: deno task --frozen=false lock", async () => {
  const all = (await readLock("tests/deno.lock")).npm;
  const { npm } = await readLock("deno.lock");
  for (const [name, { integrity }] of Object.entries(npm)) {
    assertEquals(
      all[name]?.integrity,
      integrity,
      `${name} differs: run "deno task --frozen=false lock"`,
    );
  }
});

Deno.test("every task that runs or tests code uses a lock file, unchanged", async () => {
  const { tasks } = await readDenoJson();
  for (
    const name of [
      "build",
      "start",
      "lan",
      "compile",
      "test",
      "fuzz",
      "bench",
      "check",
      "check:browser",
      "check:size",
    ]
  ) {
    for (const command of tasks[name]?.split("&&") ?? [""]) {
      assert(command.includes("--frozen "), `${name}: ${command}`);
    }
  }
});
