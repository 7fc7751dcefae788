/**
 * What an operator can read afterwards: the log at its most verbose level and `/metrics`, after
 * whole sessions by link and by code and some failed ones, searched for everything sent over the
 * sockets and for the clients' addresses.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { latin1Bytes, type Needle, type Part, search } from "../support/search.ts";

const METRICS_TOKEN = "metrics-token-of-the-tests";

/** Records every frame of every WebSocket, and its address. Runs in the page before its scripts. */
const WATCH = `{
  const said = [];
  Object.defineProperty(globalThis, "__said", { value: said });
  const Socket = WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(url, protocols) {
      super(url, protocols);
      said.push(JSON.stringify({ path: new URL(url).pathname.split("/").pop() }));
      this.addEventListener("message", ({ data }) => said.push(data));
    }
    send(text) {
      said.push(text);
      super.send(text);
    }
  };
}`;

/** Words of the protocol itself, which are not secret. */
const WORDS = ["refused", "busy", "no_peer"];

/** Nothing shorter than the digits of a code identifies anybody. */
const SHORT = 4;

/** Every string in the messages that identifies somebody or proves something. */
function stringsIn(said: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const text of said) {
    JSON.parse(text, (key, value: unknown) => {
      if (typeof value !== "string" || value.length < SHORT || WORDS.includes(value)) return value;
      if (key !== "t" && key !== "by" && key !== "why" && key !== "way") found.add(value);
      return value;
    });
  }
  return found;
}

/** Other numbers may contain it by chance; digits of a code have to match as a whole number. */
function needleOf(what: string): Needle {
  return /^\d{4,8}$/.test(what)
    ? { what, pattern: new RegExp(`(?<![\\d.])${what}(?!\\d)`), sample: what }
    : { what, bytes: latin1Bytes(what) };
}

Deno.test("log and /metrics name no room, code, token, address or relayed data", async () => {
  const env = {
    METRICS_TOKEN,
    LOG_LEVEL: "debug",
    LIMIT_CREATIONS_PER_MINUTE_PER_IP: "3",
    TURN_URLS: "turn:192.0.2.77:3478?transport=udp",
    TURN_SECRET: "turn-secret-of-the-tests-0123456789",
  };
  await using app = await startApp({ env });
  const secrets = new Set<string>([METRICS_TOKEN, env.TURN_SECRET]);
  await withBrowser(async (browser) => {
    const pages = [];
    for (const by of ["link", "code"] as const) {
      const [one, other] = [
        await browser.newPage({ before: WATCH }),
        await browser.newPage({ before: WATCH }),
      ];
      pages.push(one, other);
      const sender = await Sender.open(one, app.url);
      const link = await sender.offer(await fixture("flat"), { seconds: 60 });
      const code = await sender.shareCode();
      // A single word may well be part of a sentence of the log.
      const [digits = "", ...words] = code.split("-");
      for (const secret of [link.split("#1.")[1] ?? "", digits, words.join("-")]) {
        secrets.add(secret);
      }
      const viewer = by === "link"
        ? await Viewer.open(other, link)
        : await Viewer.openByCode(other, app.url);
      if (by === "code") await viewer.typeCode(code);
      await viewer.receive();
      await viewer.look();
      await viewer.closePicture();
      await viewer.waitPhase("ended");
      await sender.waitPhase("ended");
      // The link is used up: the server refuses this stranger.
      if (by === "link") {
        const late = await browser.newPage({ before: WATCH });
        pages.push(late);
        const stranger = await Viewer.open(late, link);
        await stranger.join();
        await stranger.waitPhase("failed");
      }
    }
    // And a limit is reached.
    for (let i = 0; i < 2; i++) {
      const page = await browser.newPage({ before: WATCH });
      pages.push(page);
      const sender = await Sender.open(page, app.url);
      await sender.chooseFile(await fixture("flat"));
      await sender.waitPhase(["waiting", "failed"]);
    }
    for (const { page } of pages) {
      const said: unknown = JSON.parse(String(await page.evaluate("JSON.stringify(__said)")));
      assert(Array.isArray(said));
      for (const text of stringsIn(said.map(String))) secrets.add(text);
      secrets.add(String(await page.evaluate("navigator.userAgent")));
    }
  });
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  const metrics = await (await fetch(app.metricsUrl, { headers })).text();
  for (
    const line of [
      'joins_total{by="create"} 3',
      'joins_total{by="link"} 1',
      'joins_total{by="code"} 1',
      'refusals_total{why="refused"} 1',
      'limits_total{limit="creations"} 1',
      'outcomes_total{way="direct"} 4',
    ]
  ) assert(metrics.includes(`ephemeral_${line}\n`), `${line} in\n${metrics}`);
  await app.stop();
  assert(app.output.includes("limit hit") && app.output.includes("shutting down"), app.output);

  // The time of each line is the server's own, and its digits may match somebody's by chance.
  const log = app.output.replace(/"time":"[^"]*",/g, "");
  const parts = ([["log", log], ["metrics", metrics]] as const)
    .map(([where, text]): Part => ({ where, bytes: latin1Bytes(text) }));
  // Every client, and the relay, has an address.
  const needles: readonly Needle[] = [
    ...[...secrets].map(needleOf),
    {
      what: "an address",
      pattern: /(?:\d{1,3}\.){3}\d{1,3}|::1|[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){3}/i,
      sample: "192.0.2.1",
    },
  ];
  assert(needles.length > 50, String(needles.length));
  assertEquals(search(parts, needles), []);
  // The search does find what is there.
  for (const needle of needles) {
    const what = "sample" in needle ? needle.sample : needle.what;
    const planted = [{ where: "a line", bytes: latin1Bytes(`${log}{"room":"${what}"}\n`) }];
    assertEquals(search(planted, [needle]), [{ what: needle.what, where: "a line" }]);
  }
});
