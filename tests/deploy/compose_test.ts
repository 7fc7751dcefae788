/**
 * docker-compose.yml, as far as it can be tested without Docker: nothing in it has more privileges
 * than it needs, and its settings have an effect.
 *
 * @module
 */
import { DEFAULTS, parseConfig } from "../../lib/ops/config.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { PROJECT } from "../support/project.ts";
import { parse } from "../support/yaml.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What the container sets itself, or leaves to a proxy. */
const ELSEWHERE = ["PORT", "HOST", "TLS_CERT", "TLS_KEY", "TLS_CA"];

function fields(value: unknown, what: string): Fields {
  assert(typeof value === "object" && value !== null && !Array.isArray(value), what);
  return Object.fromEntries(Object.entries(value));
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

const compose = fields(parse(await Deno.readTextFile(`${PROJECT}docker-compose.yml`)), "the file");
const all = Object.entries(fields(compose["services"], "services"));
const services = Object.fromEntries(all.map(([name, service]) => [name, fields(service, name)]));
const { app = {}, valkey = {}, coturn = {} } = services;

/** A text with `${NAME:-default}` replaced by its value without an .env file. */
function substituted(text: unknown): string {
  return String(text).replaceAll(/\$\{[A-Z_]+:-([^}]*)\}/g, "$1");
}

Deno.test("there are the app, its store, and a TURN relay only on demand", () => {
  assertEquals(Object.keys(services), ["app", "valkey", "coturn"]);
  assertEquals([app["profiles"], valkey["profiles"]], [undefined, undefined]);
  assertEquals(coturn["profiles"], ["turn"]);
});

Deno.test("no container can write to its image, gain privileges or have more than it needs", () => {
  for (const [name, service] of Object.entries(services)) {
    assertEquals(service["read_only"], true, name);
    assertEquals(service["cap_drop"], ["ALL"], name);
    assertEquals(service["security_opt"], ["no-new-privileges:true"], name);
    assertEquals(service["cap_add"], name === "coturn" ? ["NET_BIND_SERVICE"] : undefined, name);
    for (const key of ["privileged", "devices", "pid", "ipc", "userns_mode"]) {
      assert(!(key in service), `${name} has ${key}`);
    }
    assert(name === "app" || /:\d+\.\d/.test(String(service["image"])), `${name} has no version`);
    assert(!JSON.stringify(service).includes("docker.sock"), name);
  }
});

Deno.test("only this machine reaches the app, others its STUN; only the app the store", () => {
  assertEquals(texts(app["ports"]).map(substituted), ["127.0.0.1:3000:3000", "3000:3000/udp"]);
  assertEquals([valkey["ports"], valkey["network_mode"]], [undefined, undefined]);
  assertEquals(valkey["networks"], ["back"]);
  assertEquals(fields(compose["networks"], "networks")["back"], { internal: true });
  assert(texts(app["networks"]).includes("back"));
});

Deno.test("the store keeps nothing on disk, and the app waits until it is ready", () => {
  const command = texts(valkey["command"]).join(" ");
  assertMatch(command, /^valkey-server --save {2}--appendonly no /);
  assertEquals(valkey["volumes"], undefined);
  assertEquals(app["depends_on"], { valkey: { condition: "service_healthy" } });
  assert("test" in fields(valkey["healthcheck"], "healthcheck"));
});

Deno.test("every setting of .env reaches the app, which starts without any", () => {
  const environment = fields(app["environment"], "environment");
  const expected = Object.keys(DEFAULTS).filter((name) => !ELSEWHERE.includes(name));
  assertEquals(Object.keys(environment), expected);
  for (const [name, value] of Object.entries(environment)) {
    assert(String(value).startsWith(`\${${name}:-`), `${name}: ${value}`);
  }
  const env = Object.entries(environment).map(([name, value]) => [name, substituted(value)]);
  const settings = parseConfig(Object.fromEntries(env));
  assertEquals(settings, parseConfig({ REDIS_URL: "redis://valkey:6379" }));
});

Deno.test("mounted files exist and are read-only", async () => {
  for (const service of Object.values(services)) {
    for (const volume of texts(service["volumes"])) {
      const [, path = ""] = /^\.\/(\S+):\/\S+:ro$/.exec(volume) ?? [];
      assert((await Deno.stat(PROJECT + path)).isFile, volume);
    }
  }
});

Deno.test({
  name: "the relay gets its secret in a file that nobody else reads, and in no argument",
  ignore: Deno.build.os === "windows",
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "coturn-" });
    // In place of coturn: says what other processes can see of it, and what it was given.
    const says = ['echo "arguments: $@"', 'ls -l "$2"', 'cat "$2"', 'echo "env: $TURN_SECRET"'];
    const fake = ["#!/bin/sh", ...says, ""].join("\n");
    await Deno.writeTextFile(`${dir}/turnserver`, fake, { mode: 0o755 });
    await Deno.writeTextFile(`${dir}/before.conf`, "realm=ephemeral\n");
    const [program = "", ...args] = texts(coturn["entrypoint"]);
    const script = String(texts(coturn["command"])[0]).replaceAll("$$", "$")
      .replaceAll("/etc/coturn/turnserver.conf", `${dir}/before.conf`)
      .replaceAll("/tmp/turnserver.conf", `${dir}/after.conf`);
    const { code, stdout } = await new Deno.Command(program, {
      args: [...args, script],
      env: { TURN_SECRET: "the-secret-of-coturn", PATH: `${dir}:/usr/bin:/bin` },
    }).output();
    const text = new TextDecoder().decode(stdout);
    await Deno.remove(dir, { recursive: true });
    assertEquals(code, 0);
    assertMatch(text, /^arguments: -c \S+\/after\.conf\n-rw-------/);
    assertMatch(text, /realm=ephemeral\nstatic-auth-secret=the-secret-of-coturn\nenv: \n$/);
  },
});

Deno.test("each container has a limit of memory and of processes", () => {
  for (const [name, service] of Object.entries(services)) {
    assertMatch(String(service["mem_limit"]), /^\d+[mg]$/, name);
    assert(Number(service["pids_limit"]) > 0, name);
    assertMatch(String(service["restart"]), /^(unless-stopped|on-failure:\d)$/, name);
  }
});

Deno.test({
  name: "without TURN_SECRET the relay exits with a sentence that names it",
  ignore: Deno.build.os === "windows",
  async fn() {
    const [program = "", ...args] = texts(coturn["entrypoint"]);
    const script = String(texts(coturn["command"])[0]).replaceAll("$$", "$");
    const { code, stderr } = await new Deno.Command(program, {
      args: [...args, script],
      clearEnv: true,
      // Only what a shell has built in.
      env: { TURN_SECRET: "", PATH: "/nonexistent" },
    }).output();
    assertEquals(code, 1);
    assertMatch(new TextDecoder().decode(stderr), /^TURN_SECRET is not set/);
  },
});
