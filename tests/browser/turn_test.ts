/**
 * Two real browsers and a real TURN relay: with the address hidden, no other route is used, and no
 * other address is told to the other side.
 *
 * @module
 */
import { parseServerMessage, type ServerMessage } from "../../lib/protocol/signaling.ts";
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type TestPage, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, looksOf, Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";
import { hasTurnServer, LOOPBACK, startTurnServer, TURN_SECRET } from "../support/turn.ts";

/** A page gives a connection up after 30 s. */
const NO_WAY_MS = 60_000;

/**
 * What a page was told by the server, what it sealed for the other side, and what it connected
 * with.
 */
interface Watched {
  readonly heard: readonly string[];
  readonly sealed: readonly string[];
  readonly policies: readonly string[];
  readonly servers: number;
  /**
   * Candidate types of both ends of the pair in use, for each connection: `host`, `srflx`, `prflx`
   * or `relay`.
   */
  readonly pairs: readonly (readonly [local: string, remote: string])[];
}

/** Runs in the page before its scripts. */
const WATCH = `{
  const heard = [], sealed = [], made = [];
  Object.defineProperty(globalThis, "__watched", { value: { heard, sealed, made } });
  const Socket = WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => heard.push(data));
    }
  };
  const Connection = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Connection {
    constructor(settings) {
      super(settings);
      made.push({ pc: this, settings });
    }
  };
  const { encrypt } = SubtleCrypto.prototype;
  SubtleCrypto.prototype.encrypt = function (algorithm, key, data) {
    const text = new TextDecoder("latin1").decode(data);
    if (text.startsWith("candidate:") || text.startsWith("v=0")) sealed.push(text);
    return Reflect.apply(encrypt, this, [algorithm, key, data]);
  };
}`;

async function watched({ page }: TestPage): Promise<Watched> {
  const json: unknown = await page.evaluate(`(async () => {
    const { heard, sealed, made } = globalThis.__watched;
    const pairs = [];
    for (const { pc } of made) {
      const stats = new Map([...await pc.getStats()].map(([id, item]) => [id, item]));
      const transport = [...stats.values()].find(({ type }) => type === "transport");
      const pair = stats.get(transport?.selectedCandidatePairId);
      if (pair === undefined) continue;
      const ends = [pair.localCandidateId, pair.remoteCandidateId];
      pairs.push(ends.map((id) => stats.get(id).candidateType));
    }
    const policies = made.map(({ settings }) => settings.iceTransportPolicy);
    const servers = made.flatMap(({ settings }) => settings.iceServers).length;
    return JSON.stringify({ heard, sealed, policies, servers, pairs });
  })()`);
  return JSON.parse(String(json));
}

function iceOf({ heard }: Watched): Extract<ServerMessage, { t: "ice" }>[] {
  return heard.map(parseServerMessage).filter((message) => message?.t === "ice");
}

/** The lines that contain addresses of a browser. */
function candidatesIn({ sealed }: Watched): string[] {
  return sealed.flatMap((text) => text.match(/candidate:.*/g) ?? []);
}

const METRICS_TOKEN = "metrics-token-of-the-tests";

async function metricsOf(url: string): Promise<string> {
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  return await (await fetch(url, { headers })).text();
}

const ignore = !hasTurnServer();

Deno.test({
  name: "two browsers that hide their addresses use TURN, and tell each other only its address",
  ignore,
  async fn() {
    const picture = await fixture("flat");
    await using turn = await startTurnServer(LOOPBACK);
    const env = { TURN_URLS: turn.url, TURN_SECRET, METRICS_TOKEN, LOG_LEVEL: "debug" };
    await using app = await startApp({ env });
    await withBrowser((first) =>
      withBrowser(async (second) => {
        const pages = [
          await first.newPage({ before: WATCH }),
          await second.newPage({ before: WATCH }),
        ] as const;
        const sender = await Sender.open(pages[0], app.url);
        await sender.hideAddress();
        const link = await sender.offer(picture, { seconds: 60 });
        assertEquals(iceOf(await watched(pages[0])), [], "a lonely sender has no use for a relay");
        const viewer = await Viewer.open(pages[1], link);
        await viewer.hideAddress();
        await viewer.receive();
        await sender.waitPhase("delivered");

        const seen = await Promise.all(pages.map(watched));
        const names: (string | undefined)[] = [];
        for (const page of seen) {
          assertEquals([page.policies, page.pairs], [["relay"], [["relay", "relay"]]]);
          const candidates = candidatesIn(page);
          assert(candidates.length > 0);
          for (const line of candidates) {
            assert(/ typ relay raddr 0\.0\.0\.0 rport 0( |$)/.test(line), line);
          }
          const [ice, ...more] = iceOf(page);
          assertEquals(more, []);
          assert(ice !== undefined && ice.exp <= 600);
          names.push(ice.servers[0]?.username);
          const told = page.heard.join("\n") + page.sealed.join("\n");
          assert(!told.includes(TURN_SECRET), "the secret is the server's");
        }
        // Both have one address: the relay counts them as the one client that they are.
        assertEquals(new Set(names).size, 1);

        await viewer.look();
        assertLooksLike(await looksOf(second, await viewer.canvas()), picture);
        await viewer.closePicture();
        assertEquals(await viewer.waitReason("ended"), REASON.done);
        assertEquals(await sender.waitReason("ended"), REASON.done);
        for (const { page } of pages) {
          const html = String(await page.evaluate("document.documentElement.outerHTML"));
          assert(!html.includes(TURN_SECRET));
        }
        assert((await metricsOf(app.metricsUrl)).includes('outcomes_total{way="relayed"} 2\n'));
        await app.stop();
        assert(app.output.includes("shutting down"), "there is a log to look at");
        for (const secret of [TURN_SECRET, ...names]) {
          assert(!app.output.includes(secret ?? "?"), app.output);
        }
      })
    );
  },
});

Deno.test({
  name: "a TURN relay that does not reach the other side: the page says that no route works",
  ignore,
  async fn() {
    // Without --allow-loopback-peers it refuses to send to 127.0.0.1, where its own relayed
    // addresses are.
    await using turn = await startTurnServer();
    const env = { TURN_URLS: turn.url, TURN_SECRET, METRICS_TOKEN };
    await using app = await startApp({ env });
    await withBrowser(async (browser) => {
      const sender = await Sender.open(await browser.newPage({ before: WATCH }), app.url);
      await sender.hideAddress();
      const link = await sender.offer(await fixture("flat"));
      const viewer = await Viewer.open(await browser.newPage({ before: WATCH }), link);
      await viewer.hideAddress();
      await viewer.join();
      assertEquals(await viewer.waitReason("failed", { timeout: NO_WAY_MS }), REASON.network);
      await viewer.assertReadable();
      // The page had a TURN relay, and asked it.
      assert(candidatesIn(await watched(viewer.testPage)).length > 0);
      assertEquals((await watched(sender.testPage)).pairs, []);
      // The sender's link is not used up by one visitor's network.
      await sender.waitPhase("waiting");
      assert(/outcomes_total\{way="failed"\} [12]\n/.test(await metricsOf(app.metricsUrl)));
    });
  },
});

Deno.test("hiding the address needs TURN, and says so; by default none is asked", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage({ before: WATCH }), app.url);
    const link = await sender.offer(await fixture("flat"), { seconds: 60 });
    const viewer = await Viewer.open(await browser.newPage({ before: WATCH }), link);
    await viewer.hideAddress();
    await viewer.join();
    assertEquals(await viewer.waitReason("failed"), REASON.noRelay);
    await viewer.assertReadable();
    assertEquals(candidatesIn(await watched(viewer.testPage)), []);

    await viewer.hideAddress();
    await viewer.receive();
    for (const person of [sender, viewer]) {
      const page = await watched(person.testPage);
      assertEquals([page.servers, iceOf(page), page.policies], [0, [], ["all"]]);
    }
    await sender.leave();
    await viewer.waitReason("ended");

    // The sender goes back to the start.
    await sender.press("reset");
    await sender.hideAddress();
    const other = await sender.offer(await fixture("flat"));
    const friend = await Viewer.open(await browser.newPage(), other);
    await friend.join();
    assertEquals(await sender.waitReason("failed"), REASON.noRelay);
    await sender.assertReadable();
    await friend.waitReason("failed");
    await sender.hideAddress();
    await sender.press("retry");
    await sender.waitPhase("waiting");
    const late = await Viewer.open(await browser.newPage(), await sender.shareLink());
    await late.receive();
  });
});
