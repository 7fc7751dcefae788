/**
 * Two connections whose cryptography takes longer, at either end or at both: the order in which
 * keys are ready must decide nothing.
 *
 * @module
 */
import { createLinkSecret } from "../../lib/e2e/link.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { iceIssuer } from "../../lib/ops/turn.ts";
import { RelayBudget, UNLIMITED_RELAY } from "../../lib/rooms/relay_budget.ts";
import { assertEquals } from "../support/assert.ts";
import { settle, until, withGlobals } from "../support/fake_time.ts";
import { SLOWNESS, withSlowCrypto } from "../support/slow_crypto.ts";
import { withFakeRtc } from "./fake_rtc.ts";
import { Lobby } from "./lobby.ts";
import { Person } from "./person.ts";

type Route = "direct" | "relay";

const RELAY = iceIssuer({ servers: [], turnUrls: [], turnSecret: "", relay: true });

/** A browser without WebRTC, which uses the relay at once. */
class NoRtc {
  static generateCertificate(): Promise<never> {
    return Promise.reject(new DOMException("", "NotAllowedError"));
  }
}

interface Scene {
  readonly sender: Person;
  readonly viewer: Person;
  /** The page of `role` after its reload. */
  reload(role: Role, page: Person): Promise<Person>;
}

async function talk(a: Person, b: Person): Promise<void> {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    const before = to.heard.length;
    await from.links.at(-1)?.sendControl({ t: "more", n: 0 });
    await until(() => to.heard.length > before, "it was heard");
  }
}

async function scene(route: Route, body: (scene: Scene) => Promise<void>): Promise<void> {
  using _rtc = withFakeRtc();
  using _none = withGlobals(route === "relay" ? { RTCPeerConnection: NoRtc } : {});
  await using lobby = new Lobby(RELAY, new RelayBudget(UNLIMITED_RELAY));
  using pages = new DisposableStack();
  const secret = createLinkSecret();
  const open = (role: Role, before?: Person) =>
    pages.use(new Person(role, secret as Bytes, lobby.url, true, before));
  const sender = open("S");
  const viewer = open("R");
  await sender.start();
  await until(() => sender.seated === 1, "the sender is seated");
  await viewer.start();
  await until(() => sender.bound && viewer.bound, "both are bound");
  await talk(sender, viewer);
  await body({
    sender,
    viewer,
    async reload(role, page) {
      page.vanish();
      const next = open(role, page);
      await next.start();
      return next;
    },
  });
  for (const person of [sender, viewer]) assertEquals(person.failures, []);
}

for (const route of ["direct", "relay"] as const) {
  for (const { S: s, R: r } of SLOWNESS) {
    const how = `${route}, crypto +${s} ms at the sender, +${r} ms at the viewer`;

    Deno.test(`${how}: either page reloads, and both are bound anew`, async () => {
      using _slow = withSlowCrypto({ S: s, R: r });
      await scene(route, async ({ sender, viewer, reload }) => {
        const viewer2 = await reload("R", viewer);
        await until(() => viewer2.bound && sender.links.length === 2, "bound anew");
        await talk(sender, viewer2);
        const sender2 = await reload("S", sender);
        await until(() => sender2.bound && viewer2.links.length === 2, "bound once more");
        await talk(sender2, viewer2);
        assertEquals([viewer2.ends, sender2.ends], [[], []]);
      });
    });

    Deno.test(`${how}: a goodbye is heard before the room is gone`, async () => {
      using _slow = withSlowCrypto({ S: s, R: r });
      await scene(route, async ({ sender, viewer }) => {
        const [link] = sender.links;
        link?.sendControl({ t: "bye", why: "done" });
        // As lib/pages/session.ts ends.
        sender.connection.end(route === "relay" ? link?.close() : void link?.close());
        await until(() => viewer.heard.length > 1 || viewer.ends.length > 0, "it is over");
        assertEquals(viewer.heard.at(-1), { t: "bye", why: "done" });
        assertEquals(viewer.ends, []);
        await viewer.links[0]?.close();
        await settle(20);
      });
    });
  }
}
