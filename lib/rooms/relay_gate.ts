/**
 * Opens the encrypted relay of a room only after as much of a handshake passed through the server
 * as an honest one needs. The server can't verify a handshake; whoever imitates one still has the
 * budget of a client.
 *
 * @module
 */
import { LruCache } from "@std/cache/lru-cache";
import { fromBase64Url } from "../protocol/bytes.ts";
import {
  COMMIT_LENGTH,
  HANDSHAKE,
  HELLO_S_LENGTH,
  M3_LENGTH,
  SHARE_LENGTH,
} from "../protocol/handshake.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import { MAX_KEYS } from "../ops/rate_limits.ts";
import type { Seat } from "./room.ts";

/**
 * How far a room's relay is open. `repaired`: only M7 was seen. Two who are bound and lost their
 * server, or were moved to another instance, begin with it; without a handshake they get a share of
 * the rate.
 */
export type Opening = "closed" | "repaired" | "open";

/** The messages M1 to M4 in order: who sends each, and how long it may be. */
const STEPS: readonly {
  readonly type: number;
  readonly from: Seat;
  readonly fits: (length: number) => boolean;
}[] = [
  { type: HANDSHAKE.commit, from: "viewer", fits: (length) => length === COMMIT_LENGTH },
  {
    type: HANDSHAKE.helloS,
    from: "sender",
    fits: (length) => length === HELLO_S_LENGTH || length === HELLO_S_LENGTH + SHARE_LENGTH,
  },
  {
    type: HANDSHAKE.helloR,
    from: "viewer",
    fits: (length) => length === M3_LENGTH || length === M3_LENGTH + SHARE_LENGTH,
  },
  { type: HANDSHAKE.offer, from: "sender", fits: (length) => length >= SHORTEST_OFFER },
];

/** Bytes of M4 and of M7 around what they seal: type and version, macS or a number, and a tag. */
const SHORTEST_OFFER = 2 + 32 + 16;
const SHORTEST_REPAIR = 2 + 4 + 16;

interface Seen {
  /** How many of STEPS passed, one after the other. */
  readonly steps: number;
  readonly repaired: boolean;
}

const NOTHING: Seen = { steps: 0, repaired: false };

/**
 * What passed in each room, as this process saw it. The room used longest ago is evicted first; by
 * then it has usually ended.
 */
export class RelayGate {
  readonly #rooms = new LruCache<string, Seen>(MAX_KEYS);

  /** How far the relay of `room` is open. */
  opening(room: string): Opening {
    const { steps, repaired } = this.#rooms.get(room) ?? NOTHING;
    if (steps === STEPS.length) return "open";
    return repaired ? "repaired" : "closed";
  }

  /**
   * A message of signaling was sent to the other seat, or came from there; with several instances
   * each sees one of the two. Seeing it twice is harmless.
   */
  saw(room: string, from: Seat, d: string): void {
    const seen = this.#rooms.get(room) ?? NOTHING;
    if (seen.steps === STEPS.length) return;
    const bytes = fromBase64Url(d);
    if (bytes === null || bytes[1] !== PROTOCOL_VERSION) return;
    const [type] = bytes;
    if (type === HANDSHAKE.repair && from === "sender" && bytes.length >= SHORTEST_REPAIR) {
      this.#rooms.set(room, { ...seen, repaired: true });
    }
    const index = STEPS.findIndex((step) => step.type === type);
    const step = STEPS[index];
    if (step === undefined || step.from !== from || !step.fits(bytes.length)) return;
    // With M1 a viewer starts over, at any time.
    if (index === 0 || index === seen.steps) this.#rooms.set(room, { ...seen, steps: index + 1 });
  }

  /** The room ended. */
  forget(room: string): void {
    this.#rooms.delete(room);
  }
}
