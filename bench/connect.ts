/**
 * How long it takes from "Connect" pressed to verified and ready, and which way that goes, between two browsers in the
 * laboratory of tests/net: each pair of NATs, firewalls, with and without what helps. Needs root, `ip`, `nft` and coturn.
 *
 *     deno run -A bench/connect.ts [--rounds N] [--check]
 *
 * A table in Markdown, for docs/connectivity.md; `--check` fails above {@linkcode TARGETS}.
 *
 * @module
 */
import { fixture } from "../tests/support/fixtures.ts";
import { Sender, Viewer } from "../tests/support/flow.ts";
import { type Firewall, hasLab, Lab, type Nat } from "../tests/net/lab.ts";
import { median } from "./statistics.ts";

/** Milliseconds at most, by the way that it goes. */
const TARGETS = { direct: 400, relayed: 1_500, server: 3_000, repaired: 2_000 } as const;

type Way = "direct" | "relayed" | "server" | "none";

interface Network {
  readonly a: Nat;
  readonly b: Nat;
  readonly firewall: Firewall;
  /** What the operator runs besides the app: nothing, STUN and TURN, or the app's own relay. */
  readonly help: "nothing" | "turn" | "relay";
}

const NATS: readonly Nat[] = ["full cone", "port restricted", "symmetric"];

function networks(): Network[] {
  const pairs = NATS.flatMap((a, i) => NATS.slice(i).map((b) => [a, b] as const));
  const all: Network[] = pairs.map(([a, b]) => ({ a, b, firewall: "open", help: "turn" }));
  const home = { a: "port restricted", b: "port restricted" } as const;
  for (const firewall of ["no udp", "only tcp 443"] as const) {
    for (const help of ["turn", "relay"] as const) all.push({ ...home, firewall, help });
  }
  all.push({ a: "symmetric", b: "symmetric", firewall: "open", help: "relay" });
  all.push({ a: "none", b: "none", firewall: "open", help: "nothing" });
  return all;
}

const WORDS: Readonly<Record<string, Way>> = {
  "Direct": "direct",
  "Through a relay, still encrypted": "relayed",
  "Through this server, still encrypted": "server",
};

/** Notes in the viewer's page when "Connect" was pressed and when the session was there. */
const WATCH = `{
  const times = { pressed: 0, ready: 0 };
  Object.defineProperty(globalThis, "__times", { value: times });
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
  readonly ms: number;
}

async function measure(lab: Lab, rounds: number): Promise<Result[]> {
  const picture = await fixture("flat");
  const [first, second] = await Promise.all([lab.browser("a"), lab.browser("b")]);
  const results: Result[] = [];
  for (let i = 0; i < rounds; i++) {
    const pages = [await first.newPage(), await second.newPage({ before: WATCH })] as const;
    const sender = await Sender.open(pages[0], lab.url);
    const viewer = await Viewer.open(pages[1], await sender.offer(picture, { seconds: 30 }));
    await viewer.join();
    const phase = await viewer.waitPhase(["delivered", "failed"], { timeout: 60_000 });
    if (phase === "failed") results.push({ way: "none", ms: NaN });
    else {
      const ms = Number(await viewer.page.evaluate("__times.ready - __times.pressed"));
      const way = WORDS[await viewer.field("way")] ?? "none";
      results.push({ way, ms });
    }
    await Promise.all(pages.map((page) => page.close()));
  }
  return results;
}

function envOf({ help }: Network): Record<string, string> {
  return help === "relay" ? { RELAY: "on" } : {};
}

if (import.meta.main) {
  if (!await hasLab()) Deno.exit(1);
  const at = Deno.args.indexOf("--rounds");
  const rounds = at === -1 ? 5 : Number(Deno.args[at + 1]);
  const lines = [
    "| router a | router b | firewall | besides the app | way | median ms | slowest |",
    "| --- | --- | --- | --- | --- | --: | --: |",
  ];
  let missed = 0;
  for (const network of networks()) {
    const { a, b, firewall, help } = network;
    await using lab = await Lab.open({
      a: { nat: a, firewall },
      b: { nat: b, firewall },
      turn: help === "turn",
      env: envOf(network),
    });
    const results = await measure(lab, rounds);
    const ways = [...new Set(results.map(({ way }) => way))].join(", ");
    const times = results.map(({ ms }) => ms).filter((ms) => !Number.isNaN(ms));
    const middle = times.length === 0 ? null : Math.round(median(times));
    const slowest = times.length === 0 ? "–" : Math.round(Math.max(...times));
    for (const { way } of results) {
      if (way !== "none" && middle !== null && middle > TARGETS[way]) missed++;
    }
    lines.push(`| ${a} | ${b} | ${firewall} | ${help} | ${ways} | ${middle ?? "–"} | ${slowest} |`);
    // deno-lint-ignore no-console -- the result
    console.log(lines.at(-1));
  }
  // deno-lint-ignore no-console -- the result
  console.log(`\n${lines.join("\n")}`);
  if (Deno.args.includes("--check") && missed > 0) Deno.exit(1);
}
