/**
 * `deno task lan`: the certificates, the names, and the server that a phone finds.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import jsqr from "npm:jsqr@^1.4.0";
import { instructions } from "../../lib/server/lan.ts";
import { type LanCredentials, renew } from "../../lib/server/lan_certificate.ts";
import { isPrivate, lanNames } from "../../lib/server/lan_names.ts";
import { buildApp, freePort } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { PROJECT, readDenoJson } from "../support/project.ts";

const NOW = new Date("2026-06-03T12:00:00Z");
const NAMES = ["192.168.1.5", "desk.local", "localhost", "127.0.0.1", "::1"];
const DAY_MS = 86_400_000;

function make(before: Partial<LanCredentials> = {}, days = 0, names: readonly string[] = NAMES) {
  return renew(before, { names, computer: "desk", now: new Date(NOW.getTime() + days * DAY_MS) });
}

Deno.test("the certificate has all names, and is by the authority", async () => {
  const { authority, server } = await make();
  const [ca, cert] = [new X509Certificate(authority.cert), new X509Certificate(server.cert)];
  assert(cert.checkIssued(ca) && cert.verify(ca.publicKey), "by another authority");
  assertEquals([ca.ca, cert.ca], [true, false]);
  for (const name of ["desk.local", "localhost"]) assertEquals(cert.checkHost(name), name);
  for (const address of ["192.168.1.5", "127.0.0.1", "::1"]) {
    assertEquals(cert.checkIP(address), address);
  }
  assertEquals([cert.checkHost("example.org"), cert.checkIP("192.168.1.6")], [
    undefined,
    undefined,
  ]);
  assertMatch(ca.subject, /Ephemeral P2P Image on desk/);
  // Apple's systems take no server's certificate that is valid for longer.
  const days = (Date.parse(cert.validTo) - Date.parse(cert.validFrom)) / DAY_MS;
  assert(days > 390 && days < 825, String(days));
});

Deno.test("what is valid is kept, what expires or lacks a name is renewed", async () => {
  const first = await make();
  assertEquals(await make(first, 300), first);
  // A network less is no reason.
  assertEquals(await make(first, 300, NAMES.slice(1)), first);

  const later = await make(first, 380);
  assertEquals(later.authority, first.authority);
  assert(later.server.cert !== first.server.cert);

  const moved = await make(first, 1, [...NAMES, "10.0.0.7"]);
  assertEquals(moved.authority, first.authority);
  assertEquals(new X509Certificate(moved.server.cert).checkIP("10.0.0.7"), "10.0.0.7");

  const old = await make(first, 3_300);
  assert(old.authority.cert !== first.authority.cert, "it would expire before its certificates");
});

Deno.test("files that are damaged, or of another authority, are replaced", async () => {
  const [first, other] = [await make(), await make()];
  const mixed = await make({ ...first, server: other.server });
  assert(mixed.server.cert !== other.server.cert);
  const damaged = { cert: first.authority.cert.slice(0, 200), key: first.authority.key };
  const again = await make({ authority: damaged, server: first.server });
  const [ca, cert] = [
    new X509Certificate(again.authority.cert),
    new X509Certificate(again.server.cert),
  ];
  assert(cert.verify(ca.publicKey));
});

/** Whether a client that trusts `authority` alone accepts a server with `server` as `host`. */
async function trusts({ authority, server }: LanCredentials, host: string): Promise<boolean> {
  const port = freePort();
  await using _server = Deno.serve(
    { port, hostname: "127.0.0.1", ...server, onListen() {} },
    () => new Response("hello"),
  );
  const connection = await Deno.connect({ port, hostname: "127.0.0.1" });
  const tls = await Deno.startTls(connection, { hostname: host, caCerts: [authority.cert] })
    .catch(() => null);
  if (tls === null) return false;
  try {
    await tls.handshake();
    return true;
  } catch {
    return false;
  } finally {
    tls.close();
  }
}

Deno.test("a thief of the authority's key can't speak for a site of the internet", async () => {
  const { authority } = await make({}, 0);
  const today = new Date();
  const names = ["desk.local", "localhost", "127.0.0.1", "10.1.2.3", "fd00::5"];
  const good = await renew({}, { names, computer: "desk", now: today });
  for (const name of names) assertEquals([name, await trusts(good, name)], [name, true]);
  assert(authority.cert !== good.authority.cert);
  for (const name of ["example.org", "desk.local.example.org", "9.9.9.9", "2001:db8::1"]) {
    const stolen = await renew({ authority: good.authority }, {
      names: [name],
      computer: "desk",
      now: today,
    });
    assertEquals(stolen.authority, good.authority);
    assertEquals([name, await trusts(stolen, name)], [name, false]);
  }
});

Deno.test("lanNames() has the addresses of one's own networks, real ones first", () => {
  assertEquals(
    lanNames([
      { name: "lo", address: "127.0.0.1" },
      { name: "docker0", address: "172.17.0.1" },
      { name: "wlan0", address: "192.168.1.5" },
      { name: "wlan0", address: "fe80::1" },
      { name: "eth0", address: "10.0.0.7" },
      { name: "eth1", address: "203.0.113.9" },
    ], "Desk.fritz.box"),
    ["192.168.1.5", "10.0.0.7", "172.17.0.1", "desk.local"],
  );
  assertEquals(lanNames([], "localhost"), []);
  assertEquals(lanNames([], "a b;c"), []);
});

Deno.test("isPrivate() knows private networks", () => {
  for (const address of ["10.255.0.1", "172.16.0.1", "172.31.9.9", "192.168.0.1", "fd12::1"]) {
    assertEquals([address, isPrivate(address)], [address, true]);
  }
  for (const address of ["172.32.0.1", "192.169.0.1", "9.9.9.9", "2001:db8::1", "", "desk"]) {
    assertEquals([address, isPrivate(address)], [address, false]);
  }
});

/** Side of a module in the picture that the reader gets, in pixels. */
const MODULE = 4;

/** The text of a QR code drawn with half blocks: two modules a letter, light ones filled. */
function readBlocks(lines: readonly string[]): string | undefined {
  const rows = lines.flatMap((line) => [
    Array.from(line, (letter) => "█▀".includes(letter)),
    Array.from(line, (letter) => "█▄".includes(letter)),
  ]);
  const width = (rows[0]?.length ?? 0) * MODULE;
  const height = rows.length * MODULE;
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const x = Math.floor(i % width / MODULE);
    const light = rows[Math.floor(i / width / MODULE)]?.[x] === true;
    pixels.set(light ? [255, 255, 255, 255] : [0, 0, 0, 255], i * 4);
  }
  return jsqr.default(pixels, width, height)?.data;
}

Deno.test("the terminal shows every address, and the first one as a QR code", () => {
  const urls = ["https://192.168.1.5:8443/", "https://desk.local:8443/"];
  const lines = instructions(urls).split("\n");
  for (const url of urls) assert(lines.includes(`  ${url}`), url);
  assertEquals(readBlocks(lines.filter((line) => /^[█▀▄ ]{15,}$/.test(line))), urls[0]);
  assert(lines.some((line) => line.includes("https://192.168.1.5:8443/ca ")), lines.join("\n"));
});

/** What the server reads when it starts. */
const NEEDED = [
  ...["deno.json", "deno.lock", "main.ts", "_fresh", "static", "lib", "locales", "packages"],
  ...["components", "islands", "routes"],
];

Deno.test({
  name: "deno task lan serves HTTPS, offers its authority, and keeps both",
  ignore: Deno.build.os === "windows",
  async fn() {
    const command = (await readDenoJson()).tasks["lan"]?.split("&&").at(-1)?.trim() ?? "";
    const [program, ...args] = command.split(/\s+/);
    assertEquals(program, "deno");
    await buildApp();
    const folder = await Deno.makeTempDir({ prefix: "lan-" });
    try {
      // With a folder tls/ of its own.
      const paths = NEEDED.map((name) => PROJECT + name);
      const copied = await new Deno.Command("cp", { args: ["-R", ...paths, folder] }).output();
      assert(copied.success, new TextDecoder().decode(copied.stderr));
      const certificates: string[] = [];
      for (let round = 0; round < 2; round++) {
        const port = freePort();
        const child = new Deno.Command(Deno.execPath(), {
          args,
          cwd: folder,
          env: { PORT: String(port) },
          stdin: "null",
          stdout: "piped",
          stderr: "piped",
        }).spawn();
        const output = new Output(child);
        try {
          await output.until("certificate");
          const authority = await Deno.readTextFile(`${folder}/tls/lan_ca.pem`);
          certificates.push(authority);
          await checkServer(port, authority);
        } finally {
          end(child);
          await output.whole;
        }
        assertMatch(output.told, new RegExp(`is ready: https://localhost:${port}/`));
        assert(!/Permission|error/i.test(output.logged), output.logged);
      }
      assertEquals(certificates[0], certificates[1]);
      for (const name of ["lan.key", "lan_ca.key"]) {
        assertEquals(((await Deno.stat(`${folder}/tls/${name}`)).mode ?? 0) & 0o777, 0o600, name);
      }
      assertEquals(((await Deno.stat(`${folder}/tls`)).mode ?? 0) & 0o777, 0o700);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function checkServer(port: number, authority: string): Promise<void> {
  using client = Deno.createHttpClient({ caCerts: [authority] });
  const get = async (path: string) => {
    // The option is Deno's; the types of browsers lack it.
    const options: RequestInit & { client: Deno.HttpClient } = { client };
    const response = await fetch(`https://localhost:${port}${path}`, options);
    return { response, body: new Uint8Array(await response.arrayBuffer()) };
  };
  const { response, body } = await get("/ca.crt");
  assertEquals(response.headers.get("content-type"), "application/x-x509-ca-cert");
  assertEquals(
    new X509Certificate(body).fingerprint256,
    new X509Certificate(authority).fingerprint256,
  );
  const page = await get("/ca");
  assertMatch(new TextDecoder().decode(page.body), /href="\/ca\.crt"/);
  // A promise of HTTPS for a year would be one for every computer that has this name somewhere.
  assertEquals(page.response.headers.get("strict-transport-security"), null);
}

/** What a program prints. */
class Output {
  told = "";
  logged = "";
  readonly whole: Promise<unknown>;

  constructor({ stdout, stderr }: Deno.ChildProcess) {
    const read = async (stream: ReadableStream<Uint8Array>, take: (text: string) => void) => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
    };
    this.whole = Promise.all([
      read(stdout, (text) => this.told += text),
      read(stderr, (text) => this.logged += text),
    ]);
  }

  /** Resolves once it has printed `sign`. */
  async until(sign: string): Promise<void> {
    for (let i = 0; i < 600; i++) {
      if (this.told.includes(sign)) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`Cannot find "${sign}" in what it printed: ${this.told}${this.logged}`);
  }
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // The process ended by itself.
  }
}
