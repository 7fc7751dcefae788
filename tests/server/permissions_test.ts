import { buildApp, freePort } from "../support/app.ts";
import { assertEquals } from "../support/assert.ts";
import { PROJECT } from "../support/project.ts";

/** Starts the server as the task does, and asks for its permissions afterwards. */
const PROBE = `
import { serve } from "./lib/server/serve.ts";
await serve();
const page = await fetch("http://127.0.0.1:" + PORT + "/");
const names = ["env", "net", "read", "write", "run", "ffi"];
const states = names.map((name) => Deno.permissions.querySync({ name }).state);
console.log(JSON.stringify({ status: page.status, states }));
Deno.exit(0);
`;

Deno.test("a running server reads no environment, writes no file, starts no program", async () => {
  const { serve } = await buildApp();
  const port = String(freePort());
  const probe = await Deno.makeTempFile({ dir: PROJECT, prefix: "probe_", suffix: ".ts" });
  try {
    await Deno.writeTextFile(probe, PROBE.replace("PORT", port));
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [...serve.slice(0, -1), "--no-prompt", probe],
      cwd: PROJECT,
      env: { HOST: "127.0.0.1", PORT: port },
      stderr: "inherit",
    }).output();
    const last = new TextDecoder().decode(stdout).trim().split("\n").at(-1) ?? "";
    // Reading is allowed for some folders only, which Deno calls "prompt" as well.
    assertEquals(JSON.parse(last), {
      status: 200,
      states: ["prompt", "granted", "prompt", "prompt", "prompt", "prompt"],
    });
  } finally {
    await Deno.remove(probe);
  }
});
