/**
 * One run of the handshake, and the connection that results from it, for as long as it lasts.
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
import { MessageQueue } from "./message_queue.ts";
import { type Identity, Peer } from "./peer.ts";
import { type Frame, parseFrame } from "./relay_transport.ts";
import { type Health, Recovery } from "./recovery.ts";
import type { Route } from "./route.ts";
import { SecureLink } from "./secure_link.ts";
import type { SignalingClient } from "./signaling_client.ts";
import { StripedTransport, type StripeOptions } from "./striped_transport.ts";
import type { Trace } from "./trace.ts";
import type { AttemptedProof } from "./visitor_guard.ts";

/**
 * How long a viewer who starts over waits for another HELLO before answering the last one, in ms.
 * It covers a slow round trip.
 */
const SETTLE_MS = 1_000;

/** Where the room is, and the secret that opens it. */
export interface Address {
  /** The part of the URL after `/ws/`. */
  readonly path: string;
  readonly first: ClientMessage;
  /** The token that deletes the room, 32 bytes; only the sender has it. */
  readonly ownerToken: Bytes | null;
  readonly secret: LinkSecret | Code;
}

/** Everything that does not change between attempts. */
export interface AttemptContext {
  readonly address: Address;
  readonly kem: Kem;
  /** `null` if WebRTC is missing or disabled. */
  readonly identity: Identity | null;
  /** SHA-256 of its certificate; without a certificate, 32 random bytes, which bind to nothing. */
  readonly fingerprint: Bytes;
  readonly signaling: SignalingClient;
}

/** What an attempt handles in turn. */
type Incoming =
  | { readonly type: "message"; readonly message: Bytes }
  | { readonly type: "frame"; readonly frame: Frame }
  /** Viewer: no other HELLO arrived for a while. */
  | { readonly type: "settled" };

/** Whether this is of a connection, rather than of the handshake that leads to one. */
function isOfConnection(incoming: Incoming): boolean {
  switch (incoming.type) {
    case "message":
      return (incoming.message[0] ?? 0) >= HANDSHAKE.answer;
    case "frame":
      return true;
    case "settled":
      return false;
    default:
      return incoming satisfies never;
  }
}

/** Settings of an {@linkcode Attempt}. */
export interface AttemptOptions {
  readonly context: AttemptContext;
  /** The attempt whose connection is in use until this one's is. */
  readonly before: Attempt | null;
  /** Sender: the code that is valid now. */
  readonly code: Code | null;
  /**
   * The secret that an earlier handshake of this session left. A viewer who has one uses it as
   * proof.
   */
  readonly resumed: ResumeSecret | null;
  /** Sender: `resumed` is the only proof that is accepted. */
  readonly only: boolean;
  /** Viewer: there was an attempt before this one. */
  readonly settle: boolean;
  /** Viewer: called before each answer to a HELLO, which is sent only if this returns true. */
  readonly onAnswer: () => boolean;
  /** Sender: a proof of the code arrived and is not verified yet. */
  readonly onGuess: () => void;
  /**
   * Sender: a proof was right; `guessed` is true if it proved a code. Returning false stops the
   * attempt.
   */
  readonly onProved: (guessed: boolean) => boolean;
  /** The peer proved itself. The attempt continues once this resolves. */
  readonly onKeys: (keys: SessionKeys) => Promise<void>;
  /** The ICE servers that the server named last; `null` if their credentials have expired. */
  readonly iceServers: () => readonly IceServer[] | null;
  readonly relayOnly: boolean;
  /** Whether the server relays encrypted records. */
  readonly mayRelay: boolean;
  readonly trace: Trace;
  /** The secure link is bound: see {@linkcode Attempt.link}. */
  readonly onBound: () => void;
  readonly onRoute: (route: Route) => void;
  /** Whether the peer answers on the bound link, each time that this may have changed. */
  readonly onHealth: (health: Health) => void;
  readonly onFailed: (why: "network" | "verification") => void;
}

/** True if one of the servers is a TURN server. */
export function hasTurn(servers: readonly IceServer[]): boolean {
  return servers.some(({ urls }) => urls.some((url) => url.startsWith("turn")));
}

/** One run of the handshake, and the connection that results from it. */
export class Attempt {
  readonly #role: Role;
  readonly #options: AttemptOptions;
  #peer: Peer | null = null;
  /** Set once both sides have proved themselves. */
  #recovery: Recovery | null = null;
  #viewer: ViewerHandshake | null = null;
  #sender: SenderHandshake | null = null;
  readonly #queue: MessageQueue<Incoming>;
  /** The connection that messages are for as long as this attempt has no keys. */
  #before: Attempt | null;
  /** Viewer: the last HELLO that arrived, and whether one was answered. */
  #hello: Bytes | null = null;
  #greeted = false;
  #over = false;

  constructor(role: Role, options: AttemptOptions) {
    this.#role = role;
    this.#options = options;
    this.#before = options.before;
    this.#queue = new MessageQueue(
      this.#guard(() => this.#begin()),
      (incoming) => this.#guard(() => this.#handle(incoming)),
    );
  }

  /** What the viewer uses as proof, as far as they have said. */
  attemptedProof: AttemptedProof = "silence";

  /** Sender: this viewer's proof of a code has been counted as a guess. */
  spent = false;

  /**
   * True once both sides have proved that they know the secret, and while a route between them is
   * sought or in use.
   */
  get confirmed(): boolean {
    return this.#recovery !== null;
  }

  /** The secure link, once there is one. */
  get link(): SecureLink | null {
    return this.#recovery?.link ?? null;
  }

  /**
   * Takes the next relayed message. Whether it is for this attempt or for the connection in use
   * shows when it is its turn: by then everything that was sent before it has been read.
   */
  receive(message: Bytes): void {
    this.#queue.push({ type: "message", message });
  }

  /** Takes a frame of the encrypted relay, after the messages that arrived before it. */
  receiveFrame(bytes: Bytes): void {
    const frame = parseFrame(bytes);
    if (frame !== null) this.#queue.push({ type: "frame", frame });
  }

  /** Sets whether both sides are in their seats. */
  setReachable(reachable: boolean): void {
    this.#recovery?.setReachable(reachable);
  }

  /** A message sent over the server reached nobody. */
  undelivered(): void {
    this.#recovery?.undelivered();
  }

  /** The server, or the peer's seat there, is gone for good. */
  seatGone(): void {
    this.#recovery?.seatGone();
  }

  /**
   * Gives up a connection that is not bound, and stops recovering a secure link that is.
   * Idempotent.
   */
  close(): void {
    this.#over = true;
    this.#peer?.close();
    this.#sender?.end();
    this.#recovery?.close();
    for (const incoming of this.#queue.takeBack()) this.#passBack(incoming);
  }

  /** Passes on what is for the connection in use. Returns false if there is none. */
  #passBack(incoming: Incoming): boolean {
    if (this.#before === null || !isOfConnection(incoming)) return false;
    this.#before.#queue.push(incoming);
    return true;
  }

  async #handle(incoming: Incoming): Promise<void> {
    if (this.#recovery === null && this.#passBack(incoming)) return;
    switch (incoming.type) {
      case "message":
        return await this.#step(incoming.message);
      case "frame":
        return this.#recovery?.receiveFrame(incoming.frame);
      case "settled":
        if (this.#viewer !== null && this.#hello !== null) {
          await this.#greet(this.#viewer, this.#hello);
        }
        return;
      default:
        incoming satisfies never;
    }
  }

  async #begin(): Promise<void> {
    const { context: { address: { secret }, fingerprint, kem }, code, resumed, only } =
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
    if (this.#recovery !== null) return await this.#follow(this.#recovery, message);
    // Meant for this page before its reload, from a peer that has not noticed the reload yet. There
    // is no connection to recover.
    if (message[0] === HANDSHAKE.repair) return;
    if (this.#sender !== null) return await this.#stepSender(this.#sender, message);
    if (this.#viewer !== null) return await this.#stepViewer(this.#viewer, message);
  }

  async #stepSender(handshake: SenderHandshake, message: Bytes): Promise<void> {
    if (message[0] === HANDSHAKE.commit) {
      this.attemptedProof = message[2] === MODE.code ? "code" : "link";
      return this.#send(await handshake.receiveCommit(message));
    }
    if (this.attemptedProof === "code") {
      // Counted before it is verified: neither a new M1 nor a server that reports the visitor gone
      // may make a wrong guess free.
      this.spent = true;
      this.#options.onGuess();
    }
    const keys = await handshake.receiveHello(message);
    // A right guess that was cut short must look like a wrong one.
    if (this.#over || !this.#options.onProved(this.spent)) return;
    await this.#options.onKeys(keys);
    if (this.#over) return;
    const recovery = this.#connect(keys);
    const peer = this.#peer;
    if (peer === null) this.#send(await handshake.confirm(""));
    else await peer.offer((sdp) => handshake.confirm(sdp));
    recovery.begin(peer);
  }

  async #stepViewer(handshake: ViewerHandshake, message: Bytes): Promise<void> {
    if (message[0] === HANDSHAKE.helloS && !this.#greeted) {
      if (!this.#options.settle) return await this.#greet(handshake, message);
      // The sender may have sent this HELLO for an earlier attempt, before learning that the viewer
      // abandoned it. The HELLO of this attempt then follows.
      if (this.#hello === null) {
        setTimeout(() => this.#queue.push({ type: "settled" }), SETTLE_MS);
      }
      this.#hello = message;
      return;
    }
    // Left over from an earlier attempt, which the sender abandoned at the same moment.
    const leftOver = message[0] === HANDSHAKE.offer || message[0] === HANDSHAKE.candidate;
    if (!this.#greeted && leftOver) return;
    if (message[0] === HANDSHAKE.helloS) throw new ProtocolError();
    const { keys, offer } = await handshake.receiveConfirmation(message);
    if (this.#over) return;
    await this.#options.onKeys(keys);
    if (this.#over) return;
    const recovery = this.#connect(keys);
    // The sender can't connect directly, and its next message says what it does instead.
    if (offer === "") {
      this.#peer?.close();
      this.#peer = null;
    }
    recovery.begin(this.#peer);
    if (this.#peer !== null) await this.#peer.answer(offer);
    else if (offer !== "") this.#send(await keys.signalSealer.seal(HANDSHAKE.answer, ""));
  }

  /**
   * Takes a message after both sides have proved themselves. Once the secure link is bound, invalid
   * messages do not affect it. Neither do invalid messages of recovery before: the peer may have
   * sent them for the connection that this one replaces.
   */
  async #follow(recovery: Recovery, message: Bytes): Promise<void> {
    const ofRecovery = message[0] === HANDSHAKE.repair;
    try {
      if (ofRecovery) return await recovery.receive(message);
      await this.#peer?.receive(message);
    } catch (error) {
      if (!recovery.bound && !ofRecovery) throw error;
    }
  }

  async #greet(handshake: ViewerHandshake, helloS: Bytes): Promise<void> {
    this.#greeted = true;
    if (this.#options.onAnswer()) this.#send(await handshake.receiveHello(helloS));
  }

  #connect(keys: SessionKeys): Recovery {
    const { context, relayOnly, trace, mayRelay, onFailed } = this.#options;
    const { identity, signaling } = context;
    const iceServers = this.#options.iceServers() ?? [];
    // Whoever proved themselves just now is not at the other end of that connection any more.
    this.#before?.close();
    this.#before = null;
    const recovery = this.#recovery = new Recovery({
      keys,
      mayRelay: () => mayRelay,
      say: (message) => this.#send(message),
      pass: (frame) => signaling.data(toBase64Url(frame)),
      iceServers: this.#options.iceServers,
      renew: () => signaling.renew(),
      onBound: this.#options.onBound,
      onBroken: () => onFailed("verification"),
      onRoute: this.#options.onRoute,
      onHealth: this.#options.onHealth,
    });
    if (identity === null || (relayOnly && !hasTurn(iceServers))) return recovery;
    const common = { identity, iceServers, relayOnly };
    this.#peer = new Peer({
      ...common,
      keys,
      trace,
      send: (message) => this.#send(message),
      onBound: (first) => {
        const connect = (options: StripeOptions) => new Peer({ ...common, ...options });
        const transport = new StripedTransport({ first, keys, connect });
        recovery.connected(new SecureLink({ keys, transport }));
      },
      onCandidate: (text) => recovery.found(text),
      onFailed: (why) => {
        if (why === "protocol") onFailed("verification");
        else this.#notDirect(recovery);
      },
    });
    return recovery;
  }

  #notDirect(recovery: Recovery): void {
    if (!recovery.failed()) this.#options.onFailed("network");
  }

  #send(message: Bytes): void {
    if (!this.#over) this.#options.context.signaling.relay(toBase64Url(message));
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
