/**
 * Makes a bound connection out of a share link or a code, one whose binding MACs are verified:
 * takes the seat, runs the handshake, then sets up WebRTC. Whenever both seats are filled and
 * nothing is bound, the viewer starts a handshake. A lost socket, a restarted server and a retry
 * are all handled the same way, by starting over.
 *
 * A page that was reloaded continues with what it kept before. Both sides repeat the handshake,
 * using the secret that the first one left them, while the peer may still consider the old
 * connection alive. That connection is dropped only once the new one is bound: whatever the server
 * sends, in whatever order, ends no connection.
 *
 * If the server issued digits, anybody can reach the viewer's seat. The sender then turns away
 * visitors who fail to prove themselves, and withdraws the code after three. Without digits only
 * the share link's token leads to the seat, and a wrong proof ends the session.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, fromBase64Url, toBase64Url } from "../protocol/bytes.ts";
import { HANDSHAKE, MODE } from "../protocol/handshake.ts";
import {
  CONNECT_TIMEOUT_MS,
  MAX_CODE_GUESSES,
  MAX_HANDSHAKES,
  MAX_TTL_S,
  SEAT_GRACE_MS,
} from "../protocol/limits.ts";
import type {
  ClientMessage,
  GoneReason,
  IceServer,
  Outcome,
  PeerCause,
  ServerMessage,
} from "../protocol/signaling.ts";
import { type Code, drawWords, formatCode, loadWordlist } from "../e2e/code.ts";
import type { ResumeSecret, SessionKeys } from "../e2e/handshake.ts";
import { loadKem } from "../e2e/kem.ts";
import { deriveRoom } from "../e2e/link.ts";
import { makeReloadNotice, verifyReloadNotice } from "../e2e/reload_notice.ts";
import { randomBytes, sha256, wipe } from "../e2e/suite.ts";
import type { Role } from "../e2e/transcript.ts";
import { type Address, Attempt, type Claim, type Ground, hasTurn } from "./attempt.ts";
import type { Keeper, KeptConnection } from "./kept_connection.ts";
import { createIdentity } from "./peer.ts";
import type { Route } from "./route.ts";
import type { SecureLink } from "./secure_link.ts";
import { SignalingClient, type SignalingEnd } from "./signaling_client.ts";
import { Trace } from "./trace.ts";

/**
 * How much longer than an honest viewer's timeout a sender waits before turning away a silent
 * visitor, in ms.
 */
const SILENCE_MARGIN_MS = 5_000;

/**
 * Delay after which a viewer who was told that the sender is away asks the server again, in ms.
 * That message may have overtaken the one that reports the sender back. Without asking, both would
 * wait for each other until the room expires.
 */
const ASK_AGAIN_MS = 40_000;

/**
 * After turning away this many visitors the sender gives up: by then they can only come from the
 * server itself.
 */
const MAX_TURNED_AWAY = 10;

/** Why no connection could be established, or why the room ended before one was. */
export type ConnectFailure =
  | Exclude<SignalingEnd, "gone">
  | `room_${GoneReason}`
  | "network"
  | "timeout"
  | "verification"
  /** The sender turned this viewer away: the code was wrong. */
  | "wrong_code"
  /**
   * This side's address was to stay hidden, but the server offers neither TURN nor the encrypted
   * relay.
   */
  | "no_relay"
  /** WebRTC is disabled, by policy or by lockdown mode. */
  | "no_webrtc";

/** Callbacks of a connector. */
export interface ConnectorHandlers {
  /** The seat is taken; the share link works from now on. */
  onSeated(): void;
  /** The connection to the server was lost, or is back. */
  onContact(contact: boolean): void;
  /** The peer is here, or left before anything was bound. */
  onPeer(here: boolean): void;
  /** Sender: the code that also leads to the room, or `null` once it is withdrawn. */
  onCode(code: string | null): void;
  /**
   * Sender: a visitor failed to prove that they have the share link or the code. `withdrawn` is
   * true if the code was withdrawn because of it.
   */
  onTurnedAway(claim: Claim, withdrawn: boolean): void;
  /**
   * The secure link is bound; set its handlers at once. Called again each time that the peer's page
   * was reloaded: the previous one has ended.
   */
  onBound(link: SecureLink): void;
  /**
   * The peer's page was reloaded, and the two are bound anew: the previous secure link has ended,
   * and `onBound` follows at once with the new one.
   */
  onAgain(): void;
  /** The route in use, each time that it changes. */
  onRoute(route: Route): void;
  /**
   * Called at most once, and never after `onBound`: a bound secure link reports its own end.
   * `retry`: seconds after which a busy server is worth another try.
   */
  onFailed(why: ConnectFailure, retry?: number): void;
}

/** Settings of a {@linkcode Connector}. */
export interface ConnectorOptions {
  readonly role: Role;
  /**
   * The share link's secret, 32 bytes, overwritten by `end()`; or the code that the viewer entered.
   */
  readonly secret: Bytes | Code;
  /** `ws(s)://host`, without a path. */
  readonly server: string;
  readonly handlers: ConnectorHandlers;
  /**
   * Whether the server announced that it relays encrypted records. Without WebRTC there is no other
   * route.
   */
  readonly relay?: boolean;
  /** Keeps what this page needs after a reload. */
  readonly keeper?: Keeper;
  /** What this page kept before a reload, and the token that takes its seat back. */
  readonly kept?: KeptConnection & { readonly rtok: string };
}

async function findAddress({ role, secret, kept }: ConnectorOptions): Promise<Address> {
  if (!(secret instanceof Uint8Array)) {
    return { path: secret.digits, first: { t: "join" }, ownerToken: null, secret };
  }
  const { rid, jtok, psk } = await deriveRoom(secret);
  const address = { path: toBase64Url(rid), secret: { room: rid, psk } };
  if (role === "R") {
    return { ...address, first: { t: "join", tok: toBase64Url(jtok) }, ownerToken: null };
  }
  const ownerToken = kept?.owner?.slice() ?? randomBytes(32);
  const [own, join] = await Promise.all([sha256(ownerToken), sha256(jtok)]);
  const hashes = { own: toBase64Url(own), join: toBase64Url(join) };
  return { ...address, first: { t: "create", ...hashes, ttl: MAX_TTL_S }, ownerToken };
}

/** Overwrites the secrets, except for a code's words: strings can't be overwritten. */
function wipeAddress({ ownerToken, secret }: Address): void {
  if (ownerToken !== null) wipe(ownerToken);
  if ("psk" in secret) wipe(secret.psk);
}

/** What the server offers for connecting. */
interface Ways {
  readonly servers: readonly IceServer[];
  /** When the servers' credentials expire, by performance.now(). */
  readonly until: number;
  /** The server itself relays encrypted records. */
  readonly relay: boolean;
}

const NO_WAYS: Ways = { servers: [], until: 0, relay: false };

/** Connects one side of a session. */
export class Connector {
  /** What was tried, for diagnostics. */
  readonly trace: Trace = new Trace();
  readonly #options: ConnectorOptions;
  #ground: Ground | null = null;
  #ways = NO_WAYS;
  #relayOnly = false;
  /** The attempt that is not bound yet. */
  #attempt: Attempt | null = null;
  /** The attempt that is bound, and its secure link. */
  #live: { readonly attempt: Attempt; readonly link: SecureLink } | null = null;
  /**
   * The secret that an earlier handshake left: the viewer uses it as proof, and the sender accepts
   * it.
   */
  #resumed: ResumeSecret | null;
  /** A viewer was bound, now or before a reload: nobody else is admitted. */
  #only: boolean;
  #over = false;
  /**
   * The timeout of an attempt: the viewer's of the first one, either side's of one that replaces a
   * connection. Or the viewer's delay before asking the server again who is there.
   */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /**
   * Sender: the deadline for this visitor's proof. Leaving the seat for a moment does not extend
   * it.
   */
  #patience: ReturnType<typeof setTimeout> | undefined;
  /**
   * Viewer: an attempt was abandoned, and messages that the sender sent for it may still arrive.
   */
  #again = false;
  /**
   * Handshakes that were confirmed (sender) or answered (viewer) since the last bound secure link.
   */
  #handshakes = 0;
  /**
   * Sender: the server issued digits, so anybody who tries them can take the seat. Stays true after
   * a withdrawal, which the server may not have received.
   */
  #open = false;
  /** Sender: the code that is valid now. */
  #code: Code | null = null;
  /**
   * Sender: the code's words, drawn once, whatever digits the server issues; `null` if the word
   * list could not be loaded.
   */
  #words: Promise<string | null> | null = null;
  /**
   * Sender: visitors who did not prove themselves. While a code is valid, each counts as a guess.
   */
  #misses = 0;
  /** The secret that the handshake under way leaves, for use once it is bound. */
  #left: ResumeSecret | null = null;
  /** Sender: the last visitor was dismissed, and nobody has joined since. */
  #dismissed = false;
  /** Viewer: nonces of the reload notices that were read, and whether one is being read. */
  readonly #notices = new Set<string>();
  #checking = false;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    const { kept } = options;
    this.#resumed = kept?.resumed ?? null;
    this.#only = kept?.bound ?? false;
    this.#misses = kept?.misses ?? 0;
    this.#code = kept?.code ?? null;
    // Digits that were issued before the reload may already have been tried.
    this.#open = this.#code !== null || this.#misses > 0;
    if (this.#code !== null) this.#words = Promise.resolve(this.#code.words);
  }

  /** Hides this side's address from the peer, or not, in every attempt from now on. */
  hideAddress(on: boolean): void {
    this.#relayOnly = on;
  }

  /**
   * Takes the seat and connects whenever a peer is there. Needs WebCrypto, and WebRTC unless the
   * server offers the encrypted relay.
   */
  async start(): Promise<void> {
    const { secret, server, handlers, relay = false, keeper, kept } = this.#options;
    const [address, kem, identity] = await Promise.all([
      findAddress(this.#options),
      // Fails if the server does not deliver the script of the fallback.
      loadKem().catch(() => null),
      createIdentity().catch(() => null),
    ]);
    // Ended meanwhile, when `end` could not overwrite these secrets yet.
    if (this.#over) return wipeAddress(address);
    if (kem === null || (identity === null && !relay)) {
      wipeAddress(address);
      return this.#fail(kem === null ? "unreachable" : "no_webrtc");
    }
    const fingerprint = identity?.fingerprint ?? randomBytes(32);
    keeper?.keep({ secret, owner: address.ownerToken, misses: this.#misses, bound: this.#only });
    if (this.#code !== null) handlers.onCode(formatCode(this.#code));
    const signaling = new SignalingClient({
      url: `${server}/ws/${address.path}`,
      first: address.first,
      ...(kept === undefined ? {} : { rtok: kept.rtok }),
      handlers: {
        onMessage: (message) => this.#receive(message),
        onContact: (contact) => {
          // After a reconnect the server reports first who is there.
          if (!contact) this.#setReachable(false);
          handlers.onContact(contact);
        },
        onEnd: (why, retry) => this.#signalingEnded(why, retry),
      },
    });
    this.#ground = { address, kem, identity, fingerprint, signaling };
  }

  /**
   * Gives up the seat; a sender deletes the whole room. Waits for `after` first, because messages
   * that go through the server have to be sent before. Idempotent; no callback is called
   * afterwards.
   */
  end(after?: Promise<void>): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#patience);
    this.#attempt?.close();
    this.#live?.attempt.close();
    for (const left of [this.#resumed, this.#left]) if (left !== null) wipe(left.resume);
    const { secret } = this.#options;
    if (secret instanceof Uint8Array) wipe(secret);
    const ground = this.#ground;
    if (ground === null) return;
    this.#ground = null;
    const { address: { ownerToken }, signaling } = ground;
    const last: ClientMessage = ownerToken === null
      ? { t: "leave" }
      : { t: "delete", otok: toBase64Url(ownerToken) };
    wipeAddress(ground.address);
    if (after === undefined) signaling.end(last);
    else after.then(() => signaling.end(last));
  }

  #receive(message: ServerMessage): void {
    switch (message.t) {
      case "created":
        this.#keepSeat(message);
        this.#offerCode(message.code ?? null);
        return this.#seated();
      case "joined":
        this.#keepSeat(message);
        if (this.#misses >= MAX_CODE_GUESSES) this.#withdraw();
        return this.#seated();
      case "peer":
        return this.#peerChanged(message.up, message.by);
      case "relay":
        return this.#relayed(message.d);
      case "data": {
        const frame = fromBase64Url(message.d);
        if (frame !== null) this.#newest?.receiveFrame(frame);
        return;
      }
      case "ice": {
        const until = performance.now() + message.exp * 1_000;
        this.#ways = { servers: message.servers, until, relay: message.relay === true };
        return;
      }
      case "gone":
        return this.#fail(`room_${message.why}`);
      case "err":
        if (message.code === "no_peer") {
          this.#live?.attempt.mislaid();
          this.#attempt?.mislaid();
        }
        return;
      case "ping":
        return;
      default:
        message satisfies never;
    }
  }

  /**
   * The attempt under way, otherwise the bound one. One that is to replace a connection hands what
   * is for that connection on to it.
   */
  get #newest(): Attempt | null {
    return this.#attempt ?? this.#live?.attempt ?? null;
  }

  #setReachable(reachable: boolean): void {
    this.#live?.attempt.setReachable(reachable);
    this.#attempt?.setReachable(reachable);
  }

  #keepSeat({ rtok, salt }: { readonly rtok: string; readonly salt?: string }): void {
    const path = this.#ground?.address.path;
    if (path !== undefined) this.#options.keeper?.seated({ path, rtok, salt });
  }

  #seated(): void {
    // This may be another server, or the same one with other settings.
    this.#ways = NO_WAYS;
    // The attempt under way has lost messages, so it starts over, and what the old one still sends
    // would only confuse the peer. Its timeout keeps running until `peer` arrives: otherwise a
    // server that sends only this could keep people waiting forever.
    if (this.#live === null) this.#abandon();
    this.#options.handlers.onSeated();
  }

  /**
   * Makes the code from the digits that the server issued. A restarted server issues others; the
   * words stay.
   */
  async #offerCode(digits: string | null): Promise<void> {
    if (this.#options.role !== "S" || this.#only) return;
    if (this.#misses >= MAX_CODE_GUESSES) return this.#withdraw();
    this.#code = null;
    if (digits === null) return;
    this.#open = true;
    this.#words ??= loadWordlist().then(drawWords, () => null);
    const words = await this.#words;
    if (this.#over) return;
    // Digits that no viewer is told can only serve strangers.
    if (words === null || this.#misses >= MAX_CODE_GUESSES) return this.#withdraw();
    this.#code = { digits, words };
    this.#options.keeper?.keep({ code: this.#code });
    this.#options.handlers.onCode(formatCode(this.#code));
  }

  #withdraw(): void {
    if (this.#options.role !== "S") return;
    this.#code = null;
    this.#options.keeper?.keep({ code: null });
    this.#ground?.signaling.say({ t: "withdraw" });
    this.#options.handlers.onCode(null);
  }

  #peerChanged(here: boolean, by: PeerCause): void {
    // Once bound, the two sides know more about each other than the server does.
    if (this.#live !== null) return this.#boundPeerChanged(this.#live.attempt, here, by);
    this.#drop();
    if (this.#dismissed && here) {
      // They reconnected before the server had received the dismissal.
      if (by === "resume") return this.#ground?.signaling.say({ t: "dismiss" });
      this.#dismissed = false;
    }
    this.#options.handlers.onPeer(here);
    if (this.#options.role === "S") {
      // This page was reloaded, and the viewer may consider the old connection alive.
      const reloaded = Boolean(this.#options.kept?.resumed);
      if (here && reloaded && this.#resumed !== null) this.#sayReloaded(this.#resumed);
      return this.#visited(here, by);
    }
    if (!here) {
      this.#timer = setTimeout(() => this.#ground?.signaling.renew(), ASK_AGAIN_MS);
      return;
    }
    // The viewer starts the handshake, and the timeout is the viewer's too.
    this.#startAttempt();
    this.#timer = setTimeout(() => {
      this.#fail(this.#attempt?.confirmed === true ? "network" : "timeout");
    }, CONNECT_TIMEOUT_MS);
  }

  #boundPeerChanged(live: Attempt, here: boolean, by: PeerCause): void {
    // There is nobody left to receive what goes through the server.
    if (!here && by === "leave") live.abandon();
    else this.#setReachable(here);
  }

  async #sayReloaded({ resume }: ResumeSecret): Promise<void> {
    const notice = await makeReloadNotice(resume);
    if (!this.#over) this.#ground?.signaling.relay(toBase64Url(notice));
  }

  /**
   * Viewer: the sender's page says that it was reloaded. That is true only if it can prove it, and
   * if the connection to the page before does not answer any more. A notice that was recorded is
   * told by its nonce, or, after a reload of this page, by a connection that still answers.
   */
  async #readNotice(message: Bytes): Promise<void> {
    const live = this.#live;
    const resumed = this.#resumed;
    // Without a connection, this side starts over by itself.
    if (live === null || resumed === null || this.#checking) return;
    this.#checking = true;
    try {
      const nonce = await verifyReloadNotice(resumed.resume, message);
      if (nonce === null || this.#notices.has(toBase64Url(nonce))) return;
      this.#notices.add(toBase64Url(nonce));
      if (!await live.link.answers() && live === this.#live && !this.#over) this.#startAttempt();
    } finally {
      this.#checking = false;
    }
  }

  /**
   * Sender: keeps waiting, but turns away a visitor who occupies the seat without proving anything.
   */
  #visited(here: boolean, by: PeerCause): void {
    if (by === "join" || by === "leave") clearTimeout(this.#patience);
    if (!here || by !== "join") return;
    this.#patience = setTimeout(() => {
      const proved = this.#live !== null || this.#attempt?.confirmed === true;
      if (this.#open && !proved) this.#turnAway();
    }, CONNECT_TIMEOUT_MS + SILENCE_MARGIN_MS);
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#abandon();
  }

  #abandon(): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#attempt = null;
    attempt.close();
    this.#again = true;
    // Nobody will know whether that guess was right. It counts as a wrong one, or guesses would be
    // free.
    if (attempt.spent && !attempt.confirmed) this.#missed("code");
  }

  #relayed(d: string): void {
    // Messages still in flight from the dismissed visitor would be held against the next one.
    if (this.#dismissed) return;
    const message = fromBase64Url(d);
    if (message === null) return this.#live === null ? this.#broken(null) : undefined;
    const [type, , mode] = message;
    if (this.#options.role === "S" && type === HANDSHAKE.commit) {
      // A viewer who lost the socket commits again, which starts a new attempt. Once a viewer is
      // bound, only they can return, and only by resuming the handshake.
      if (this.#live !== null && mode !== MODE.resume) return;
      this.#startAttempt();
    } else if (this.#options.role === "R" && type === HANDSHAKE.reloaded) {
      this.#readNotice(message);
      return;
    }
    this.#newest?.receive(message);
  }

  /** Starts an attempt: the first one, one in place of an attempt, or one beside a connection. */
  #startAttempt(): void {
    const ground = this.#ground;
    if (ground === null) return;
    this.#abandon();
    // A viewer who starts over by share link or code has to do the same after a reload.
    if (this.#options.role === "R" && this.#resumed === null) {
      this.#options.keeper?.keep({ resumed: null });
    }
    const mayRelay = this.#ways.relay;
    const iceServers = this.#iceServers() ?? [];
    const relayOnly = this.#relayOnly;
    this.trace.turn = hasTurn(iceServers);
    this.trace.server = mayRelay;
    if (relayOnly && !mayRelay && !this.trace.turn) return this.#fail("no_relay");
    if (ground.identity === null && !mayRelay) return this.#fail("no_webrtc");
    const before = this.#live;
    const attempt: Attempt = new Attempt(this.#options.role, {
      ground,
      before: before?.attempt ?? null,
      code: this.#code,
      resumed: this.#resumed,
      only: this.#only,
      iceServers: () => this.#iceServers(),
      relayOnly,
      mayRelay,
      trace: this.trace,
      settle: this.#again,
      onAnswer: () => this.#answer(),
      onGuess: () => void this.#misses++,
      onProved: (guessed) => this.#proved(guessed),
      onKeys: (keys) => this.#keyed(keys),
      onBound: (link) => {
        this.#only = true;
        this.#handshakes = 0;
        this.#again = false;
        this.#live = { attempt, link };
        this.#attempt = null;
        clearTimeout(this.#timer);
        clearTimeout(this.#patience);
        this.#resumed = this.#left;
        this.#options.keeper?.keep({ bound: true });
        if (before !== null) this.#options.handlers.onAgain();
        this.#options.handlers.onBound(link);
      },
      onRoute: (way) => {
        this.trace.route = way;
        this.#report(way);
        this.#options.handlers.onRoute(way);
      },
      onFailed: (why) => {
        if (attempt !== this.#attempt) return;
        // The established secure link is unaffected, whoever failed here.
        if (before !== null) return this.#drop();
        if (why === "verification") return this.#broken(attempt);
        if (this.#options.role === "R") return this.#fail(why);
        // One visitor's network failure must not use up the share link.
        this.#report("failed");
        this.#drop();
      },
    });
    this.#attempt = attempt;
    // Whoever does not prove anything must not keep it open.
    if (before !== null) this.#dropAfter(CONNECT_TIMEOUT_MS);
  }

  #dropAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#drop(), ms);
  }

  /**
   * The peer proved itself. Keeps the secret that resumes this handshake after a reload, before any
   * further message is sent: otherwise one side could become bound to a page that has forgotten it.
   */
  async #keyed(keys: SessionKeys): Promise<void> {
    const before = this.#left;
    this.#left = { resume: await keys.leave(), by: keys.by };
    // Ended meanwhile, when `end` could not overwrite this yet.
    if (this.#over) return wipe(this.#left.resume);
    if (before !== null && before !== this.#resumed) wipe(before.resume);
    // The sender accepts it from now on, whether or not the viewer receives the confirmation.
    if (this.#options.role === "S") this.#resumed = this.#left;
    // The peer may be bound to it from now on, and need as long as any session to be repaired.
    if (this.#live !== null) this.#dropAfter(SEAT_GRACE_MS);
    await this.#options.keeper?.keep({ resumed: this.#left });
  }

  /**
   * The ICE servers; `null` if their credentials have expired: TURN servers would refuse them.
   * Fresh ones arrive with each `peer` message.
   */
  #iceServers(): readonly IceServer[] | null {
    const { servers, until } = this.#ways;
    return servers.length === 0 || performance.now() < until ? servers : null;
  }

  /**
   * Viewer: counts an answer to a HELLO. Each answer tells its recipient whether one guess at the
   * code was right, and which SAS there will be to compare.
   */
  #answer(): boolean {
    const most = this.#options.secret instanceof Uint8Array ? MAX_HANDSHAKES : MAX_CODE_GUESSES;
    return this.#countTo(most);
  }

  /**
   * Sender: the visitor's proof was right. A guess was counted before it was verified, so the count
   * is corrected.
   */
  #proved(guessed: boolean): boolean {
    if (guessed) this.#misses--;
    return this.#countTo(MAX_HANDSHAKES);
  }

  /**
   * Counts a handshake. If there were more than `most`, fails and returns false: either the network
   * breaks that often, or somebody makes it break.
   */
  #countTo(most: number): boolean {
    if (++this.#handshakes <= most) return true;
    this.#fail("timeout");
    return false;
  }

  /** A message broke the protocol. */
  #broken(attempt: Attempt | null): void {
    if (this.#open && attempt?.confirmed !== true) this.#turnAway();
    else this.#fail("verification");
  }

  #turnAway(): void {
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.close();
    clearTimeout(this.#patience);
    if (attempt?.spent !== true) this.#misses++;
    this.#options.keeper?.keep({ misses: this.#misses });
    this.#dismissed = true;
    if (this.#misses >= MAX_TURNED_AWAY) return this.#fail("verification");
    // The code is withdrawn before the seat is freed: somebody else who tries the digits must not
    // get a seat where no code is accepted any more.
    this.#missed(attempt?.claim ?? "silence");
    this.#ground?.signaling.say({ t: "dismiss" });
    this.#options.handlers.onPeer(false);
  }

  #missed(claim: Claim): void {
    const withdrawn = this.#code !== null && this.#misses >= MAX_CODE_GUESSES;
    if (withdrawn) this.#withdraw();
    this.#options.handlers.onTurnedAway(claim, withdrawn);
  }

  #signalingEnded(why: SignalingEnd, retry?: number): void {
    if (this.#live !== null) return this.#live.attempt.abandon();
    if (why === "dismissed") {
      // Only a sender dismisses, so a server that reports this to a sender breaks the protocol.
      if (this.#options.role === "S") return this.#fail("protocol");
      return this.#fail(this.#options.secret instanceof Uint8Array ? "dismissed" : "wrong_code");
    }
    // If the more specific message `gone` arrived just before, this changes nothing.
    this.#fail(why === "gone" ? "room_deleted" : why, retry);
  }

  /** For the server's statistics. */
  #report(way: Outcome): void {
    this.#ground?.signaling.say({ t: "outcome", way });
  }

  #fail(why: ConnectFailure, retry?: number): void {
    if (this.#over || this.#live !== null) return;
    if (why === "network") this.#report("failed");
    this.end();
    this.#options.handlers.onFailed(why, retry);
  }
}
