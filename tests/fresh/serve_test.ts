import { deepEqual, equal, match, ok } from "node:assert/strict";
import { relative } from "@std/path";
import { plainAddress, urlOf } from "../../lib/server/serve.ts";
import { PROJECT, readDenoJson } from "../support/project.ts";

const STUB = `export default {
  fetch: (req, info) => Response.json([new URL(req.url).pathname, info.remoteAddr.hostname]),
};`;

/** A directory with what serve.ts imports, and a stand-in for the build. */
async function stage(server: string | null): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "serve_test_" });
  await Deno.mkdir(`${dir}/_fresh`);
  for (const folder of ["server", "ops", "rooms", "protocol"]) {
    const from = new URL(`../../lib/${folder}/`, import.meta.url);
    await Deno.mkdir(`${dir}/lib/${folder}`, { recursive: true });
    for await (const { name } of Deno.readDir(from)) {
      await Deno.copyFile(new URL(name, from), `${dir}/lib/${folder}/${name}`);
    }
  }
  const { imports } = await readDenoJson();
  const wanted = Object.entries(imports).filter(([name]) => /^(?:valibot$|@std\/)/.test(name));
  const settings = {
    lock: false,
    imports: Object.fromEntries(wanted),
    links: [relative(dir, `${PROJECT}packages/std`)],
  };
  await Deno.writeTextFile(`${dir}/deno.json`, JSON.stringify(settings));
  if (server !== null) await Deno.writeTextFile(`${dir}/_fresh/server.js`, server);
  return dir;
}

function serve(dir: string, env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net",
      "--allow-read=_fresh",
      "--allow-env",
      "lib/server/serve.ts",
    ],
    cwd: dir,
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The line with the server's address, and the port in it. */
async function ready(child: Deno.ChildProcess): Promise<{ line: string; port: number }> {
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  // Keep reading, so that the child never blocks on its output.
  reader.read().catch(() => {});
  return { line: value, port: Number(/:(\d+)\/\n$/.exec(value)?.[1]) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function failure(dir: string, env: Record<string, string>): Promise<[number, string]> {
  const { code, stderr } = await serve(dir, env).output();
  return [code, new TextDecoder().decode(stderr)];
}

Deno.test("the server prints its address, answers IPv4 and IPv6, stops on SIGTERM", async () => {
  const dir = await stage(STUB);
  const child = serve(dir, { PORT: "0", LOG_LEVEL: "silent" });
  try {
    const { line, port } = await ready(child);
    match(line, /^Ephemeral P2P Image is ready: http:\/\/localhost:\d+\/\n$/);
    const answer = await fetch(`http://127.0.0.1:${port}/a`);
    deepEqual(await answer.json(), ["/a", "127.0.0.1"]);
    const six = await fetch(`http://[::1]:${port}/b`).then((r) => r.json(), () => null);
    // On a machine without IPv6 there is no answer.
    if (six !== null) deepEqual(six, ["/b", "::1"]);

    const [code, stderr] = await failure(dir, { PORT: String(port) });
    equal(code, 1);
    equal(
      stderr,
      `Cannot start the server: port ${port} is taken; ` +
        "stop what uses it or set PORT to another one\n",
    );

    const started = performance.now();
    child.kill("SIGTERM");
    child.kill("SIGTERM");
    equal((await child.status).code, 0);
    ok(performance.now() - started < 4000);
  } finally {
    await child.stderr.cancel();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a hanging request or a second signal does not matter: it stops in 4 s", async () => {
  const dir = await stage(`export default { fetch: () => new Promise(() => {}) };`);
  const child = serve(dir, { PORT: "0" });
  try {
    const { port } = await ready(child);
    const hanging = fetch(`http://127.0.0.1:${port}/`).then((r) => r.body?.cancel(), () => {});
    await pause(200);
    const started = performance.now();
    child.kill("SIGINT");
    await pause(100);
    child.kill("SIGTERM");
    equal((await child.status).code, 0);
    const took = performance.now() - started;
    ok(took > 1000 && took < 4000, `${took} ms`);
    const logged = (await new Response(child.stderr).text()).trim().split("\n");
    equal(logged.length, 1);
    match(logged[0] ?? "", /^{"time":"[^"]+","level":"info","message":"shutting down"}$/);
    await hanging;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("wrong settings end the program with a sentence that names the variable", async () => {
  const dir = await stage(STUB);
  try {
    for (const name of ["PORT", "HOST", "LOG_LEVEL", "PUBLIC_ORIGIN"]) {
      const [code, stderr] = await failure(dir, { [name]: "no such thing!" });
      equal(code, 1);
      match(stderr, new RegExp(`^Cannot start the server: ${name} is not valid: .*\n$`));
    }
    const [, all] = await failure(dir, {
      PORT: "x",
      LOG_LEVEL: "loud",
      TURN_URL: "turn:a.example",
    });
    match(all, /PORT.*\n.*LOG_LEVEL|LOG_LEVEL.*\n.*PORT/s);
    match(all, /TURN_URL is not a setting: TURN_URLS is meant/);
    const [code, stderr] = await failure(dir, { HOST: "192.0.2.1" });
    equal(code, 1);
    match(stderr, /^Cannot start the server: HOST .*\n$/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("without a build the program tells how to make one", async () => {
  const dir = await stage(null);
  try {
    const [code, stderr] = await failure(dir, {});
    equal(code, 1);
    match(stderr, /^Cannot start the server: there is no build yet; run "deno task build" first/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("an IPv4 address from an IPv6 socket is written as IPv4", () => {
  equal(plainAddress("::ffff:192.0.2.1"), "192.0.2.1");
  equal(plainAddress("2001:db8::1"), "2001:db8::1");
});

Deno.test("the address that is printed can be opened", () => {
  equal(urlOf("::", 3000), "http://localhost:3000/");
  equal(urlOf("2001:db8::1", 80), "http://[2001:db8::1]:80/");
  equal(urlOf("192.0.2.1", 80), "http://192.0.2.1:80/");
});

Deno.test("connected clients are told to come back when it stops: code 1012", async () => {
  const dir = await stage(`
    import { rooms } from "../lib/server/instance.ts";
    import { upgradeToRoom } from "../lib/rooms/upgrade.ts";
    const admission = {
      room: "A".repeat(22),
      address: "192.0.2.1",
      host: "pic.example",
      mayCreate: true,
    };
    export default { fetch: (req) => upgradeToRoom(req, admission, { rooms }) };
  `);
  const child = serve(dir, { PORT: "0", HOST: "127.0.0.1", LOG_LEVEL: "silent" });
  try {
    const { port } = await ready(child);
    const origin = `http://127.0.0.1:${port}`;
    // The DOM's types have no headers here; Deno has them.
    const socket: WebSocket = Reflect.construct(WebSocket, [
      `${origin.replace("http", "ws")}/`,
      { protocols: ["img-e2e.1"], headers: { origin } },
    ]);
    await new Promise((resolve) => socket.onopen = resolve);
    const closed = new Promise<number>((resolve) => socket.onclose = ({ code }) => resolve(code));
    child.kill("SIGTERM");
    equal(await closed, 1012);
    equal((await child.status).code, 0);
    await child.stderr.cancel();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
