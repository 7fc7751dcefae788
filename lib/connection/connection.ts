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
import { HANDSHAKE } from "../protocol/handshake.ts";
import {
  CONNECT_TIMEOUT_MS,
  MAX_CODE_GUESSES,
  MAX_HANDSHAKES,
  MAX_TTL_S,
} from "../protocol/limits.ts";
import type {
  ClientMessage,
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
import { type Address, Attempt, type AttemptContext, hasTurn } from "./attempt.ts";
import {
  attemptOf,
  type ConnectFailure,
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  isBound,
  JOINING,
  transition,
} from "./connection_state.ts";
import type { KeptConnection, ReloadStore } from "./kept_connection.ts";
import { MessageQueue } from "./message_queue.ts";
import { createIdentity } from "./peer.ts";
import type { Route } from "./route.ts";
import type { SecureLink } from "./secure_link.ts";
import { SignalingClient } from "./signaling_client.ts";
import { Timers } from "./timers.ts";
import { Trace } from "./trace.ts";
import {
  type AttemptedProof,
  guard,
  type GuardEffect,
  type GuardEvent,
  guardFrom,
  type GuardState,
} from "./visitor_guard.ts";

/**
 * How much longer than an honest viewer's timeout a sender waits before turning away a silent
 * visitor, in ms.
 */
const SILENCE_MARGIN_MS = 5_000;

/** Callbacks of a connection. */
export interface ConnectionHandlers {
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
  onTurnedAway(by: AttemptedProof, withdrawn: boolean): void;
  /**
   * The secure link is bound; set its handlers at once. Called again each time that the peer's page
   * was reloaded: the previous one has ended.
   */
  onBound(link: SecureLink): void;
  /**
   * The peer's page was reloaded, and the two are bound anew: the previous secure link has ended,
   * and `onBound` follows at once with the new one.
   */
  onReplaced(): void;
  /** The route in use, each time that it changes. */
  onRoute(route: Route): void;
  /**
   * Called at most once, and never after `onBound`: a bound secure link reports its own end.
   * `retry`: seconds after which a busy server is worth another try.
   */
  onFailed(why: ConnectFailure, retry?: number): void;
}

/** Settings of a {@linkcode Connection}. */
export interface ConnectionOptions {
  readonly role: Role;
  /**
   * The share link's secret, 32 bytes, overwritten by `end()`; or the code that the viewer entered.
   */
  readonly secret: Bytes | Code;
  /** `ws(s)://host`, without a path. */
  readonly server: string;
  readonly handlers: ConnectionHandlers;
  /**
   * Whether the server announced that it relays encrypted records. Without WebRTC there is no other
   * route.
   */
  readonly relay?: boolean;
  /** Keeps what this page needs after a reload. */
  readonly store?: ReloadStore;
  /** What this page kept before a reload, and the token that takes its seat back. */
  readonly kept?: KeptConnection & { readonly rtok: string };
}

async function findAddress({ role, secret, kept }: ConnectionOptions): Promise<Address> {
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
interface ServerOffer {
  readonly servers: readonly IceServer[];
  /** When the servers' credentials expire, by performance.now(). */
  readonly until: number;
  /** The server itself relays encrypted records. */
  readonly relay: boolean;
}

const NOTHING_OFFERED: ServerOffer = { servers: [], until: 0, relay: false };

/** Connects one side of a session. */
export class Connection {
  /** What was tried, for diagnostics. */
  readonly trace: Trace = new Trace();
  readonly #options: ConnectionOptions;
  #state: ConnectionState;
  #guard: GuardState;
  #context: AttemptContext | null = null;
  #serverOffer = NOTHING_OFFERED;
  #relayOnly = false;
  /** The attempts that the state names, by number. */
  readonly #attempts = new Map<number, Attempt>();
  /**
   * The secret that an earlier handshake left: the viewer uses it as proof, and the sender accepts
   * it.
   */
  #resumed: ResumeSecret | null;
  readonly #timers = new Timers<"wait" | "visitor">();
  /** Sender: draws the code's words, once, whatever digits the server issues. */
  readonly #words: () => Promise<string | null>;
  /** Viewer: notices that the sender's page was reloaded, and the nonces of those read so far. */
  readonly #notices: MessageQueue<Bytes>;
  readonly #nonces = new Set<string>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { kept } = options;
    this.#state = { ...JOINING, handshakes: kept?.handshakes ?? 0 };
    this.#resumed = kept?.resumed ?? null;
    this.#guard = guardFrom(kept ?? {});
    this.#words = drawOnce(kept?.code?.words);
    this.#notices = new MessageQueue(Promise.resolve(), (message) => this.#readNotice(message));
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
    const { secret, server, handlers, relay = false, store, kept } = this.#options;
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
      const why = kem === null ? "unreachable" : "no_webrtc";
      return this.#happen({ type: "impossible", why });
    }
    const fingerprint = identity?.fingerprint ?? randomBytes(32);
    const { misses, code } = this.#guard;
    store?.keep({ secret, owner: address.ownerToken, misses, bound: this.#only });
    if (code !== null) handlers.onCode(formatCode(code));
    const signaling = new SignalingClient({
      url: `${server}/ws/${address.path}`,
      first: address.first,
      ...(kept === undefined ? {} : { rtok: kept.rtok }),
      handlers: {
        onMessage: (message) => this.#receive(message),
        onContact: (contact) => {
          // After a reconnect the server reports first who is there.
          if (!contact) this.#happen({ type: "unreachable" });
          handlers.onContact(contact);
        },
        onEnd: (why, retry) =>
          this.#happen({
            type: "signaling_ended",
            why,
            ...(retry === undefined ? {} : { retry }),
          }),
      },
    });
    this.#context = { address, kem, identity, fingerprint, signaling };
  }

  /**
   * Gives up the seat; a sender deletes the whole room. Waits for `after` first, because messages
   * that go through the server have to be sent before. Idempotent; no callback is called
   * afterwards.
   */
  end(after?: Promise<void>): void {
    if (this.#over) return;
    this.#happen({ type: "end" });
    this.#tearDown(after);
  }

  get #over(): boolean {
    return this.#state.at === "closed";
  }

  /** A viewer was bound, now or before a reload: nobody else is admitted. */
  get #only(): boolean {
    return isBound(this.#state) || this.#options.kept?.bound === true;
  }

  /**
   * The attempt under way, otherwise the bound one. One that is to replace a link hands what is for
   * that link on to it.
   */
  get #newest(): Attempt | null {
    const number = attemptOf(this.#state) ?? (isBound(this.#state) ? this.#state.link : null);
    return number === null ? null : this.#attempts.get(number) ?? null;
  }

  #tearDown(after?: Promise<void>): void {
    this.#timers.clearAll();
    for (const attempt of this.#attempts.values()) attempt.close();
    this.#attempts.clear();
    if (this.#resumed !== null) wipe(this.#resumed.resume);
    const { secret } = this.#options;
    if (secret instanceof Uint8Array) wipe(secret);
    const context = this.#context;
    if (context === null) return;
    this.#context = null;
    const { address: { ownerToken }, signaling } = context;
    const last: ClientMessage = ownerToken === null
      ? { t: "leave" }
      : { t: "delete", otok: toBase64Url(ownerToken) };
    wipeAddress(context.address);
    if (after === undefined) signaling.end(last);
    else after.then(() => signaling.end(last));
  }

  // What the server sends

  #receive(message: ServerMessage): void {
    switch (message.t) {
      case "created":
        this.#keepSeat(message);
        if (!this.#only) this.#guardHappens({ type: "created", digits: message.code ?? null });
        return this.#seated();
      case "joined":
        this.#keepSeat(message);
        this.#guardHappens({ type: "resumed" });
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
        this.#serverOffer = { servers: message.servers, until, relay: message.relay === true };
        return;
      }
      case "gone":
        return this.#happen({ type: "gone", why: message.why });
      case "err":
        if (message.code !== "no_peer") return;
        for (const attempt of this.#attempts.values()) attempt.undelivered();
        return;
      case "ping":
        return;
      default:
        message satisfies never;
    }
  }

  #keepSeat({ rtok, salt }: { readonly rtok: string; readonly salt?: string }): void {
    const path = this.#context?.address.path;
    if (path !== undefined) this.#options.store?.seated({ path, rtok, salt });
  }

  #seated(): void {
    // This may be another server, or the same one with other settings.
    this.#serverOffer = NOTHING_OFFERED;
    this.#happen({ type: "seated" });
    this.#options.handlers.onSeated();
  }

  #peerChanged(here: boolean, by: PeerCause): void {
    if (!isBound(this.#state)) {
      if (this.#guard.dismissed && here) {
        // They reconnected before the server had received the dismissal.
        if (by === "resume") return this.#context?.signaling.say({ t: "dismiss" });
        this.#guardHappens({ type: "joined" });
      }
      if (this.#options.role === "S") this.#timeVisitor(here, by);
    }
    this.#happen({ type: "peer", here, by });
  }

  /**
   * Sender: turns away a visitor who occupies the seat without proving anything. Leaving it for a
   * moment does not extend the time.
   */
  #timeVisitor(here: boolean, by: PeerCause): void {
    if (by === "join" || by === "leave") this.#timers.clear("visitor");
    if (!here || by !== "join") return;
    this.#timers.set("visitor", CONNECT_TIMEOUT_MS + SILENCE_MARGIN_MS, () => {
      if (this.#guard.open) this.#happen({ type: "overdue" });
    });
  }

  #relayed(d: string): void {
    // Messages still in flight from the dismissed visitor would be held against the next one.
    if (this.#guard.dismissed) return;
    const message = fromBase64Url(d);
    if (message === null) return this.#failed(null, "verification");
    const [type, , mode] = message;
    if (this.#options.role === "R" && type === HANDSHAKE.reloaded) {
      return this.#notices.push(message);
    }
    if (this.#options.role === "S" && type === HANDSHAKE.commit) {
      const before = this.#state.next;
      this.#happen({ type: "commit", mode });
      if (this.#state.next === before) return;
    }
    this.#newest?.receive(message);
  }

  async #sayReloaded(): Promise<void> {
    const { kept } = this.#options;
    // Without what a page before it kept, this page was not reloaded.
    if (!kept?.resumed || this.#resumed === null) return;
    const notice = await makeReloadNotice(this.#resumed.resume);
    if (!this.#over) this.#context?.signaling.relay(toBase64Url(notice));
  }

  /**
   * Viewer: the sender's page says that it was reloaded. That is true only if it can prove it, and
   * if the link to the page before does not answer any more. A notice that was recorded is told by
   * its nonce, or, after a reload of this page, by a link that still answers.
   */
  async #readNotice(message: Bytes): Promise<void> {
    const before = this.#state;
    // Without a link, this side starts over by itself.
    if (!isBound(before) || this.#resumed === null) return;
    const nonce = await verifyReloadNotice(this.#resumed.resume, message);
    if (nonce === null || this.#nonces.has(toBase64Url(nonce))) return;
    this.#nonces.add(toBase64Url(nonce));
    const answers = await this.#attempts.get(before.link)?.link?.answers();
    if (answers !== false || !isBound(this.#state) || this.#state.link !== before.link) return;
    // The attempt that follows answers those as well that arrived meanwhile.
    this.#notices.takeBack();
    this.#happen({ type: "reloaded" });
  }

  // The two machines

  #happen(event: ConnectionEvent): void {
    const { role, secret } = this.#options;
    const settings = { role, byCode: !(secret instanceof Uint8Array) };
    const { state, effects } = transition(this.#state, event, settings);
    this.#state = state;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: ConnectionEffect): void {
    const { handlers } = this.#options;
    switch (effect.do) {
      case "start":
        return this.#startAttempt(effect.attempt, effect.settle);
      case "drop":
        return this.#drop(effect.attempt);
      case "adopt":
        return this.#adopt(effect.attempt, effect.before);
      case "wait":
        return this.#timers.set(
          "wait",
          effect.ms,
          () => this.#happen({ type: "time", of: effect.for }),
        );
      case "stop_waiting":
        return this.#timers.clear("wait");
      case "tell_peer":
        return handlers.onPeer(effect.here);
      case "say_reloaded":
        return void this.#sayReloaded();
      case "set_reachable":
        for (const attempt of this.#attempts.values()) attempt.setReachable(effect.reachable);
        return;
      case "seat_gone":
        return this.#attempts.get(effect.attempt)?.seatGone();
      case "renew":
        return this.#context?.signaling.renew();
      case "turn_away":
        return this.#turnAway(effect.attempt);
      case "report_failed":
        return this.#report("failed");
      case "fail":
        this.#tearDown();
        return handlers.onFailed(effect.why, effect.retry);
      default:
        effect satisfies never;
    }
  }

  #guardHappens(event: GuardEvent): void {
    if (this.#options.role !== "S") return;
    const { state, effects } = guard(this.#guard, event);
    this.#guard = state;
    for (const effect of effects) this.#runGuard(effect);
  }

  #runGuard(effect: GuardEffect): void {
    const { handlers, store } = this.#options;
    switch (effect.do) {
      case "draw_words":
        return void this.#drawWords(effect.digits);
      case "show":
        store?.keep({ code: effect.code });
        return handlers.onCode(formatCode(effect.code));
      case "withdraw":
        store?.keep({ code: null });
        this.#context?.signaling.say({ t: "withdraw" });
        return handlers.onCode(null);
      case "keep":
        return void store?.keep({ misses: effect.misses });
      case "report":
        return handlers.onTurnedAway(effect.by, effect.withdrawn);
      case "dismiss":
        this.#context?.signaling.say({ t: "dismiss" });
        return handlers.onPeer(false);
      case "give_up":
        return this.#happen({ type: "impossible", why: "verification" });
      default:
        effect satisfies never;
    }
  }

  async #drawWords(digits: string): Promise<void> {
    const words = await this.#words();
    if (!this.#over) this.#guardHappens({ type: "words", digits, words });
  }

  // Attempts

  #startAttempt(number: number, settle: boolean): void {
    const context = this.#context;
    if (context === null) return;
    const { role, store } = this.#options;
    // A viewer who starts over by share link or code has to do the same after a reload.
    if (role === "R" && this.#resumed === null) store?.keep({ resumed: null });
    const mayRelay = this.#serverOffer.relay;
    const iceServers = this.#iceServers() ?? [];
    const relayOnly = this.#relayOnly;
    this.trace.turn = hasTurn(iceServers);
    this.trace.server = mayRelay;
    if (relayOnly && !mayRelay && !this.trace.turn) return this.#impossible(number, "no_relay");
    if (context.identity === null && !mayRelay) return this.#impossible(number, "no_webrtc");
    const live = isBound(this.#state) ? this.#attempts.get(this.#state.link) : undefined;
    const attempt = new Attempt(role, {
      context,
      before: live ?? null,
      code: this.#guard.code,
      resumed: this.#resumed,
      only: this.#only,
      iceServers: () => this.#iceServers(),
      relayOnly,
      mayRelay,
      trace: this.trace,
      settle,
      onAnswer: () => this.#answer(),
      onGuess: () => this.#guardHappens({ type: "guess" }),
      onProved: (guessed) => this.#proved(guessed),
      onKeys: (keys) => this.#keyed(number, keys),
      onBound: () => this.#happen({ type: "bound", attempt: number }),
      onRoute: (way) => {
        this.trace.route = way;
        this.#report(way);
        this.#options.handlers.onRoute(way);
      },
      onHealth: (health) => this.#happen({ type: "health", attempt: number, health }),
      onFailed: (why) => this.#failed(number, why),
    });
    this.#attempts.set(number, attempt);
  }

  /** An attempt can't even begin: a link that is bound goes on without it. */
  #impossible(number: number, why: ConnectFailure): void {
    if (isBound(this.#state)) this.#failed(number, "network");
    else this.#happen({ type: "impossible", why });
  }

  #failed(attempt: number | null, why: "network" | "verification"): void {
    this.#happen({ type: "failed", attempt, why, guarded: this.#guard.open });
  }

  #drop(number: number): void {
    const attempt = this.#close(number);
    if (attempt === undefined) return;
    const { spent, confirmed } = attempt;
    // Nobody will know whether that guess was right.
    if (spent && !confirmed) this.#guardHappens({ type: "guess_lost" });
  }

  #turnAway(number: number | null): void {
    this.#timers.clear("visitor");
    const { attemptedProof = "silence", spent = false } = this.#close(number) ?? {};
    this.#guardHappens({ type: "unproved", by: attemptedProof, counted: spent });
  }

  #close(number: number | null): Attempt | undefined {
    const attempt = number === null ? undefined : this.#attempts.get(number);
    if (number === null || attempt === undefined) return undefined;
    this.#attempts.delete(number);
    attempt.close();
    return attempt;
  }

  /** The link of this attempt is bound: from now on it is the one in use. */
  #adopt(number: number, before: number | null): void {
    const link = this.#attempts.get(number)?.link ?? null;
    if (link === null) return;
    const { handlers, store } = this.#options;
    this.#timers.clear("visitor");
    store?.keep({ bound: true, handshakes: 0 });
    if (before !== null) {
      this.#close(before);
      handlers.onReplaced();
    }
    handlers.onBound(link);
  }

  /**
   * The peer proved itself. Keeps the secret that resumes this handshake after a reload, before any
   * further message is sent: otherwise one side could become bound to a page that has forgotten it.
   */
  async #keyed(number: number, keys: SessionKeys): Promise<void> {
    const left = { resume: await keys.leave(), by: keys.by, sas: keys.sas };
    // Ended or dropped meanwhile, when this could not be overwritten yet.
    if (!this.#attempts.has(number)) return wipe(left.resume);
    // From now on the sender accepts it, whether or not the viewer receives the confirmation. A
    // viewer who did uses it, as the sender may be bound before them, and accept nothing else.
    this.#resumed = left;
    this.#happen({ type: "proved", attempt: number });
    await this.#options.store?.keep({ resumed: left });
  }

  /**
   * The ICE servers; `null` if their credentials have expired: TURN servers would refuse them.
   * Fresh ones arrive with each `peer` message.
   */
  #iceServers(): readonly IceServer[] | null {
    const { servers, until } = this.#serverOffer;
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

  /** Sender: the visitor's proof was right. */
  #proved(guessed: boolean): boolean {
    if (guessed) this.#guardHappens({ type: "guess_right" });
    return this.#countTo(MAX_HANDSHAKES);
  }

  /** Counts a handshake; false if there were more than `most`. */
  #countTo(most: number): boolean {
    this.#happen({ type: "counted", most });
    // Otherwise a reload would give new tries.
    this.#options.store?.keep({ handshakes: this.#state.handshakes });
    return this.#state.handshakes <= most;
  }

  /** For the server's statistics. */
  #report(way: Outcome): void {
    this.#context?.signaling.say({ t: "outcome", way });
  }
}

/** Draws words at the first call, and returns the same ones afterwards; `null` without a list. */
function drawOnce(kept: string | undefined): () => Promise<string | null> {
  let words = kept === undefined ? null : Promise.resolve<string | null>(kept);
  return () => words ??= loadWordlist().then(drawWords, () => null);
}
