/**
 * What deno.json tells Deno Deploy, and how the server behaves where a platform gives it a socket
 * and stops it. The platform itself is not tested: this does what its documentation says.
 *
 * @module
 */
import { buildApp, freePort } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { PROJECT, readDenoJson } from "../support/project.ts";

/** How long the server may take until it answers. */
const START_MS = 30_000;

interface Deploy {
  readonly install: string;
  readonly build: string;
  readonly runtime: { readonly type: string; readonly entrypoint: string };
}

const { deploy }: { readonly deploy: Deploy } = JSON.parse(
  await Deno.readTextFile(`${PROJECT}deno.json`),
);

/** The server as the platform starts it: all permissions, no flag of ours. */
function serve(env: Readonly<Record<string, string>>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", deploy.runtime.entrypoint],
    cwd: PROJECT,
    env: { DENO_DEPLOY: "true", NO_COLOR: "1", PORT: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Fetches `/` as soon as the server answers. */
async function page(fetching: () => Promise<Response>): Promise<string> {
  const end = performance.now() + START_MS;
  for (;;) {
    try {
      return await (await fetching()).text();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Lets `fetching` reach the server, stops it as the platform does, and returns its output. */
async function visit(
  env: Readonly<Record<string, string>>,
  fetching: () => Promise<Response>,
): Promise<{ told: string; logged: string }> {
  await buildApp();
  const child = serve(env);
  try {
    assertMatch(await page(fetching), /<main/);
  } finally {
    child.kill("SIGINT");
  }
  const { code, stdout, stderr } = await child.output();
  assertEquals(code, 0);
  const [told = "", logged = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { told, logged };
}

Deno.test("deno.json tells Deno Deploy what to install, build and run", async () => {
  assertEquals(Object.keys(deploy), ["install", "build", "runtime"]);
  assertEquals(deploy.runtime.type, "dynamic");
  assert((await Deno.stat(PROJECT + deploy.runtime.entrypoint)).isFile);
  assertEquals(deploy.install, "deno install --frozen");
  const [, task = ""] = /^deno task (\w+)$/.exec(deploy.build) ?? [];
  assert((await readDenoJson()).tasks[task]?.includes("dev.ts build") === true, deploy.build);
});

Deno.test("on Deno Deploy it uses the given address, warns of memory, ends on SIGINT", async () => {
  const port = freePort();
  const { told, logged } = await visit(
    { DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` },
    () => fetch(`http://127.0.0.1:${port}/`),
  );
  assertMatch(told, new RegExp(`is ready: http://localhost:${port}/`));
  assertMatch(logged, /"level":"warn","message":"rooms are in memory[^\n]*REDIS_URL/);
});

Deno.test("with REDIS_URL it warns of nothing", async () => {
  const port = freePort();
  const { logged } = await visit(
    {
      DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`,
      REDIS_URL: `redis://127.0.0.1:${freePort()}`,
    },
    () => fetch(`http://127.0.0.1:${port}/`),
  );
  assert(!logged.includes("rooms are in memory"), logged);
});

Deno.test({
  name: "an address of the platform need not be one of TCP",
  ignore: Deno.build.os === "windows",
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "deploy_" });
    try {
      const path = `${directory}/socket`;
      using client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
      // The DOM's type of these options has no client.
      const options: RequestInit & { client: Deno.HttpClient } = { client };
      let status = 0;
      const { told } = await visit(
        { DENO_SERVE_ADDRESS: `unix:${path}` },
        async () => {
          // Limits by address have no address here.
          const socket = await fetch("http://localhost/ws/AAAAAAAAAAAAAAAAAAAAAA", options);
          await socket.body?.cancel();
          status = socket.status;
          return await fetch("http://localhost/", options);
        },
      );
      assertEquals(status, 426);
      assertMatch(told, /is ready: unix\n$/);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
