/**
 * A connector whose owner only writes down what it is told.
 *
 * @module
 */
import {
  type Claim,
  type ConnectFailure,
  Connector,
  type ConnectorHandlers,
} from "../../lib/net/connector.ts";
import type { SecureLink } from "../../lib/net/secure_link.ts";
import type { Code } from "../../lib/e2e/code.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { STEADY } from "./keys.ts";

/** A connector and everything that it told its owner. */
export class Person implements Disposable {
  readonly connector: Connector;
  readonly links: SecureLink[] = [];
  readonly failures: ConnectFailure[] = [];
  readonly peers: boolean[] = [];
  readonly contacts: boolean[] = [];
  readonly codes: (string | null)[] = [];
  readonly turnedAway: Claim[] = [];
  readonly secret: Bytes;
  seated = 0;

  constructor(role: Role, secret: Bytes | Code, server: string) {
    this.secret = secret instanceof Uint8Array ? secret.slice() : new Uint8Array(0);
    const handlers: ConnectorHandlers = {
      onSeated: () => void this.seated++,
      onContact: (contact) => void this.contacts.push(contact),
      onPeer: (here) => void this.peers.push(here),
      onCode: (code) => void this.codes.push(code),
      onTurnedAway: (claim) => void this.turnedAway.push(claim),
      onBound: (link) => {
        this.links.push(link);
        link.listen({ ...STEADY, onControl: () => {}, onRecord: () => {}, onEnd: () => {} });
      },
      onFailed: (why) => void this.failures.push(why),
    };
    this.connector = new Connector({
      role,
      secret: secret instanceof Uint8Array ? this.secret : secret,
      server,
      handlers,
    });
  }

  get bound(): boolean {
    return this.links.length > 0;
  }

  [Symbol.dispose](): void {
    this.connector.end();
  }
}
