/**
 * What a connection would need if its page was loaded again, and where it leaves that.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { Code } from "../e2e/code.ts";
import type { ResumeSecret } from "../e2e/handshake.ts";

/** Where a seat is, and with what it is taken back. */
export interface SeatMemo {
  /** What stands behind `/ws/`. */
  readonly path: string;
  readonly rtok: string;
  /**
   * The room's half of the key, 32 bytes in base64url; absent where the server has none: then
   * nothing is kept.
   */
  readonly salt: string | undefined;
}

/** What a connection knows, and the page after this one would have to. */
export interface KeptConnection {
  /** The link's secret, or the code that a viewer was told. */
  readonly secret: Bytes | Code;
  /** Sender: what ends the room, 32 bytes. */
  readonly owner: Bytes | null;
  /** Sender: the code that is out. */
  readonly code: Code | null;
  /** Sender: visitors who did not prove themselves. */
  readonly misses: number;
  /** What the last handshake left that came so far. */
  readonly resumed: ResumeSecret | null;
  /** Both were bound: nobody else may come. */
  readonly bound: boolean;
}

/** Keeps it for this tab. */
export interface Keeper {
  /** The seat was taken, or taken back with another token. */
  seated(memo: SeatMemo): void;
  /** Takes note of what changed. Resolves once it would be found again. */
  keep(changed: Partial<KeptConnection>): Promise<void>;
}
