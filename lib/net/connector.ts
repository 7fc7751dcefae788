/**
 * From a link to a bound connection: seat, handshake, WebRTC. Whenever both seats are filled and nothing is bound, the
 * viewer starts a handshake; a lost socket, a reload of the server or a second try are all repaired by starting over.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, fromBase64Url, toBase64Url } from "../protocol/bytes.ts";
import { HANDSHAKE } from "../protocol/handshake.ts";
import { CONNECT_TIMEOUT_MS, MAX_TTL_S } from "../protocol/limits.ts";
import type { GoneReason, IceServer, ServerMessage } from "../protocol/signaling.ts";
import { SenderHandshake, type SessionKeys, ViewerHandshake } from "../e2e/handshake.ts";
import { type Kem, loadKem } from "../e2e/kem.ts";
import { deriveRoom, type RoomSecrets } from "../e2e/link.ts";
import { ProtocolError, randomBytes, sha256, wipe } from "../e2e/suite.ts";
import type { Role } from "../e2e/transcript.ts";
import { createIdentity, type Identity, Peer } from "./peer.ts";
import type { SecureLink } from "./secure_link.ts";
import { SignalingClient, type SignalingEnd } from "./signaling_client.ts";

/** Why no connection came about, or why the room ended before one did. */
export type ConnectFailure =
  | Exclude<SignalingEnd, "gone">
  | `room_${GoneReason}`
  | "network"
  | "timeout"
  | "verification"
  /** WebRTC is there but switched off, by policy or by lockdown mode. */
  | "no_webrtc";

/** What the owner of a connector is told. */
export interface ConnectorHandlers {
  /** The seat is taken; the sender's link works from now on. */
  onSeated(): void;
  /** Contact with the server was lost or is back. */
  onContact(contact: boolean): void;
  /** The other one is here, or went before anything was bound. */
  onPeer(here: boolean): void;
  /** Bound: listen on the link at once. Called once at most. */
  onBound(link: SecureLink): void;
  /** Called once at most, and never after `onBound`. */
  onFailed(why: ConnectFailure): void;
}

/** Settings of a {@linkcode Connector}. */
export interface ConnectorOptions {
  readonly role: Role;
  /** The link's secret, 32 bytes. Overwritten by `end()`. */
  readonly secret: Bytes;
  /** `ws(s)://host`, without a path. */
  readonly server: string;
  readonly handlers: ConnectorHandlers;
}

/** Everything that does not change between attempts. */
interface Ground {
  readonly room: RoomSecrets;
  readonly ownerToken: Bytes;
  readonly kem: Kem;
  readonly identity: Identity;
  readonly signaling: SignalingClient;
}

/** Connects one side of a session. */
export class Connector {
  readonly #options: ConnectorOptions;
  #ground: Ground | null = null;
  #iceServers: readonly IceServer[] = [];
  #attempt: Attempt | null = null;
  #bound = false;
  #over = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Takes the seat and goes on by itself from there. WebRTC and WebCrypto have to be there. */
  async start(): Promise<void> {
    const { role, secret, server, handlers } = this.#options;
    const [room, kem, identity] = await Promise.all([
      deriveRoom(secret),
      // Its fallback is a script of the server's.
      loadKem().catch(() => null),
      createIdentity().catch(() => null),
    ]);
    if (kem === null) return this.#fail("unreachable");
    if (identity === null) return this.#fail("no_webrtc");
    const ownerToken = randomBytes(32);
    const [own, join] = await Promise.all([sha256(ownerToken), sha256(room.jtok)]);
    // Ended meanwhile: `end` had nothing of this to overwrite yet.
    if (this.#over) return wipe(room.psk, ownerToken);
    const first = role === "S"
      ? { t: "create", own: toBase64Url(own), join: toBase64Url(join), ttl: MAX_TTL_S } as const
      : { t: "join", tok: toBase64Url(room.jtok) } as const;
    const signaling = new SignalingClient({
      url: `${server}/ws/${toBase64Url(room.rid)}`,
      first,
      handlers: {
        onMessage: (message) => this.#receive(message),
        onContact: (contact) => handlers.onContact(contact),
        onEnd: (why) => this.#signalingEnded(why),
      },
    });
    this.#ground = { room, ownerToken, kem, identity, signaling };
  }

  /** Ends the seat, and the whole room when this is its sender. Idempotent; nothing is called afterwards. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    if (!this.#bound) this.#attempt?.close();
    wipe(this.#options.secret);
    const ground = this.#ground;
    if (ground === null) return;
    this.#ground = null;
    ground.signaling.end(
      this.#options.role === "S"
        ? { t: "delete", otok: toBase64Url(ground.ownerToken) }
        : { t: "leave" },
    );
    wipe(ground.ownerToken, ground.room.psk);
  }

  #receive(message: ServerMessage): void {
    const { handlers } = this.#options;
    switch (message.t) {
      case "created":
      case "joined":
        // What was under way is half lost: it begins anew, and what the old attempt still says would only confuse.
        if (!this.#bound) this.#drop();
        return handlers.onSeated();
      case "peer":
        return this.#peerChanged(message.up);
      case "relay":
        return this.#relayed(message.d);
      case "ice":
        this.#iceServers = message.servers;
        return;
      case "gone":
        return this.#fail(`room_${message.why}`);
      case "err":
      case "ping":
        return;
      default:
        message satisfies never;
    }
  }

  #peerChanged(here: boolean): void {
    // Once bound, the two know of each other better than the server does.
    if (this.#bound) return;
    this.#drop();
    this.#options.handlers.onPeer(here);
    // The viewer begins, and gives up: a sender goes on waiting, for him or for his next try.
    if (!here || this.#options.role === "S") return;
    this.#restart();
    this.#timer = setTimeout(() => {
      this.#fail(this.#attempt?.confirmed === true ? "network" : "timeout");
    }, CONNECT_TIMEOUT_MS);
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#attempt?.close();
    this.#attempt = null;
  }

  #relayed(d: string): void {
    const message = fromBase64Url(d);
    if (message === null) return this.#fail("verification");
    // A viewer who lost his socket commits anew: that begins a new attempt, as long as nothing is bound.
    if (this.#options.role === "S" && message[0] === HANDSHAKE.commit && !this.#bound) {
      this.#restart();
    }
    this.#attempt?.receive(message);
  }

  #restart(): void {
    const ground = this.#ground;
    if (ground === null) return;
    this.#attempt?.close();
    const attempt: Attempt = new Attempt(this.#options.role, {
      ground,
      iceServers: this.#iceServers,
      onBound: (link) => {
        this.#bound = true;
        clearTimeout(this.#timer);
        this.#options.handlers.onBound(link);
      },
      onFailed: (why) => {
        if (attempt !== this.#attempt) return;
        // A sender's link is not spent on one visitor's network.
        if (why === "network" && this.#options.role === "S") this.#drop();
        else this.#fail(why);
      },
    });
    this.#attempt = attempt;
  }

  #signalingEnded(why: SignalingEnd): void {
    // The message `gone` said more, just before; then this changes nothing.
    this.#fail(why === "gone" ? "room_deleted" : why);
  }

  #fail(why: ConnectFailure): void {
    if (this.#over || this.#bound) return;
    this.end();
    this.#options.handlers.onFailed(why);
  }
}

interface AttemptOptions {
  readonly ground: Ground;
  readonly iceServers: readonly IceServer[];
  readonly onBound: (link: SecureLink) => void;
  readonly onFailed: (why: "network" | "verification") => void;
}

/** One run of the handshake and the connection behind it. */
class Attempt {
  readonly #role: Role;
  readonly #options: AttemptOptions;
  #peer: Peer | null = null;
  #viewer: ViewerHandshake | null = null;
  #sender: SenderHandshake | null = null;
  #turn: Promise<void>;
  #greeted = false;
  #over = false;

  constructor(role: Role, options: AttemptOptions) {
    this.#role = role;
    this.#options = options;
    this.#turn = this.#guard(() => this.#begin());
  }

  /** True when both sides proved that they know the link, and WebRTC is trying. */
  get confirmed(): boolean {
    return this.#peer !== null;
  }

  /** Takes the next relayed message; they are worked off one at a time. */
  receive(message: Bytes): void {
    this.#turn = this.#turn.then(() => this.#guard(() => this.#step(message)));
  }

  /** Gives up, unless it is bound already. */
  close(): void {
    this.#over = true;
    this.#peer?.close();
  }

  async #begin(): Promise<void> {
    const { room, identity, kem } = this.#options.ground;
    const { rid, psk } = room;
    const input = { room: rid, psk, fingerprint: identity.fingerprint, kem };
    if (this.#role === "S") {
      this.#sender = await SenderHandshake.start(input);
      return;
    }
    this.#viewer = await ViewerHandshake.start(input);
    this.#send(this.#viewer.commit);
  }

  async #step(message: Bytes): Promise<void> {
    if (this.#peer !== null) return await this.#peer.receive(message);
    if (this.#sender !== null) return await this.#stepSender(this.#sender, message);
    if (this.#viewer !== null) return await this.#stepViewer(this.#viewer, message);
  }

  async #stepSender(handshake: SenderHandshake, message: Bytes): Promise<void> {
    if (message[0] === HANDSHAKE.commit) {
      return this.#send(await handshake.receiveCommit(message));
    }
    const peer = this.#peer = this.#connect(await handshake.receiveHello(message));
    await peer.offer((sdp) => handshake.confirm(sdp));
  }

  async #stepViewer(handshake: ViewerHandshake, message: Bytes): Promise<void> {
    if (message[0] === HANDSHAKE.helloS) {
      this.#greeted = true;
      return this.#send(await handshake.receiveHello(message));
    }
    // Left over from an attempt before this one, which the sender gave up in the same moment.
    const leftOver = message[0] === HANDSHAKE.offer || message[0] === HANDSHAKE.candidate;
    if (!this.#greeted && leftOver) return;
    const { keys, offer } = await handshake.receiveConfirmation(message);
    const peer = this.#peer = this.#connect(keys);
    await peer.answer(offer);
  }

  #connect(keys: SessionKeys): Peer {
    const { ground, iceServers, onBound, onFailed } = this.#options;
    return new Peer({
      identity: ground.identity,
      keys,
      iceServers,
      send: (message) => this.#send(message),
      onBound,
      onFailed: (why) => onFailed(why === "network" ? "network" : "verification"),
    });
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
