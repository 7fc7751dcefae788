/**
 * Who handles which control message: one exhaustive dispatch.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ByeReason, LastSeen, ViewerRequest } from "../protocol/control.ts";
import type { OpenedControl } from "../e2e/control_record.ts";
import type { Inbox } from "./inbox.ts";
import type { Outbox } from "./outbox.ts";
import type { OutgoingPicture } from "./outgoing_list.ts";

/** What messages mean that are about the session. */
export interface SessionMessages {
  /** The peer goes on after a reload of either page. */
  onBack(next: number, last: LastSeen | undefined): void;
  onKeep(on: boolean): void;
  onBye(why: ByeReason): void;
  onAbort(): void;
  /** The viewer asks for something that the owner can grant. */
  onRequest(picture: OutgoingPicture, request: ViewerRequest): void;
}

/** Everybody who handles messages. */
export interface Handlers {
  readonly outbox: Pick<Outbox, "report" | "request">;
  readonly inbox: Pick<Inbox, "announced" | "ended" | "unlock" | "revoked" | "extended">;
  readonly session: SessionMessages;
}

/**
 * Hands a control message of the peer to whoever handles it. Throws `ProtocolError` if its state
 * does not expect it.
 */
export async function dispatch(
  { message, plaintext }: OpenedControl,
  { outbox, inbox, session }: Handlers,
): Promise<void> {
  switch (message.t) {
    // From the owner of a picture.
    case "meta":
      return await inbox.announced(message, plaintext);
    case "end":
      return await inbox.ended(message.n, message.digest);
    case "key":
      plaintext.fill(0);
      return inbox.unlock(message.n, message.key);
    case "revoke":
      return inbox.revoked("all" in message ? null : message.n);
    case "extend":
      return inbox.extended(message.n, message.seconds);

    // From its viewer.
    case "got":
      return await outbox.report(message.n, { type: "got" });
    case "open":
      return await outbox.report(message.n, { type: "open", ask: false });
    case "shown": {
      const { n, still } = message;
      return await outbox.report(n, { type: "shown", ...(still === undefined ? {} : { still }) });
    }
    case "closed": {
      const { n, why, ms } = message;
      return await outbox.report(n, { type: "closed", why, ms });
    }
    case "abort": {
      const { n, code } = message;
      return n === undefined ? session.onAbort() : await outbox.report(n, { type: "abort", code });
    }
    case "more": {
      const picture = outbox.request(message.n, message.t);
      return picture === null ? undefined : session.onRequest(picture, message.t);
    }

    // About the session.
    case "back":
      return session.onBack(message.next, message.last);
    case "keep":
      return session.onKeep(message.on);
    case "bye":
      return session.onBye(message.why);
    default:
      return message satisfies never;
  }
}
