/**
 * A peer that falls silent while the other page waits for a message: each wait has a timeout, and
 * what the page stores meanwhile is bounded. The timeouts are real, and run in parallel.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import {
  assertCalm,
  attackTest,
  closeStage,
  honestPicture,
  type PeerStage,
  tracesOf,
} from "./peer_stage.ts";

Deno.test.afterAll(closeStage);

/** The longest timeout is 15 s, and the machine may be busy. */
const WAIT = { timeout: 60_000 };

/** 128 KiB, a record that was accepted just below, and control records. */
const MOST_QUEUED = 128 * 1024 + 64 * 1024 + 8 * 1024;

/** 16 chunks sealed ahead, the next one, one in progress, and sealed signaling messages. */
const MOST_SEALED = 40;

/** A viewer who reports that the picture is on screen, and then falls silent. */
async function silentAfterShown(stage: PeerStage) {
  using attack = await stage.sender({ seconds: 3 });
  const { attacker, victim } = attack;
  await attacker.evaluate(async () => {
    await evil.hears("end");
    await evil.say({ t: "got", n: 0 });
    await evil.say({ t: "open", n: 0 });
    await evil.say({ t: "shown", n: 0 });
  });
  await victim.waitPhase("closed", WAIT);
  assertMatch(await victim.timeline(), /unconfirmed/i);
  assertEquals(/seen for/i.test(await victim.timeline()), false);
  assertEquals(await victim.waitReason("ended"), "done");
  assertMatch(await victim.text(), /did not confirm that it is closed/);
  await assertCalm(victim);
  const said = await attacker.evaluate(() => evil.heard.map(({ t }) => t));
  assertEquals(said.includes("revoke"), true, "its viewer is told once more that it is over");
}

/** A viewer who connects and never proves their identity. */
async function neverBindsToSender(stage: PeerStage) {
  using attack = await stage.sender({ binding: "none" });
  const { attacker, victim } = attack;
  assertEquals(await victim.waitReason("failed", WAIT), "verification");
  await assertCalm(victim);
  assertEquals((await tracesOf(victim)).sent, 1, "it says nothing but its own binding");
  assertEquals(await attacker.evaluate(() => [evil.heard.length, evil.received]), [0, 0]);
}

/** A sender who connects and never proves their identity. */
async function neverBindsToViewer(stage: PeerStage) {
  using attack = await stage.viewer("none");
  assertEquals(await attack.victim.waitReason("failed", WAIT), "verification");
  await assertCalm(attack.victim);
}

/** A sender who delivers a picture, but no key. */
async function keepsTheKey(stage: PeerStage) {
  using attack = await stage.viewer();
  const { attacker, victim } = attack;
  await attacker.evaluate(
    async (bytes) => await evil.send(await evil.pack({ bytes })),
    await honestPicture(),
  );
  await victim.waitPhase("delivered");
  await victim.openPicture();
  await victim.waitPhase("closed", WAIT);
  assertMatch(await victim.text(), /did not unlock it in time/);
  assertEquals((await tracesOf(victim)).painted, 0);
  const last = await attacker.evaluate(() => evil.heard.at(-1));
  assertEquals(last, { t: "abort", code: "timeout", n: 0 });
  await assertCalm(victim);
}

attackTest(
  "whoever falls silent is given up: without a binding, a key, or a report that it is closed",
  async (stage) => {
    const results = await Promise.allSettled([
      silentAfterShown(stage),
      neverBindsToSender(stage),
      neverBindsToViewer(stage),
      keepsTheKey(stage),
    ]);
    const failures = results.flatMap((result) =>
      result.status === "rejected" ? [String(result.reason)] : []
    );
    assertEquals(failures, []);
  },
);

/** Stops or continues the processes that run a browser's pages. */
async function signalPages({ browser }: TestBrowser, signal: Deno.Signal): Promise<void> {
  const session = await browser.target().createCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  for (const { type, id } of processInfo) if (type === "renderer") Deno.kill(id, signal);
  await session.detach();
}

attackTest(
  "a viewer who takes nothing of 64 MiB makes the sender buffer 3 MiB at most, who can burn it",
  async (stage) => {
    await using elsewhere = await launchBrowser();
    const picture = await fixture("png64m");
    const attacker = await stage.attacker(elsewhere);
    using attack = await stage.sender({ picture, attacker });
    const { victim } = attack;
    await attack.attacker.evaluate(() => evil.hears("meta"));
    // From here on no packet is acknowledged.
    await signalPages(elsewhere, "SIGSTOP");
    let sent = -1;
    for (let now = 0; now !== sent; now = (await tracesOf(victim)).sent) {
      sent = now;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    const traces = await tracesOf(victim);
    assert(traces.sent < 1_000, `${traces.sent} records left before it stopped: it has to stop`);
    assert(traces.buffered <= MOST_QUEUED, `${traces.buffered} bytes were queued`);
    const ahead = traces.sealed - traces.sent;
    assert(ahead <= MOST_SEALED, `${ahead} records were sealed ahead`);
    await victim.burn();
    assertEquals(await victim.waitReason("ended"), "burned");
    await assertCalm(victim);
    await signalPages(elsewhere, "SIGCONT");
  },
);
