/**
 * The server stops, by deploy and by crash, in every phase of a session in real browsers. Whoever
 * waits reconnects by themselves; whoever is connected does not notice.
 *
 * @module
 */
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { fixture, type FixtureName } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";
import { hasUdpProxy, PROXY_ARGS, UdpProxy } from "../support/udp_proxy.ts";

/** Time to reconnect: several attempts with pauses in between, on a busy machine. */
const PATIENT = { timeout: 90_000 };

/**
 * Browsers report broken sockets and refused connections in the console by themselves; 426 answers
 * a page that asks for the reason (protocol.md §3).
 */
const BROKEN = [/WebSocket connection|ERR_CONNECTION|ERR_EMPTY|426 \(Upgrade Required\)/];

/** Slow enough to stop a server in the middle of a picture: 8 MiB take about three seconds. */
const SLOW = { bytesPerMs: 2_500 };

interface Stage {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  /** Stops the server in the way that this test is about. */
  readonly end: () => Promise<void>;
}

/** A sender who offers a picture, and the page of a viewer who has not pressed anything. */
async function meet(
  { app, browser }: Stage,
  { name = "small", seconds = 60, udp }: { name?: FixtureName; seconds?: number; udp?: UdpProxy },
) {
  const pages = [await browser.newPage(), await browser.newPage()] as const;
  for (const page of pages) {
    page.allowErrors(...BROKEN);
    await udp?.attach(page);
  }
  const sender = await Sender.open(pages[0], app.url);
  const link = await sender.offer(await fixture(name), { seconds });
  return { sender, viewer: await Viewer.open(pages[1], link), link };
}

/** Opens what was delivered, closes it, and waits until both pages have ended. */
async function finish(sender: Sender, viewer: Viewer): Promise<void> {
  await viewer.look(PATIENT);
  await sender.waitPhase("shown", PATIENT);
  await viewer.closePicture();
  assertEquals(await viewer.waitReason("ended", PATIENT), REASON.done);
  assertEquals(await sender.waitReason("ended", PATIENT), REASON.done);
  assertMatch(await sender.timeline(), /Closed by your friend/);
}

/** Neither page reported any problem. */
async function assertUnnoticed(...people: readonly (Sender | Viewer)[]): Promise<void> {
  for (const person of people) {
    const text = await person.text();
    assert(!/interrupted|No contact|does not answer/.test(text), `${person.role} reads: ${text}`);
  }
}

const PHASES: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  async "the sender waits alone: the link leads to them afterwards"(stage) {
    const { sender, viewer } = await meet(stage, {});
    await stage.end();
    await sender.waitFor("a word about it", () => document.body.innerText.includes("No contact"));
    await stage.app.start();
    await sender.waitFor(
      "contact with the server",
      () => !document.body.innerText.includes("No contact"),
      PATIENT,
    );
    await viewer.receive(PATIENT);
    await finish(sender, viewer);
  },

  async "the viewer connects: the two find each other when it is back"(stage) {
    const { sender, viewer } = await meet(stage, {});
    await viewer.join();
    // A page without a seat would be told at once that the server does not answer.
    await sender.waitPhase("connecting", PATIENT);
    await stage.end();
    await stage.app.start();
    await viewer.waitPhase("delivered", PATIENT);
    await finish(sender, viewer);
  },

  async "a picture is being sent: it arrives undisturbed"(stage) {
    if (!hasUdpProxy) return;
    await using udp = await UdpProxy.open(SLOW);
    const { sender, viewer } = await meet(stage, { name: "png8m", udp });
    await viewer.join();
    await sender.waitPhase("sending", PATIENT);
    await stage.end();
    assertEquals(await sender.phase(), "sending", "it is still on its way when the server is gone");
    await viewer.waitPhase("delivered", PATIENT);
    await sender.waitPhase("delivered", PATIENT);
    await assertUnnoticed(sender, viewer);
    await finish(sender, viewer);
  },

  async "a picture was delivered: it is opened, and the next visitor is refused"(stage) {
    const { sender, viewer, link } = await meet(stage, {});
    await viewer.receive(PATIENT);
    await sender.waitPhase("delivered", PATIENT);
    await stage.end();
    await assertUnnoticed(sender, viewer);
    await stage.app.start();
    const late = await Viewer.open(await stage.browser.newPage(), link);
    late.testPage.allowErrors(...BROKEN);
    await late.join();
    // A visitor who is faster than the viewer's page gets the empty seat of the new room, where
    // nobody answers.
    assertMatch(await late.waitReason("failed", PATIENT), /^(refused|timeout)$/);
    assertEquals((await late.phases()).includes("connected"), false);
    await finish(sender, viewer);
  },

  async "a picture is on screen: it stays for its time, and no longer"(stage) {
    const { sender, viewer } = await meet(stage, { seconds: 5 });
    await viewer.receive(PATIENT);
    await viewer.look(PATIENT);
    await sender.waitPhase("shown", PATIENT);
    await stage.end();
    await assertUnnoticed(sender, viewer);
    assertEquals(await viewer.waitReason("ended", PATIENT), REASON.done);
    assertEquals(await sender.waitReason("ended", PATIENT), REASON.done);
    assertMatch(await sender.timeline(), /Seen for 5 seconds\. Closed when time ran out/);
    assertEquals(await viewer.wiped(), true);
  },
};

for (const [how, signal] of [["a deploy", "SIGTERM"], ["a crash", "SIGKILL"]] as const) {
  Deno.test(`the server stops, by ${how}`, async (t) => {
    await using app = await startApp();
    await using browser = await launchBrowser({ args: PROXY_ARGS });
    for (const [when, play] of Object.entries(PHASES)) {
      await t.step(`when ${when}`, async () => {
        // The previous test may have left it stopped.
        await app.stop();
        await app.start();
        const pages = browser.pages.length;
        await play({ app, browser, end: () => app.stop(signal) });
        for (const page of browser.pages.slice(pages)) {
          page.assertNoErrors();
          await page.close();
        }
      });
    }
  });
}
