/**
 * The Dockerfile: its text, and its result as far as it can be tested without Docker
 * (tests/support/image.ts).
 *
 * @module
 */
import { DEFAULTS } from "../lib/ops/config.ts";
import { freePort } from "./support/app.ts";
import { assert, assertEquals, assertMatch } from "./support/assert.ts";
import { execForm, healthCommand, Image, parseDockerfile, type Stage } from "./support/image.ts";
import { PROJECT, readDenoJson } from "./support/project.ts";

const dockerfile = await Deno.readTextFile(`${PROJECT}Dockerfile`);
const stages = parseDockerfile(dockerfile);
const last = stages.at(-1) ?? { base: "", alias: null, steps: [] };

/** How long a server may take until it answers. */
const START_MS = 30_000;

/** The value of the last step of that name. */
function said({ steps }: Stage, name: string): string {
  return steps.findLast((step) => step.name === name)?.rest ?? "";
}

function end(server: Deno.ChildProcess): void {
  try {
    server.kill("SIGTERM");
  } catch {
    // The process ended by itself.
  }
}

async function answers(url: string): Promise<Response> {
  const end = performance.now() + START_MS;
  for (;;) {
    try {
      return await fetch(url);
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

Deno.test("the container runs the server with the permissions of the start task", async () => {
  const { tasks } = await readDenoJson();
  const serve = tasks.start?.split("&&").at(-1)?.trim().split(/\s+/) ?? [];
  const command = execForm(said(last, "CMD"));
  assertEquals(command.filter((word) => word !== "--cached-only"), serve);
  assert(command.includes("--cached-only"), "it may fetch code when it starts");
});

Deno.test("the container has a health check, and sets only known settings", () => {
  const command = healthCommand(said(last, "HEALTHCHECK"));
  assert(command.includes("--cached-only") && !command.includes("-A"), command.join(" "));
  const names = last.steps.filter(({ name }) => name === "ENV").flatMap(({ rest }) =>
    [...rest.matchAll(/(\w+)=/g)].map(([, name = ""]) => name)
  );
  assertEquals(names.filter((name) => !name.startsWith("DENO_") && !(name in DEFAULTS)), []);
});

Deno.test("the container is built as the build task does it", async () => {
  const { tasks } = await readDenoJson();
  assert(dockerfile.includes(`\nRUN ${tasks.build}\n`), tasks.build);
});

Deno.test("the container builds and runs with the Deno that the README names", async () => {
  const images = stages.map(({ base }) => base);
  assertEquals(new Set(images).size, 1);
  const version = images[0]?.split(":")[1];
  const ci = await Deno.readTextFile(`${PROJECT}.ci/run`);
  assert(ci.includes(`npx -y deno@${version} task ok`), `.ci/run does not use ${version}`);
});

Deno.test("the container exposes one number, for pages and for STUN", () => {
  assertEquals(said(last, "EXPOSE"), "3000/tcp 3000/udp");
});

Deno.test("the container does not run as root", () => {
  assertEquals(said(last, "USER"), "deno");
});

Deno.test({
  name: "replayed without Docker, the image serves from a read-only tree",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using image = await Image.build(stages);
    const before = await image.files();
    const paths = before.map((line) => line.split(" ")[0] ?? "");
    assert(paths.includes("/app/_fresh/server.js"));
    const strange = paths.filter((path) => /^\/app\/(?:tests|dev\.ts|bench|\.)|esbuild/.test(path));
    assertEquals(strange, []);
    await image.freeze();

    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    const env = { PORT: String(port), HOST: "127.0.0.1" };
    const check = () => image.spawn(healthCommand(said(last, "HEALTHCHECK")), env).output();
    const server = image.spawn(execForm(said(last, "CMD")), env);
    try {
      const page = await answers(`${url}/`);
      assertEquals(page.status, 200);
      const html = await page.text();
      assertMatch(html, /<meta name="build" content="[0-9a-f]{64}"/);
      const [, script = ""] = /"(\/[^"]+\.js)"/.exec(html) ?? [];
      const file = await fetch(url + script);
      assertEquals([file.status, file.headers.get("content-type")], [
        200,
        "text/javascript; charset=UTF-8",
      ]);
      await file.body?.cancel();
      const { code, stderr } = await check();
      assertEquals([code, new TextDecoder().decode(stderr).replace(/^.*DANGER.*\n/, "")], [0, ""]);
    } finally {
      end(server);
    }
    const { code, stdout, stderr } = await server.output();
    const [told, logged] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 0);
    assertMatch(told ?? "", /^Ephemeral P2P Image is ready: \S+\nTwo people connect .+\n$/);
    assertMatch(logged ?? "", /^{[^\n]+"shutting down"}\n$/);
    assertEquals((await check()).code, 1);
    assertEquals(await image.files(), before);

    // Modules that are loaded only with a store have to be in the cache as well.
    const other = image.spawn(execForm(said(last, "CMD")), {
      ...env,
      REDIS_URL: `redis://127.0.0.1:${freePort()}`,
    });
    try {
      await (await answers(`${url}/`)).body?.cancel();
    } finally {
      end(other);
    }
    assertEquals((await other.output()).code, 0);
  },
});

Deno.test("everything that is copied into the image passes .dockerignore", async () => {
  const ignore = await Deno.readTextFile(`${PROJECT}.dockerignore`);
  for (const { rest } of stages[0]?.steps.filter(({ name }) => name === "COPY") ?? []) {
    for (const path of rest.split(" ").slice(0, -1)) assert(ignore.includes(`\n!${path}\n`), path);
  }
});
