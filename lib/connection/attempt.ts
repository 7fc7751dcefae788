/**
 * One run of the handshake, and the connection that comes of it for as long as it lasts.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, toBase64Url } from "../protocol/bytes.ts";
import { HANDSHAKE, MODE } from "../protocol/handshake.ts";
import type { ClientMessage, IceServer } from "../protocol/signaling.ts";
import type { Code } from "../e2e/code.ts";
import {
  type LinkSecret,
  type ResumeSecret,
  SenderHandshake,
  type SessionKeys,
  ViewerHandshake,
} from "../e2e/handshake.ts";
import type { Kem } from "../e2e/kem.ts";
import { ProtocolError } from "../e2e/suite.ts";
import type { Role } from "../e2e/transcript.ts";
import { type Identity, Peer } from "./peer.ts";
import { parseFrame } from "./relay_transport.ts";
import { Repair } from "./recovery.ts";
import type { Route } from "./route.ts";
import { SecureLink } from "./secure_link.ts";
import type { SignalingClient } from "./signaling_client.ts";
import { StripedTransport, type StripeOptions } from "./striped_transport.ts";
import type { Trace } from "./trace.ts";

/**
 * How long a viewer who starts over waits for a second HELLO before he answers the last one, in
 * milliseconds: a slow round trip.
 */
const SETTLE_MS = 1_000;

/** By what somebody tried to get in: a link, a code, or nothing that he ever showed. */
export type Claim = "link" | "code" | "silence";

/** Where the room is and what opens it. */
export interface Address {
  /** What stands behind `/ws/`. */
  readonly path: string;
  readonly first: ClientMessage;
  /** What ends the room, 32 bytes; the sender's alone. */
  readonly ownerToken: Bytes | null;
  readonly secret: LinkSecret | Code;
}

/** Everything that does not change between attempts. */
export interface Ground {
  readonly address: Address;
  readonly kem: Kem;
  /** `null` where WebRTC is missing, or switched off. */
  readonly identity: Identity | null;
  /** SHA-256 of its certificate; without one 32 random bytes, which bind to nothing. */
  readonly fingerprint: Bytes;
  readonly signaling: SignalingClient;
}

/** Settings of an {@linkcode Attempt}. */
export interface AttemptOptions {
  readonly ground: Ground;
  /** Sender: the code that is out. */
  readonly code: Code | null;
  /** What an earlier handshake of this session left. The viewer comes by it where there is one. */
  readonly resumed: ResumeSecret | null;
  /** Sender: by nothing else may anybody come. */
  readonly only: boolean;
  /** Viewer: there was an attempt before this one. */
  readonly settle: boolean;
  /** Viewer: asked before each answer to a HELLO. */
  readonly onAnswer: () => boolean;
  /** Sender: a proof of the code came, right or wrong. */
  readonly onGuess: () => void;
  /** Sender: it was right. False where it is not to go on all the same. */
  readonly onProved: (guessed: boolean) => boolean;
  /** The other side proved itself. What comes next waits for it. */
  readonly onKeys: (keys: SessionKeys) => Promise<void>;
  /** What the server named last; `null` where that is too old to be used. */
  readonly iceServers: () => readonly IceServer[] | null;
  readonly relayOnly: boolean;
  /** The server passes encrypted records on. */
  readonly mayRelay: boolean;
  readonly trace: Trace;
  readonly onBound: (link: SecureLink) => void;
  readonly onRoute: (route: Route) => void;
  readonly onFailed: (why: "network" | "verification") => void;
}

/** True where one of them is a TURN relay. */
export function hasTurn(servers: readonly IceServer[]): boolean {
  return servers.some(({ urls }) => urls.some((url) => url.startsWith("turn")));
}

/** One run of the handshake and the connection behind it. */
export class Attempt {
  readonly #role: Role;
  readonly #options: AttemptOptions;
  #peer: Peer | null = null;
  /** There once both sides proved themselves. */
  #repair: Repair | null = null;
  #viewer: ViewerHandshake | null = null;
  #sender: SenderHandshake | null = null;
  #turn: Promise<void>;
  /** Viewer: the last HELLO that came, and whether it was answered. */
  #hello: Bytes | null = null;
  #greeted = false;
  #over = false;

  constructor(role: Role, options: AttemptOptions) {
    this.#role = role;
    this.#options = options;
    this.#turn = this.#guard(() => this.#begin());
  }

  /** By what the viewer comes, as far as he said. */
  claim: Claim = "silence";

  /** Sender: this viewer's proof of a code has cost a guess. */
  spent = false;

  /**
   * True when both sides proved that they know the link or the code, and a way through is looked
   * for, or there.
   */
  get confirmed(): boolean {
    return this.#repair !== null;
  }

  /** Takes the next relayed message; they are worked off one at a time. */
  receive(message: Bytes): void {
    this.#turn = this.#turn.then(() => this.#guard(() => this.#step(message)));
  }

  /** Takes a frame of the encrypted relay, behind the messages that came before it. */
  receiveFrame(bytes: Bytes): void {
    const frame = parseFrame(bytes);
    if (frame === null) return;
    this.#turn = this.#turn.then(() => this.#repair?.receiveFrame(frame));
  }

  /** Says whether both are in their seats. */
  setReachable(reachable: boolean): void {
    this.#repair?.setReachable(reachable);
  }

  /** Something that was passed on reached nobody. */
  mislaid(): void {
    this.#repair?.mislaid();
  }

  /** The server, or the other one's seat there, is gone for good. */
  abandon(): void {
    this.#repair?.abandon();
  }

  /** Gives up what is not bound, and does nothing more for a link that is. Idempotent. */
  close(): void {
    this.#over = true;
    this.#peer?.close();
    this.#sender?.end();
    this.#repair?.close();
  }

  async #begin(): Promise<void> {
    const { ground: { address: { secret }, fingerprint, kem }, code, resumed, only } =
      this.#options;
    if (this.#role === "R") {
      this.#viewer = await ViewerHandshake.start({ secret: resumed ?? secret, fingerprint, kem });
      this.#send(this.#viewer.commit);
    } else if ("psk" in secret) {
      const known = { link: secret, code, resumed, only };
      this.#sender = await SenderHandshake.start({ ...known, fingerprint, kem });
    }
  }

  async #step(message: Bytes): Promise<void> {
    if (this.#repair !== null) return await this.#follow(this.#repair, message);
    // For the page that was here before, from who does not know yet that it is gone: nothing is
    // connected that could be repaired.
    if (message[0] === HANDSHAKE.repair) return;
    if (this.#sender !== null) return await this.#stepSender(this.#sender, message);
    if (this.#viewer !== null) return await this.#stepViewer(this.#viewer, message);
  }

  async #stepSender(handshake: SenderHandshake, message: Bytes): Promise<void> {
    if (message[0] === HANDSHAKE.commit) {
      this.claim = message[2] === MODE.code ? "code" : "link";
      return this.#send(await handshake.receiveCommit(message));
    }
    if (this.claim === "code") {
      // Counted before it is looked at: a new M1, or a server that says that he went, must not make
      // a wrong guess free.
      this.spent = true;
      this.#options.onGuess();
    }
    const keys = await handshake.receiveHello(message);
    // A right guess that was cut short must not show either.
    if (this.#over || !this.#options.onProved(this.spent)) return;
    await this.#options.onKeys(keys);
    if (this.#over) return;
    const repair = this.#connect(keys);
    const peer = this.#peer;
    if (peer === null) this.#send(await handshake.confirm(""));
    else await peer.offer((sdp) => handshake.confirm(sdp));
    repair.begin(peer);
  }

  async #stepViewer(handshake: ViewerHandshake, message: Bytes): Promise<void> {
    if (message[0] === HANDSHAKE.helloS && !this.#greeted) {
      if (!this.#options.settle) return await this.#greet(handshake, message);
      // It may be the answer to the attempt before this one, which the sender could not know to be
      // over; then the right one is on its way behind it.
      if (this.#hello === null) setTimeout(() => this.#settled(handshake), SETTLE_MS);
      this.#hello = message;
      return;
    }
    // Left over from an attempt before this one, which the sender gave up in the same moment.
    const leftOver = message[0] === HANDSHAKE.offer || message[0] === HANDSHAKE.candidate;
    if (!this.#greeted && leftOver) return;
    if (message[0] === HANDSHAKE.helloS) throw new ProtocolError();
    const { keys, offer } = await handshake.receiveConfirmation(message);
    if (this.#over) return;
    await this.#options.onKeys(keys);
    if (this.#over) return;
    const repair = this.#connect(keys);
    // She can't connect directly, and says what she does instead.
    if (offer === "") {
      this.#peer?.close();
      this.#peer = null;
    }
    repair.begin(this.#peer);
    if (this.#peer !== null) await this.#peer.answer(offer);
    else if (offer !== "") this.#send(await keys.signalSealer.seal(HANDSHAKE.answer, ""));
  }

  /**
   * What comes once both proved themselves. Whoever is bound already takes no harm from what he
   * can't use.
   */
  async #follow(repair: Repair, message: Bytes): Promise<void> {
    try {
      if (message[0] === HANDSHAKE.repair) return await repair.receive(message);
      await this.#peer?.receive(message);
    } catch (error) {
      if (!repair.bound) throw error;
    }
  }

  #settled(handshake: ViewerHandshake): void {
    const hello = this.#hello;
    if (hello === null) return;
    this.#turn = this.#turn.then(() => this.#guard(() => this.#greet(handshake, hello)));
  }

  async #greet(handshake: ViewerHandshake, helloS: Bytes): Promise<void> {
    this.#greeted = true;
    if (this.#options.onAnswer()) this.#send(await handshake.receiveHello(helloS));
  }

  #connect(keys: SessionKeys): Repair {
    const { ground, relayOnly, trace, mayRelay, onFailed } = this.#options;
    const { identity, signaling } = ground;
    const iceServers = this.#options.iceServers() ?? [];
    const repair = this.#repair = new Repair({
      keys,
      mayRelay: () => mayRelay,
      say: (message) => this.#send(message),
      pass: (frame) => signaling.data(toBase64Url(frame)),
      iceServers: this.#options.iceServers,
      renew: () => signaling.renew(),
      onBound: this.#options.onBound,
      onBroken: () => onFailed("verification"),
      onRoute: this.#options.onRoute,
    });
    if (identity === null || (relayOnly && !hasTurn(iceServers))) return repair;
    const common = { identity, iceServers, relayOnly };
    this.#peer = new Peer({
      ...common,
      keys,
      trace,
      send: (message) => this.#send(message),
      onBound: (first) => {
        const connect = (options: StripeOptions) => new Peer({ ...common, ...options });
        const transport = new StripedTransport({ first, keys, connect });
        repair.connected(new SecureLink({ keys, transport }));
      },
      onCandidate: (text) => repair.found(text),
      onFailed: (why) => {
        if (why === "protocol") onFailed("verification");
        else this.#notDirect(repair);
      },
    });
    return repair;
  }

  #notDirect(repair: Repair): void {
    if (!repair.failed()) this.#options.onFailed("network");
  }

  #send(message: Bytes): void {
    if (!this.#over) this.#options.ground.signaling.relay(toBase64Url(message));
  }

  async #guard(run: () => Promise<void>): Promise<void> {
    if (this.#over) return;
    try {
      await run();
    } catch (error) {
      if (this.#over) return;
      this.close();
      this.#options.onFailed(error instanceof ProtocolError ? "verification" : "network");
    }
  }
}
