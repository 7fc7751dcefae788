/**
 * Whatever breaks, and in whatever order: everything that two peers send each other arrives once
 * and in order. The real server, with lines that are cut, processes that end, and a network that
 * fails. `CHAOS_RUNS` sets the number of runs, `CHAOS_SEED` repeats one.
 *
 * @module
 */
import { createLinkSecret } from "../../lib/e2e/link.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { RelayBudget, UNLIMITED_RELAY } from "../../lib/rooms/relay_budget.ts";
import { iceIssuer } from "../../lib/ops/turn.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { until } from "../support/fake_time.ts";
import { seededRandom } from "../support/random.ts";
import { FakePeerConnection, withFakeRtc } from "./fake_rtc.ts";
import { Lobby } from "./lobby.ts";
import { Person } from "./person.ts";

const RUNS = Number(Deno.env.get("CHAOS_RUNS") ?? 6);
const FIRST = Number(Deno.env.get("CHAOS_SEED") ?? 1);
const STEPS = 6;

interface Chaos {
  readonly lobby: Lobby;
  readonly told: string[];
}

const EVENTS: Readonly<Record<string, (chaos: Chaos) => Promise<void> | void>> = {
  "a socket is cut": ({ lobby }) => lobby.line.cut("first"),
  "all sockets are cut": ({ lobby }) => lobby.line.cut("all"),
  "the server is replaced": ({ lobby }) => lobby.restart(),
  "the direct route breaks": () => {
    for (const pc of FakePeerConnection.all) if (!pc.closed) pc.fail();
  },
  "no direct route works": () => {
    FakePeerConnection.blocked = true;
  },
  "the network is back": () => {
    FakePeerConnection.blocked = false;
    dispatchEvent(new Event("online"));
  },
};

/** The n-th message of one side. */
function saying(n: number): ControlMessage {
  return { t: "closed", n: 0, why: "user", ms: n };
}

for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
  Deno.test(`chaos ${seed}: every message arrives once, in order, whatever breaks`, async () => {
    const draw = seededRandom(seed);
    const random = () => draw() / 2 ** 32;
    using _rtc = withFakeRtc();
    const ice = iceIssuer({ servers: [], turnUrls: [], turnSecret: "", relay: true });
    const budget = new RelayBudget(UNLIMITED_RELAY);
    await using lobby = new Lobby(ice, budget);
    const secret = createLinkSecret();
    using sender = new Person("S", secret, lobby.url, true);
    using viewer = new Person("R", secret, lobby.url, true);
    await sender.connection.start();
    await until(() => sender.seated === 1, "the sender is seated");
    await viewer.connection.start();
    await until(() => sender.bound && viewer.bound, "both are bound");

    const told: string[] = [];
    let said = 0;
    for (let step = 0; step < STEPS; step++) {
      const names = Object.keys(EVENTS);
      const name = names[Math.floor(random() * names.length)]!;
      told.push(name);
      await EVENTS[name]?.({ lobby, told });
      for (let i = Math.floor(random() * 5); i >= 0; i--) {
        for (const { links } of [sender, viewer]) {
          links[0]?.sendControl(saying(said)).catch(() => {});
        }
        said++;
      }
      await new Promise((resolve) => setTimeout(resolve, random() * 300));
    }
    FakePeerConnection.blocked = false;
    try {
      await until(
        () => sender.heard.length >= said && viewer.heard.length >= said,
        "all was heard",
      );
    } catch {
      assert(
        false,
        `${sender.heard.length} and ${viewer.heard.length} of ${said}: ${told.join(", ")}`,
      );
    }
    const all = Array.from({ length: said }, (_, n) => saying(n));
    assertEquals([sender.heard, viewer.heard], [all, all], told.join(", "));
    assertEquals([sender.ends, viewer.ends], [[], []], told.join(", "));
    for (const { links } of [sender, viewer]) await links[0]?.close();
  });
}
