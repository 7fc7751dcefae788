/**
 * Two people who are bound, and a server that sends them anything, in any order, as often as it
 * likes: the messages of the protocol, changed, repeated, recorded and invented ones. Nothing
 * changes on their connection, and their pages are told of nothing but the server itself.
 *
 * @module
 */
import { makeReloadNotice, verifyReloadNotice } from "../../lib/e2e/reload_notice.ts";
import { randomBytes } from "../../lib/e2e/suite.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import { type Bytes, concat, toBase64Url } from "../../lib/protocol/bytes.ts";
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { HANDSHAKE, MODE, NOTICE_LENGTH } from "../../lib/protocol/handshake.ts";
import type { ServerMessage } from "../../lib/protocol/signaling.ts";
import { type EvilServer, withEvilServer } from "../connection/evil_server.ts";
import type { Person } from "../connection/person.ts";
import { assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import { settle, until } from "../support/fake_time.ts";
import { serverMessage } from "./messages.ts";
import type { Property } from "./property.ts";

/** One thing that the server does; numbers are taken modulo the number of candidates. */
type Act =
  /** Any message of the protocol. */
  | { readonly do: "say"; readonly to: Role; readonly message: ServerMessage }
  /** A handshake message that one of the two sent, to either of them, perhaps in another mode. */
  | {
    readonly do: "repeat";
    readonly to: Role;
    readonly which: number;
    readonly resume: boolean;
    readonly flip: number | null;
  }
  /** A message of a handshake that nobody began. */
  | { readonly do: "invent"; readonly to: Role; readonly type: number; readonly length: number }
  /** An authentic notice that the sender's page was reloaded, which was held back until now. */
  | { readonly do: "notice"; readonly to: Role; readonly times: number }
  | { readonly do: "garbage"; readonly to: Role }
  /** The socket breaks, with a code or without. */
  | { readonly do: "close"; readonly to: Role; readonly code: number }
  | { readonly do: "wait" };

const to = fc.constantFrom<Role[]>("S", "R");
const KINDS = Object.values(HANDSHAKE);
const LENGTHS = [1, 2, 35, NOTICE_LENGTH, 131, 1_251, 1_315, 1_380];

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constant("say" as const), to, message: serverMessage }),
  fc.record({
    do: fc.constant("repeat" as const),
    to,
    which: fc.nat(20),
    resume: fc.boolean(),
    flip: fc.option(fc.nat(2_000)),
  }),
  fc.record({
    do: fc.constant("invent" as const),
    to,
    type: fc.constantFrom(0, ...KINDS, 9),
    length: fc.constantFrom(...LENGTHS),
  }),
  fc.record({ do: fc.constant("notice" as const), to, times: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant("garbage" as const), to }),
  fc.record({
    do: fc.constant("close" as const),
    to,
    code: fc.constantFrom(1006, ...Object.values(CLOSE)),
  }),
  fc.record({ do: fc.constant("wait" as const) }),
);

interface Tools {
  readonly sender: Person;
  readonly viewer: Person;
  readonly server: EvilServer;
  readonly recorded: readonly Bytes[];
}

async function perform(act: Act, { viewer, server, recorded }: Tools): Promise<void> {
  switch (act.do) {
    case "say":
      return server.say(act.to, act.message);
    case "repeat": {
      const message = recorded[act.which % recorded.length]!.slice();
      if (act.resume && message[0] === HANDSHAKE.commit) message[2] = MODE.resume;
      if (act.flip !== null) message[act.flip % message.length]! ^= 1;
      return server.inject(act.to, message);
    }
    case "invent":
      return server.inject(
        act.to,
        concat(new Uint8Array([act.type, 1]), randomBytes(act.length)).slice(0, act.length),
      );
    case "notice": {
      const { resumed } = viewer.kept;
      if (!resumed) throw new Error("Nothing was kept");
      const notice = await makeReloadNotice(resumed.resume);
      for (let i = 0; i < act.times; i++) server.inject(act.to, notice);
      return;
    }
    case "garbage":
      return server.say(act.to, { t: "relay", d: "AB" });
    case "close":
      return server.close(act.to, act.code);
    case "wait":
      return await settle(20);
    default:
      act satisfies never;
  }
}

async function talk(a: Person, b: Person): Promise<void> {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    const before = to.heard.length;
    await from.links[0]?.sendControl({ t: "more", n: 0 });
    await until(() => to.heard.length > before, "it was heard");
  }
}

const nothingChanges = fc.asyncProperty(
  fc.array(act, { minLength: 1, maxLength: 12 }),
  (acts) =>
    withEvilServer(async ({ sender, viewer, server }) => {
      const rtok = toBase64Url(randomBytes(32));
      // While a code is valid, a sender turns away visitors who prove nothing.
      server.say("S", { t: "created", exp: 600, rtok, code: "4821" });
      await until(() => sender.codes.length > 0, "the code is out");
      const recorded: Bytes[] = [];
      server.relay = (message) => {
        recorded.push(message);
        return [message];
      };
      server.introduce();
      await until(() => sender.bound && viewer.bound, "both are bound");
      await settle();
      server.relay = (message) => [message];
      for (const act of acts) await perform(act, { sender, viewer, server, recorded });
      await settle(40);
      const told = [sender, viewer].map((person) => ({
        links: person.links.length,
        replaced: person.replaced,
        ends: person.ends,
        failures: person.failures,
        turnedAway: person.turnedAway,
        peers: person.peers,
      }));
      const undisturbed = {
        links: 1,
        replaced: 0,
        ends: [],
        failures: [],
        turnedAway: [],
        peers: [true],
      };
      assertEquals(told, [undisturbed, undisturbed]);
      await talk(sender, viewer);
    }),
);

const SECRET = randomBytes(32);

const noNotice = fc.asyncProperty(
  fc.uint8Array({ maxLength: 2 * NOTICE_LENGTH }),
  fc.boolean(),
  async (bytes, looksRight) => {
    const message = new Uint8Array(bytes);
    if (looksRight) message.set([HANDSHAKE.reloaded, 1].slice(0, message.length));
    assertEquals(await verifyReloadNotice(SECRET, message), null);
  },
);

/** What a lying server can't do. */
export const LYING_SERVER_PROPERTIES: readonly Property[] = [{
  name: "verifyReloadNotice() takes nothing that the sender did not make, and never throws",
  runs: 500,
  property: noNotice,
}, {
  name: "whatever a server sends to two people who are bound, nothing changes between them",
  runs: 40,
  property: nothingChanges,
}];
