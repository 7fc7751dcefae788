/**
 * Deno fetches everything that a lock file names as soon as it needs one package of it. So there are two: deno.lock for whoever
 * works on the app, deploy/deno.lock for the app alone. With it the container's cache is 9 MB and not 117 MB; on a machine with
 * the sources, `deno task` itself fetches all that deno.json imports, whatever the lock file.
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

Deno.test("the lock file of the app alone names no package that only tests need", async () => {
  const { npm } = await readLock("deploy/deno.lock");
  const names = Object.keys(npm).join("\n");
  assert(names.includes("preact@"));
  assert(!/puppeteer|chromium|axe-core|fast-check/.test(names), names);
});

Deno.test("both lock files name the same packages in the same versions; else run: deno task lock", async () => {
  const all = (await readLock("deno.lock")).npm;
  const { npm } = await readLock("deploy/deno.lock");
  for (const [name, { integrity }] of Object.entries(npm)) {
    assertEquals(all[name]?.integrity, integrity, `${name} differs: run "deno task lock"`);
  }
});

Deno.test("the tasks build and start use the lock file of the app alone, unchanged", async () => {
  const { tasks } = await readDenoJson();
  for (const command of [tasks.build, ...tasks.start?.split("&&") ?? []]) {
    assert(command?.includes("--frozen --lock=deploy/deno.lock ") ?? false, command);
  }
});
