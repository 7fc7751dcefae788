/**
 * Hostile sockets on the real server, while two people use it who must not notice.
 *
 * @module
 */
import { createLinkSecret } from "../../lib/e2e/link.ts";
import { withFakeRtc } from "../connection/fake_rtc.ts";
import { Person } from "../connection/person.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { until, withGlobals } from "../support/fake_time.ts";
import { withTwoPages } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { deliver } from "../support/flow.ts";
import { PROJECT } from "../support/project.ts";
import { ATTACKS, Line } from "./attack.ts";

const MB = 1_000_000;

/** All connections here have the same address: the limits must not refuse the honest people. */
const ONE_ADDRESS = {
  LIMIT_SOCKETS_PER_IP: "1000",
  LIMIT_UPGRADES_PER_MINUTE_PER_IP: "50000",
  LIMIT_CREATIONS_PER_MINUTE_PER_IP: "5000",
};

/**
 * How long all attacks run in parallel, in s: as long as the honest sessions take, within these
 * limits.
 */
const ATTACK_S = { least: 12, most: 90 };
const SESSIONS = 3;

/** Number of idle sockets; `bench/signaling.ts` opens 10,000. */
const IDLE_SOCKETS = 3_000;

/**
 * Longest life of a socket that the server wants to close, in ms: the heartbeat's 50 s, grace
 * periods, and a margin for slow machines.
 */
const CUT_MS = 90_000;

/**
 * Memory that may remain allocated after an attack: the allocator keeps 60 to 160 MB of a gigabyte,
 * and no more after the third time.
 */
const LEFT_BYTES = 300 * MB;
/** Less after idle sockets: what remains is one table of each kind at its largest size. */
const LEFT_IDLE_BYTES = 150 * MB;
/** A room outlives its sender by a minute. */
const LEFT_MS = 100_000;

/** Resident memory of the server in bytes. */
async function rss(app: TestApp): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${app.pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** Starts all attacks at once, in another process. */
function startAttack(app: TestApp): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "tests/attacks/attack.ts", app.url, String(ATTACK_S.most)],
    cwd: PROJECT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/**
 * Waits until at most `bound` remains allocated after an attack. Returns the memory before it, the
 * increase at the peak, and what remains, in MB.
 */
async function comeBack(
  app: TestApp,
  { before, peak, bound }: { before: number; peak: number; bound: number },
): Promise<number[]> {
  const end = performance.now() + LEFT_MS;
  let left = await rss(app) - before;
  while (left > bound && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    left = await rss(app) - before;
  }
  const megabytes = [before, peak - before, left].map((bytes) => Math.round(bytes / MB));
  assert(left <= bound, `before, at most, left: ${megabytes} MB`);
  return megabytes;
}

/** Deno's WebSocket sends no Origin by itself. */
function withOrigin(origin: string): Disposable {
  return withGlobals({
    WebSocket: new Proxy(WebSocket, {
      construct(target, [url, protocol]) {
        return Reflect.construct(target, [url, { protocols: [protocol], headers: { origin } }]);
      },
    }),
  });
}

/** A session of two people up to the established link; fails if anything else happens to either. */
async function session(app: TestApp): Promise<void> {
  const secret = createLinkSecret();
  const server = app.url.replace("http", "ws");
  using sender = new Person("S", secret, server);
  using viewer = new Person("R", secret, server);
  await sender.connection.start();
  await until(() => sender.seated === 1, "the sender is seated");
  await viewer.connection.start();
  await until(() => sender.bound && viewer.bound, "both are bound");
  assertEquals([sender.contacts, viewer.contacts], [[true], [true]]);
  assertEquals([sender.failures, viewer.failures], [[], []]);
  const page = await fetch(`${app.url}/join`);
  await page.body?.cancel();
  assertEquals(page.status, 200);
}

const ENDLESS = [
  "fragments",
  "fragments in a seat",
  "fragments and pongs in a seat",
  "fragments after an error",
] as const;

/** How the server ended each endless message. The longest of them takes the heartbeat's 50 s. */
async function endlessEnds(): Promise<string[]> {
  await using app = await startApp();
  return await Promise.all(ENDLESS.map(async (name) => {
    using line = await Line.open(new URL(app.url));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve("still taken"), CUT_MS);
    });
    const cut = ATTACKS[name](line).then(() => "refused", () => "cut");
    const end = await Promise.race([cut, late]);
    clearTimeout(timer);
    return `${name}: ${end}`;
  }));
}

/** Two people in real browsers, from choosing the picture to closing it. */
async function showPicture(app: TestApp): Promise<void> {
  await withTwoPages(async (senderPage, viewerPage) => {
    const pages = { sender: senderPage, viewer: viewerPage };
    const { sender, viewer } = await deliver(pages, app.url, await fixture("flat"), {
      seconds: 60,
    });
    await viewer.openPicture();
    await viewer.waitPhase("viewing");
    await viewer.press("close");
    await sender.waitPhase("closed");
  });
}

Deno.test({
  name: "during all attacks at once people finish sessions, two in real browsers see a picture, " +
    "endless messages are cut, and memory is freed afterwards",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using _rtc = withFakeRtc();
    await using app = await startApp({ env: ONE_ADDRESS });
    using _origin = withOrigin(app.url);
    // At another server, in parallel, because it is nearly all waiting.
    const ends = endlessEnds();
    await session(app);
    const before = await rss(app);
    const attack = startAttack(app);
    let over = false;
    attack.status.then(() => over = true);
    const begun = performance.now();
    const shown = showPicture(app);
    // An earlier failure of the test is the one to report.
    shown.catch(() => {});
    let sessions = 0;
    let peak = 0;
    while (!over && (sessions < SESSIONS || performance.now() - begun < ATTACK_S.least * 1_000)) {
      await session(app);
      sessions++;
      peak = Math.max(peak, await rss(app));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await shown;
    if (!over) attack.kill("SIGTERM");
    const cuts: Record<string, number> = JSON.parse(await new Response(attack.stdout).text());
    assert(sessions >= SESSIONS, `only ${sessions} sessions in ${ATTACK_S.most} s`);
    for (const name of ["fragments", "no first message", "bad UTF-8", "reserved bits"]) {
      assert((cuts[name] ?? 0) > 0, `${name} was never cut: ${JSON.stringify(cuts)}`);
    }
    await session(app);
    const megabytes = await comeBack(app, { before, peak, bound: LEFT_BYTES });
    assertEquals(await ends, ENDLESS.map((name) => `${name}: cut`));
    // deno-lint-ignore no-console -- figures for docs/operations.md
    console.log(JSON.stringify({ sessions, cuts, "before, peak, left (MB)": megabytes }));
  },
});

Deno.test({
  name: "beside thousands of idle sockets people finish a session, and memory is freed afterwards",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using _rtc = withFakeRtc();
    const limits = await Deno.readTextFile("/proc/self/limits");
    const files = Number(/Max open files\s+(\d+)/.exec(limits)?.[1]);
    // Each uses a file here and another one in the server, and both processes need some for
    // themselves.
    const count = Math.min(IDLE_SOCKETS, files - 500);
    // A quarter of each total is kept for newcomers, and everybody here has one address.
    const many = String(2 * count);
    await using app = await startApp({
      env: {
        LIMIT_SOCKETS_PER_IP: "20000",
        LIMIT_UPGRADES_PER_MINUTE_PER_IP: "60000",
        LIMIT_CREATIONS_PER_MINUTE_PER_IP: many,
        LIMIT_CREATIONS_PER_MINUTE: many,
        LIMIT_ROOMS: many,
      },
    });
    using _origin = withOrigin(app.url);
    await session(app);
    const before = await rss(app);
    const lines: Line[] = [];
    const open = async () => {
      while (lines.length < count) {
        const line = await Line.open(new URL(app.url));
        lines.push(line);
        assert(await line.upgrade(), "an idle socket was refused");
        await line.create();
      }
    };
    await Promise.all(Array.from({ length: 16 }, open));
    await session(app);
    const peak = await rss(app);
    for (const line of lines) line[Symbol.dispose]();
    await session(app);
    const megabytes = await comeBack(app, { before, peak, bound: LEFT_IDLE_BYTES });
    // deno-lint-ignore no-console -- figures for docs/operations.md
    console.log(JSON.stringify({ count, "before, peak, left (MB)": megabytes }));
  },
});
