/**
 * What a connection needs after a reload of its page, and where it keeps that.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { Code } from "../e2e/code.ts";
import type { ResumeSecret } from "../e2e/handshake.ts";

/** Where a seat is, and the token that takes it back. */
export interface SeatMemo {
  /** The part of the URL after `/ws/`. */
  readonly path: string;
  readonly rtok: string;
  /**
   * The room's half of the key, 32 bytes in base64url. Absent if the server has none: then nothing
   * is kept.
   */
  readonly salt: string | undefined;
}

/** What a connection knows and needs after a reload. */
export interface KeptConnection {
  /** The share link's secret, or the code that the viewer entered. */
  readonly secret: Bytes | Code;
  /** Sender: the token that deletes the room, 32 bytes. */
  readonly owner: Bytes | null;
  /** Sender: the code that is valid now. */
  readonly code: Code | null;
  /** Sender: visitors who did not prove themselves. */
  readonly misses: number;
  /** Handshakes that were confirmed (sender) or answered (viewer), and led to no bound link. */
  readonly handshakes: number;
  /** The secret left by the last handshake in which the peer proved itself. */
  readonly resumed: ResumeSecret | null;
  /** The two were bound: nobody else is admitted. */
  readonly bound: boolean;
}

/** Keeps these for this tab. */
export interface ReloadStore {
  /** The seat was taken, or taken back with another token. */
  seated(memo: SeatMemo): void;
  /** Stores what changed. Resolves once a reloaded page would find it. */
  keep(changed: Partial<KeptConnection>): Promise<void>;
}
