/**
 * Measures the time from clicking "Connect" to a verified connection, and its route, between two
 * browsers in the laboratory of tests/connection: each pair of NATs, firewalls, with and without
 * helpers. Also measures how long nothing gets through when one of them changes to another
 * interface without being notified. Needs root, `ip`, `nft` and coturn.
 *
 *     deno run -A bench/connect.ts [--rounds N] [--figures] [--check]
 *
 * Prints a table in Markdown, for docs/connectivity.md. `--figures` only measures one network for
 * each of {@linkcode TARGETS}; `--check` fails above one of them.
 *
 * @module
 */
import { fixture } from "../tests/support/fixtures.ts";
import { Sender, Viewer } from "../tests/support/flow.ts";
import { type Firewall, hasLab, Lab, type Nat } from "../tests/connection/lab.ts";
import { median } from "./statistics.ts";

/**
 * Pause between messages that probe the route, and the times before and after the change of the
 * interface, in milliseconds.
 */
const EVERY_MS = 20;
const BEFORE_MS = 1_000;
const AFTER_MS = 4_000;
/** ICE checks every 2.5 s: each round starts at another moment of that interval. */
const STAGGER_MS = 125;

/** Longest allowed times by route, in milliseconds. */
const TARGETS = { direct: 400, relayed: 1_500, server: 3_000, repaired: 2_000 } as const;

type Way = "direct" | "relayed" | "server" | "none";

interface Network {
  readonly a: Nat;
  readonly b: Nat;
  readonly firewall: Firewall;
  /**
   * What the operator runs: the app, whose own STUN can be reached or not; with STUN and TURN
   * servers besides it, or with its encrypted relay.
   */
  readonly help: Help;
  /** The viewer changes to another interface. */
  readonly roam?: boolean;
}

type Help = "no stun" | "app" | "turn" | "relay" | "app and relay" | "app and turn";

const NATS: readonly Nat[] = ["full cone", "port restricted", "symmetric"];

/** One network for each target. */
const FIGURES: readonly Network[] = [
  { a: "port restricted", b: "port restricted", firewall: "open", help: "app" },
  { a: "full cone", b: "full cone", firewall: "open", help: "turn" },
  { a: "port restricted", b: "port restricted", firewall: "only tcp 443", help: "turn" },
  { a: "port restricted", b: "port restricted", firewall: "only tcp 443", help: "relay" },
  { a: "port restricted", b: "port restricted", firewall: "open", help: "turn", roam: true },
];

function networks(): Network[] {
  const pairs = NATS.flatMap((a, i) => NATS.slice(i).map((b) => [a, b] as const));
  const all: Network[] = (["app", "turn"] as const).flatMap((help) =>
    pairs.map(([a, b]) => ({ a, b, firewall: "open", help }))
  );
  const home = { a: "port restricted", b: "port restricted" } as const;
  for (const firewall of ["no udp", "only tcp 443"] as const) {
    for (const help of ["turn", "app and turn", "relay", "app and relay"] as const) {
      all.push({ ...home, firewall, help });
    }
  }
  all.push({ a: "symmetric", b: "symmetric", firewall: "open", help: "relay" });
  all.push({ ...home, firewall: "open", help: "turn", roam: true });
  all.push({ a: "none", b: "none", firewall: "open", help: "no stun" });
  return all;
}

const WORDS: Readonly<Record<string, Way>> = {
  "Direct": "direct",
  "Through a relay, still encrypted": "relayed",
  "Through this server, still encrypted": "server",
};

/**
 * Records in a page when "Connect" was clicked and when the session was established; the protocol
 * to its TURN relay; and, after `__say()`, the longest time without a message, while both sides
 * send empty messages all the time.
 */
const WATCH = `{
  const times = { pressed: 0, ready: 0, heard: 0, silence: 0 };
  Object.defineProperty(globalThis, "__times", { value: times });
  const { createDataChannel } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createDataChannel = function (label, options) {
    const channel = createDataChannel.call(this, label, options);
    if (label === "control") {
      globalThis.__pc = this;
      globalThis.__say = () => setInterval(() => channel.send(new Uint8Array(0)), ${EVERY_MS});
      channel.addEventListener("message", ({ data, timeStamp }) => {
        if (data.byteLength > 0) return;
        if (times.heard > 0) times.silence = Math.max(times.silence, timeStamp - times.heard);
        times.heard = timeStamp;
      });
    }
    return channel;
  };
  globalThis.__over = async () => {
    const all = [...(await __pc.getStats()).values()];
    const id = all.find(({ type }) => type === "transport")?.selectedCandidatePairId;
    const own = all.find((entry) => entry.id === id)?.localCandidateId;
    return all.find((entry) => entry.id === own)?.relayProtocol ?? "";
  };
  addEventListener("click", (event) => {
    if (event.target.closest?.("[data-action=join]")) times.pressed = event.timeStamp;
  }, true);
  const ready = ["connected", "receiving", "delivered"];
  new MutationObserver(() => {
    const phase = document.querySelector("main")?.dataset.phase;
    if (times.pressed > 0 && ready.includes(phase)) times.ready ||= performance.now();
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-phase"] });
}`;

interface Result {
  readonly way: Way;
  /** The protocols to the TURN relays of both sides, if there are any. */
  readonly over: readonly string[];
  readonly ms: number;
}

/**
 * With `roam` the figure is how long nothing got through after the viewer changed to another
 * interface.
 */
async function measure(lab: Lab, rounds: number, roam: boolean): Promise<Result[]> {
  const picture = await fixture("flat");
  const [first, second] = await Promise.all([lab.browser("a"), lab.browser("b")]);
  const results: Result[] = [];
  for (let i = 0; i < rounds; i++) {
    const before = WATCH;
    const pages = [await first.newPage({ before }), await second.newPage({ before })] as const;
    const sender = await Sender.open(pages[0], lab.url);
    const viewer = await Viewer.open(pages[1], await sender.offer(picture, { seconds: 30 }));
    await viewer.join();
    const phase = await viewer.waitPhase(["delivered", "failed"], { timeout: 60_000 });
    if (phase === "failed") results.push({ way: "none", over: [], ms: NaN });
    else {
      const ask = (script: string) => Promise.all(pages.map(({ page }) => page.evaluate(script)));
      const way = WORDS[await viewer.field("way")] ?? "none";
      const over = way === "relayed" ? (await ask("__over()")).map(String) : [];
      if (roam) {
        await ask("void __say()");
        await pause(BEFORE_MS + i * STAGGER_MS);
        await lab.roam("b");
        await pause(AFTER_MS);
        const silences = await ask("__times.silence");
        results.push({ way, over, ms: Math.max(...silences.map(Number)) });
      } else {
        const ms = Number(await viewer.page.evaluate("__times.ready - __times.pressed"));
        results.push({ way, over, ms });
      }
    }
    await Promise.all(pages.map((page) => page.close()));
  }
  return results;
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function envOf({ help }: Network): Record<string, string> {
  return help.endsWith("relay") ? { RELAY: "on" } : {};
}

if (import.meta.main) {
  if (!await hasLab()) Deno.exit(1);
  const at = Deno.args.indexOf("--rounds");
  const rounds = at === -1 ? 20 : Number(Deno.args[at + 1]);
  const lines = [
    "| router a | router b | firewall | help | way | TURN over | median ms | slowest |",
    "| --- | --- | --- | --- | --- | --- | --: | --: |",
  ];
  let missed = 0;
  const chosen = Deno.args.includes("--figures") ? FIGURES : networks();
  for (const network of chosen) {
    const { a, b, firewall, help, roam = false } = network;
    await using lab = await Lab.open({
      a: { nat: a, firewall },
      b: { nat: b, firewall },
      turn: help.endsWith("turn"),
      stun: help.startsWith("app"),
      env: envOf(network),
    });
    // Without a working route there is nothing to measure.
    const none = help === "no stun" || help === "app" && (a === "symmetric" || b === "symmetric") &&
        a !== "full cone";
    const results = await measure(lab, none ? 1 : rounds, roam);
    const ways = [...new Set(results.map(({ way }) => way))].join(", ") +
      (roam ? ", another interface" : "");
    const over = [...new Set(results.map(({ over }) => over.filter(Boolean).join(" and ")))]
      .filter(Boolean).join(", ");
    const times = results.map(({ ms }) => ms).filter((ms) => !Number.isNaN(ms));
    const middle = times.length === 0 ? null : Math.round(median(times));
    const slowest = times.length === 0 ? "–" : Math.round(Math.max(...times));
    for (const { way } of results) {
      if (way === "none" || middle === null) continue;
      if (middle > TARGETS[roam ? "repaired" : way]) missed++;
    }
    lines.push(
      `| ${a} | ${b} | ${firewall} | ${help} | ${ways} | ${over || "–"} | ${
        middle ?? "–"
      } | ${slowest} |`,
    );
    // deno-lint-ignore no-console -- the result
    console.log(lines.at(-1));
  }
  // deno-lint-ignore no-console -- the result
  console.log(`\n${lines.join("\n")}`);
  if (Deno.args.includes("--check") && missed > 0) Deno.exit(1);
}
