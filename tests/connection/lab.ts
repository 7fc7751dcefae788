/**
 * A laboratory of network namespaces: two homes, each a browser behind a router with configurable
 * address translation, and between them an internet with the app and a TURN relay. Everything is
 * real except for the distance.
 *
 *     home a ── router a ──┐
 *                          ├── internet: app (TCP 443, STUN on UDP 443), coturn (3478, 443 TLS)
 *     home b ── router b ──┘
 *
 * @module
 */
import puppeteer from "../support/puppeteer.ts";
import { buildApp } from "../support/app.ts";
import { TestBrowser } from "../support/browser.ts";
import { findChromium } from "../support/chromium.ts";
import { PROJECT } from "../support/project.ts";
import { TURN_SECRET } from "../support/turn.ts";

/** How a router translates addresses: not at all, or in one of the ways that RFC 3489 names. */
export type Nat = "none" | "full cone" | "port restricted" | "symmetric";

/** What a router lets out besides replies. */
export type Firewall = "open" | "no udp" | "only tcp 443";

/** A home's router. */
export interface Router {
  readonly nat: Nat;
  readonly firewall: Firewall;
}

/** Which of the two homes. */
export type Home = "a" | "b";

/** Settings of a {@linkcode Lab}. */
export interface LabOptions {
  readonly a: Router;
  readonly b: Router;
  /** Added to the app's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Whether there is a TURN relay which the app hands out; `stun`: it only tells browsers their
   * address.
   */
  readonly turn?: boolean | "stun";
  /** Whether the app hands out its own STUN. */
  readonly stun?: boolean;
}

const APP = "100.64.9.1";
/** Where its metrics are. */
const METRICS_PORT = 9_464;
const RELAY = "100.64.9.2";
/** The address where a browser finds the app: the forwarder of its own home. */
const PORT = 8443;
const START_MS = 30_000;

const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
  // The relay's certificate is self-signed.
  "--ignore-certificate-errors",
];

async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`${command} ${args.join(" ")}: ${decoder.decode(stderr)}`);
}

/**
 * Whether this machine can build it: Linux, root, `ip`, `nft`, and namespaces. Prints why if it
 * can't.
 */
export async function hasLab(): Promise<boolean> {
  const name = `probe-${Deno.pid}`;
  try {
    if (Deno.build.os !== "linux" || Deno.uid() !== 0) throw new Error("not root on Linux");
    await run("ip", "netns", "add", name);
    try {
      await run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_forward=1");
      await run("ip", "netns", "exec", name, "nft", "add", "table", "ip", "probe");
    } finally {
      await run("ip", "netns", "del", name);
    }
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : "unknown";
    // deno-lint-ignore no-console -- a skipped test has to say why
    console.log(`no network namespaces here (${why}): tests with them are skipped`);
    return false;
  }
}

/**
 * nftables rules of a router whose outer interface is `ext` with the address `own`; `host` is the
 * host of its home.
 */
function rulesOf({ nat, firewall }: Router, own: string, host: string): string {
  const post = {
    "none": "",
    "full cone": `oifname "ext" snat to ${own}`,
    // Linux keeps the port where it is free, and lets in replies only from addresses that were sent
    // to.
    "port restricted": 'oifname "ext" masquerade',
    "symmetric": 'oifname "ext" masquerade fully-random',
  }[nat];
  const pre = nat === "full cone" ? `iifname "ext" udp dport 1024-65535 dnat to ${host}` : "";
  const allowed = {
    "open": "",
    "no udp": "meta l4proto udp drop",
    "only tcp 443": 'iifname != "ext" tcp dport != 443 drop; meta l4proto udp drop',
  }[firewall];
  return `table ip lab {
    chain pre { type nat hook prerouting priority dstnat; ${pre}; }
    chain post { type nat hook postrouting priority srcnat; ${post}; }
    # As home routers do. Otherwise unsolicited packets are a flow of their own,
    # and the outgoing one gets another port.
    chain input { type filter hook input priority filter; iifname "ext" meta l4proto udp drop; }
    chain forward { type filter hook forward priority filter; ${allowed}; }
  }`.replaceAll("; ;", ";").replaceAll(" ; }", " }");
}

/** One laboratory; `await using` takes it down, even after a failure. */
export class Lab implements AsyncDisposable {
  /** Where both browsers find the app. */
  readonly url = `http://127.0.0.1:${PORT}`;
  readonly #id: string;
  readonly #processes: Deno.ChildProcess[] = [];
  readonly #browsers: TestBrowser[] = [];
  #directory = "";
  #output = "";
  /** Which of the two interfaces of a home's browser is up. */
  readonly #inUse: Record<Home, 0 | 1> = { a: 0, b: 0 };
  static #count = 0;

  private constructor() {
    this.#id = `${Deno.pid}-${Lab.#count++}`;
  }

  static async open(options: LabOptions): Promise<Lab> {
    const lab = new Lab();
    try {
      await lab.#build(options);
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What the app and the relay printed. */
  get output(): string {
    return this.#output;
  }

  /** A browser at home. */
  async browser(home: Home): Promise<TestBrowser> {
    const chromium = await findChromium();
    const start = `${this.#directory}/chromium-${home}`;
    await Deno.writeTextFile(
      start,
      `#!/bin/sh\nexec ip netns exec ${this.#ns(home)} "${chromium.executablePath}" "$@"\n`,
      { mode: 0o755 },
    );
    const browser = await puppeteer.launch({
      executablePath: start,
      // A port would be one of the namespace's.
      pipe: true,
      headless: chromium.headless,
      env: { ...Deno.env.toObject(), ...chromium.env },
      args: [...FLAGS, ...chromium.args],
      protocolTimeout: 60_000,
    });
    const made = new TestBrowser(browser, chromium);
    this.#browsers.push(made);
    return made;
  }

  /**
   * Gives a home's router other rules. A firewall applies to existing flows; what was translated
   * before keeps its translation.
   */
  async route(home: Home, router: Router): Promise<void> {
    const rules = rulesOf(router, this.#outside(home), this.#inside(home));
    await this.#nft(`r${home}`, `flush ruleset\n${rules}`);
  }

  /**
   * Moves a home's browser to its other interface, as from Wi-Fi to a cable: the new one is up
   * before the old one goes down, so there is never a moment without a network, but every address
   * of the browser changes.
   */
  async roam(home: Home): Promise<void> {
    const [old, now] = this.#inUse[home] === 0 ? [0, 1] as const : [1, 0] as const;
    this.#inUse[home] = now;
    const batch = [
      `addr replace ${this.#inside(home)}/24 dev eth${now}`,
      `link set eth${now} up`,
      `route replace default via ${this.#door(home)}`,
      `link set eth${old} down`,
      `addr flush dev eth${old}`,
    ];
    await this.#in(home, "sh", "-c", batch.map((line) => `ip ${line}`).join(" && "));
  }

  /** Unplugs a home's network, or plugs it in. */
  async plug(home: Home, on: boolean): Promise<void> {
    await this.#in(`r${home}`, "ip", "link", "set", "ext", on ? "up" : "down");
    if (on) {
      await this.#in(`r${home}`, "ip", "route", "replace", "default", "via", this.#gate(home));
    }
  }

  /** Fetches a page of the app from within a home, with a header. */
  async metrics(authorization: string): Promise<string> {
    return await this.#in(
      "net",
      Deno.execPath(),
      "eval",
      `console.log(await (await fetch("http://${APP}:${METRICS_PORT}/metrics", {
        headers: { authorization: ${JSON.stringify(authorization)} } })).text())`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const browser of this.#browsers) await browser.close().catch(() => {});
    for (const child of this.#processes) {
      try {
        child.kill("SIGKILL");
      } catch {
        // The process ended by itself.
      }
      await child.status;
    }
    for (const name of NAMES) await run("ip", "netns", "del", this.#ns(name)).catch(() => {});
    if (this.#directory !== "") await Deno.remove(this.#directory, { recursive: true });
  }

  #ns(name: Namespace): string {
    return `lab-${this.#id}-${name}`;
  }

  #number(home: Home): number {
    return home === "a" ? 1 : 2;
  }

  /**
   * The address of the router on the internet, that of the internet's end, and the browser's at
   * home.
   */
  #outside(home: Home): string {
    return `100.64.${this.#number(home)}.2`;
  }

  #gate(home: Home): string {
    return `100.64.${this.#number(home)}.1`;
  }

  #inside(home: Home, nic = this.#inUse[home]): string {
    return `10.${this.#number(home)}.${nic}.2`;
  }

  /** The router's address at home. */
  #door(home: Home, nic = this.#inUse[home]): string {
    return `10.${this.#number(home)}.${nic}.1`;
  }

  #in(name: Namespace, ...command: readonly string[]): Promise<string> {
    return run("ip", "netns", "exec", this.#ns(name), ...command);
  }

  async #nft(name: Namespace, rules: string): Promise<void> {
    const file = `${this.#directory}/${name}.nft`;
    await Deno.writeTextFile(file, rules);
    await this.#in(name, "nft", "-f", file);
  }

  async #build({ a, b, env = {}, turn = false, stun = false }: LabOptions): Promise<void> {
    this.#directory = await Deno.makeTempDir({ prefix: "lab-" });
    for (const name of NAMES) {
      await run("ip", "netns", "add", this.#ns(name));
      await this.#in(name, "ip", "link", "set", "lo", "up");
      // An address that is assigned late, as with IPv6, is a network change, on which Chromium
      // drops what it is loading.
      await this.#in(name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1");
      await this.#in(name, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    }
    for (const address of [APP, RELAY]) {
      await this.#in("net", "ip", "addr", "add", `${address}/32`, "dev", "lo");
    }
    for (const [home, router] of [["a", a], ["b", b]] as const) await this.#settle(home, router);
    if (turn !== false) await this.#startRelay();
    const urls = ["udp", "tcp"].map((way) => `turn:${RELAY}:3478?transport=${way}`);
    const TURN_URLS = [...urls, `turns:${RELAY}:443?transport=tcp`].join();
    const ICE_SERVERS = JSON.stringify([{ urls: [`stun:${RELAY}:3478`] }]);
    await this.#startApp({
      ...(turn === false ? {} : { ICE_SERVERS }),
      ...(turn === true ? { TURN_URLS, TURN_SECRET } : {}),
      // The pages are loaded by their homes' forwarders, which pass no UDP on.
      ...(stun ? { STUN_HOST: APP } : {}),
      ...env,
    });
    await Promise.all((["a", "b"] as const).map((home) => this.#forward(home)));
  }

  async #settle(home: Home, router: Router): Promise<void> {
    const gateway: Namespace = `r${home}`;
    const [inside, gate] = [this.#inside(home), this.#gate(home)];
    const cables: readonly (readonly [Namespace, string, string, Namespace, string, string])[] = [
      [gateway, "ext", this.#outside(home), "net", `to-${home}`, gate],
      [gateway, "int0", this.#door(home, 0), home, "eth0", this.#inside(home, 0)],
      [gateway, "int1", this.#door(home, 1), home, "eth1", this.#inside(home, 1)],
    ];
    for (const [near, nearEnd, nearAddress, far, farEnd, farAddress] of cables) {
      await run(
        ...["ip", "link", "add", nearEnd, "netns", this.#ns(near), "type", "veth"] as const,
        ...["peer", "name", farEnd, "netns", this.#ns(far)],
      );
      for (
        const [name, device, address] of [
          [near, nearEnd, nearAddress],
          [far, farEnd, farAddress],
        ] as const
      ) {
        await this.#in(name, "ip", "addr", "add", `${address}/24`, "dev", device);
        if (device !== "eth1") await this.#in(name, "ip", "link", "set", device, "up");
      }
    }
    await this.#in(gateway, "ip", "route", "add", "default", "via", gate);
    await this.#in(home, "ip", "route", "add", "default", "via", this.#door(home));
    // A home whose router translates nothing has addresses that the internet routes.
    await this.#in("net", "ip", "route", "add", `${inside}/32`, "via", this.#outside(home));
    if (router.nat !== "none") await this.#in("net", "ip", "route", "del", `${inside}/32`);
    await this.#nft(gateway, rulesOf(router, this.#outside(home), inside));
  }

  async #startApp(env: Readonly<Record<string, string>>): Promise<void> {
    const { serve } = await buildApp();
    // The benchmark reads no metrics, and names no token.
    const metrics = "METRICS_TOKEN" in env
      ? { METRICS_HOST: APP, METRICS_PORT: String(METRICS_PORT) }
      : {};
    const settings = { HOST: APP, PORT: "443", ...metrics, ...env, PUBLIC_ORIGIN: this.url };
    await this.#spawn("net", [Deno.execPath(), ...serve], "is ready", settings);
  }

  async #startRelay(): Promise<void> {
    const dir = this.#directory;
    const [key, cert] = [`${dir}/key.pem`, `${dir}/cert.pem`];
    await run(
      "openssl",
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=relay"],
      ...["-addext", `subjectAltName=IP:${RELAY}`],
    );
    await this.#spawn("net", [
      "turnserver",
      ...["-L", RELAY, "-E", RELAY, "--listening-port", "3478", "--tls-listening-port", "443"],
      ...["--cert", cert, "--pkey", key, "--pidfile", `${dir}/pid`, "--db", `${dir}/db`],
      ...["--use-auth-secret", `--static-auth-secret=${TURN_SECRET}`, "--realm=test", "--no-cli"],
      ...["--log-file=stdout", "--simple-log"],
    ], "");
    // Its output arrives late.
    await this.#in(
      "net",
      Deno.execPath(),
      "eval",
      `for (let i = 0;; i++) {
        try { (await Deno.connect({ hostname: "${RELAY}", port: 443 })).close(); break; }
        catch (error) {
          if (i > 100) throw error;
          await new Promise((done) => setTimeout(done, 100));
        }
      }`,
    );
  }

  async #forward(home: Home): Promise<void> {
    const script = `${PROJECT}tests/connection/forward.ts`;
    const command = [Deno.execPath(), "run", "--allow-net", "--no-lock", script];
    await this.#spawn(home, [...command, "127.0.0.1", String(PORT), APP, "443"], "ready");
  }

  /** Starts a program in a namespace, and waits until it prints `sign`, unless that is empty. */
  async #spawn(
    name: Namespace,
    command: readonly string[],
    sign: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const child = new Deno.Command("ip", {
      args: ["netns", "exec", this.#ns(name), ...command],
      cwd: PROJECT,
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#processes.push(child);
    const ready = Promise.withResolvers<void>();
    let said = "";
    const read = async (stream: ReadableStream<Uint8Array>) => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) {
        const text = decoder.decode(chunk, { stream: true });
        this.#output += text;
        said += text;
        if (said.includes(sign)) ready.resolve();
      }
    };
    read(child.stdout);
    read(child.stderr);
    if (sign === "") ready.resolve();
    const timer = setTimeout(() => ready.reject(new Error(`${command[0]}: ${said}`)), START_MS);
    child.status.then(() => ready.reject(new Error(`${command[0]} ended: ${said}`)));
    try {
      await ready.promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The internet, two routers and two homes. */
type Namespace = "net" | "ra" | "rb" | "a" | "b";
const NAMES: readonly Namespace[] = ["net", "ra", "rb", "a", "b"];
