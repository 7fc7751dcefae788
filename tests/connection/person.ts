/**
 * A connection whose owner only records what it is told.
 *
 * @module
 */
import type { ConnectFailure } from "../../lib/connection/connection_state.ts";
import { Connection, type ConnectionHandlers } from "../../lib/connection/connection.ts";
import type { KeptConnection, SeatMemo } from "../../lib/connection/kept_connection.ts";
import type { Route } from "../../lib/connection/route.ts";
import type { SecureLink } from "../../lib/connection/secure_link.ts";
import type { AttemptedProof } from "../../lib/connection/visitor_guard.ts";
import type { Code } from "../../lib/e2e/code.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { asSide } from "../support/slow_crypto.ts";
import { STEADY } from "./keys.ts";

/** A connection and everything that it told its owner. */
export class Person implements Disposable {
  readonly connection: Connection;
  readonly role: Role;
  readonly links: SecureLink[] = [];
  readonly failures: ConnectFailure[] = [];
  readonly peers: boolean[] = [];
  readonly contacts: boolean[] = [];
  readonly codes: (string | null)[] = [];
  readonly turnedAway: AttemptedProof[] = [];
  readonly routes: Route[] = [];
  readonly secret: Bytes;
  seated = 0;
  /** Messages from the other side, and the records that it sent, over any transport. */
  readonly heard: ControlMessage[] = [];
  readonly records: Bytes[] = [];
  readonly ends: string[] = [];
  /** How often the link changed its transport. */
  resumed = 0;

  /** How often a link was replaced. */
  replaced = 0;
  /** What the page after a reload would find. */
  kept: Partial<KeptConnection> = {};
  memo: SeatMemo | null = null;

  /**
   * `relay`: the page was told in advance that the server relays encrypted records. `before`: what
   * this page kept before its reload.
   */
  constructor(role: Role, secret: Bytes | Code, server: string, relay = false, before?: Person) {
    this.role = role;
    this.secret = secret instanceof Uint8Array ? secret.slice() : new Uint8Array(0);
    const handlers: ConnectionHandlers = {
      onReplaced: () => {
        this.replaced++;
        this.links.at(-1)?.drop();
      },
      onSeated: () => void this.seated++,
      onContact: (contact) => void this.contacts.push(contact),
      onPeer: (here) => void this.peers.push(here),
      onCode: (code) => void this.codes.push(code),
      onTurnedAway: (claim) => void this.turnedAway.push(claim),
      onBound: (link) => {
        this.links.push(link);
        link.listen({
          ...STEADY,
          onControl: ({ message }) => void this.heard.push(message),
          onRecord: (record) => void this.records.push(record),
          onResume: () => void this.resumed++,
          onEnd: (why) => void this.ends.push(why),
        });
      },
      onRoute: (route) => void this.routes.push(route),
      onFailed: (why) => void this.failures.push(why),
    };
    this.connection = new Connection({
      role,
      secret: secret instanceof Uint8Array ? this.secret : secret,
      server,
      relay,
      handlers,
      store: {
        seated: (memo) => {
          this.memo = memo;
        },
        keep: (changed) => {
          this.kept = { ...this.kept, ...structuredClone(changed) };
          return Promise.resolve();
        },
      },
      ...(before === undefined ? {} : { kept: before.#left() }),
    });
  }

  /** Starts the connection, as the page of its side. */
  start(): Promise<void> {
    return asSide(this.role, () => this.connection.start());
  }

  /** The page is gone, without a goodbye: its connection is closed, and its socket. */
  vanish(): void {
    for (const link of this.links) link.drop();
  }

  get bound(): boolean {
    return this.links.length > 0;
  }

  #left(): KeptConnection & { rtok: string } {
    const nothing = {
      owner: null,
      code: null,
      misses: 0,
      handshakes: 0,
      resumed: null,
      bound: false,
    };
    const { secret } = this.kept;
    if (secret === undefined || this.memo === null) throw new Error("Nothing was kept");
    return { ...nothing, ...this.kept, secret, rtok: this.memo.rtok };
  }

  [Symbol.dispose](): void {
    this.connection.end();
  }
}
