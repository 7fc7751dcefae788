/**
 * From a link or a code to a bound connection: seat, handshake, WebRTC. Whenever both seats are
 * filled and nothing is bound, the viewer starts a handshake; a lost socket, a reload of the server
 * or a second try are all repaired by starting over.
 *
 * A page that is loaded again comes back with what the page before it kept: the two do the
 * handshake once more, by what the first one left both of them, beside the connection that the
 * other page may take for alive. It is over when the other proved himself.
 *
 * Where the server gave digits anybody can get to the viewer's seat, so a sender turns away who
 * does not prove himself there, and withdraws the code after three; without them only the link's
 * token leads there, and a wrong proof ends the session.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, fromBase64Url, toBase64Url } from "../protocol/bytes.ts";
import { AGAIN_LENGTH, HANDSHAKE, MODE } from "../protocol/handshake.ts";
import {
  CONNECT_TIMEOUT_MS,
  MAX_CODE_GUESSES,
  MAX_HANDSHAKES,
  MAX_TTL_S,
  PROTOCOL_VERSION,
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
 * A sender waits this much longer than an honest viewer tries, before he turns a silent one away,
 * in milliseconds.
 */
const SILENCE_MARGIN_MS = 5_000;

/**
 * A viewer who was told that the sender is away asks the server anew after so long, in
 * milliseconds: that may have overtaken the word that she is back, and then both would wait for
 * each other until the room is too old.
 */
const ASK_AGAIN_MS = 40_000;

/**
 * A sender who had to turn away this many is not waiting for anybody but the server that sends
 * them.
 */
const MAX_TURNED_AWAY = 10;

/** Why no connection came about, or why the room ended before one did. */
export type ConnectFailure =
  | Exclude<SignalingEnd, "gone">
  | `room_${GoneReason}`
  | "network"
  | "timeout"
  | "verification"
  /** The sender turned this viewer away: his code was wrong. */
  | "wrong_code"
  /** The own address was to stay hidden, and this server has no relay. */
  | "no_relay"
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
  /** Sender: the code that leads to the room as well, or `null` from its withdrawal on. */
  onCode(code: string | null): void;
  /**
   * Sender: somebody came who could not prove that he has the link or the code; `withdrawn` when
   * that cost the code.
   */
  onTurnedAway(claim: Claim, withdrawn: boolean): void;
  /**
   * Bound: listen on the link at once. Called again each time that the other page was loaded anew:
   * the one before is over.
   */
  onBound(link: SecureLink): void;
  /**
   * The other page was loaded anew and proved itself: the link that was bound is over, and another
   * one is on its way.
   */
  onAgain(): void;
  /** Which way it goes, each time that this changes. */
  onRoute(route: Route): void;
  /**
   * Called once at most, and never after `onBound`: what was bound ends otherwise. `retry`: seconds
   * after which a busy server is worth trying again.
   */
  onFailed(why: ConnectFailure, retry?: number): void;
}

/** Settings of a {@linkcode Connector}. */
export interface ConnectorOptions {
  readonly role: Role;
  /** The link's secret, 32 bytes, overwritten by `end()`; or the code that a viewer was told. */
  readonly secret: Bytes | Code;
  /** `ws(s)://host`, without a path. */
  readonly server: string;
  readonly handlers: ConnectorHandlers;
  /**
   * Whether the server says beforehand that it passes encrypted records on; without WebRTC there is
   * no other way.
   */
  readonly relay?: boolean;
  /** Where to leave what a page after this one would need. */
  readonly keeper?: Keeper;
  /** What a page before this one left, and the token that takes its seat back. */
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

/** Overwrites what can be: the words of a code are a string. */
function wipeAddress({ ownerToken, secret }: Address): void {
  if (ownerToken !== null) wipe(ownerToken);
  if ("psk" in secret) wipe(secret.psk);
}

/** What the server offers to get through with. */
interface Ways {
  readonly servers: readonly IceServer[];
  /** When the servers' credentials are too old, by performance.now(). */
  readonly until: number;
  /** It passes encrypted records on by itself. */
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
  /** What is not bound yet. */
  #attempt: Attempt | null = null;
  /** What is. */
  #live: Attempt | null = null;
  #bound = false;
  /** What an earlier handshake left: the viewer comes by it, the sender lets him. */
  #resumed: ResumeSecret | null;
  /** Somebody was bound, now or before the page was loaded again: nobody else may come. */
  #only: boolean;
  #over = false;
  /** Viewer: when he gives up, or asks the server anew who is there. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /**
   * Sender: when this visitor has to have proved himself, however often he goes and comes back
   * meanwhile.
   */
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** Viewer: an attempt was under way, and what its sender said may still be on its way. */
  #again = false;
  /** Handshakes that were confirmed (sender) or answered (viewer), and led to nothing yet. */
  #handshakes = 0;
  /**
   * Sender: the server gave digits, so the seat is open to whoever tries them. It may not have
   * heard of a withdrawal.
   */
  #open = false;
  /** Sender: the code that is out. */
  #code: Code | null = null;
  /**
   * Sender: drawn once, whatever digits the server gives; `null` where the list could not be
   * loaded.
   */
  #words: Promise<string | null> | null = null;
  /** Sender: visitors who did not prove themselves; while a code is out each is a guess. */
  #misses = 0;
  /** What the handshake under way leaves, once it is bound. */
  #left: ResumeSecret | null = null;
  /** Sender: whoever sat there was sent away, and nobody has joined since. */
  #dismissed = false;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    const { kept } = options;
    this.#resumed = kept?.resumed ?? null;
    this.#only = kept?.bound ?? false;
    this.#misses = kept?.misses ?? 0;
    this.#code = kept?.code ?? null;
    // Whoever tried the digits, tried them.
    this.#open = this.#code !== null || this.#misses > 0;
    if (this.#code !== null) this.#words = Promise.resolve(this.#code.words);
  }

  /** Hides the own address from the other side, or not, in each attempt from now on. */
  hideAddress(on: boolean): void {
    this.#relayOnly = on;
  }

  /** Takes the seat and goes on by itself from there. WebRTC and WebCrypto have to be there. */
  async start(): Promise<void> {
    const { secret, server, handlers, relay = false, keeper, kept } = this.#options;
    const [address, kem, identity] = await Promise.all([
      findAddress(this.#options),
      // Its fallback is a script of the server's.
      loadKem().catch(() => null),
      createIdentity().catch(() => null),
    ]);
    // Ended meanwhile: `end` had nothing of this to overwrite yet.
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
          // Back, it says first who is there.
          if (!contact) this.#current?.setReachable(false);
          handlers.onContact(contact);
        },
        onEnd: (why, retry) => this.#signalingEnded(why, retry),
      },
    });
    this.#ground = { address, kem, identity, fingerprint, signaling };
  }

  /**
   * Ends the seat, and the whole room when this is its sender, once `after` is over: what goes
   * through the server has to leave before. Idempotent; nothing is called afterwards.
   */
  end(after?: Promise<void>): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#patience);
    this.#attempt?.close();
    this.#live?.close();
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
        if (frame !== null) this.#current?.receiveFrame(frame);
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
        if (message.code === "no_peer") this.#current?.mislaid();
        return;
      case "ping":
        return;
      default:
        message satisfies never;
    }
  }

  /** What is bound; else what may come of the attempt under way. */
  get #current(): Attempt | null {
    return this.#live ?? this.#attempt;
  }

  #keepSeat({ rtok, salt }: { readonly rtok: string; readonly salt?: string }): void {
    const path = this.#ground?.address.path;
    if (path !== undefined) this.#options.keeper?.seated({ path, rtok, salt });
  }

  #seated(): void {
    // Another server, perhaps, or the same one with other settings.
    this.#ways = NO_WAYS;
    // What was under way is half lost: it begins anew, and what the old attempt still says would
    // only confuse. Its time runs on until `peer` says more: a server that says this and then
    // nothing must not keep anybody waiting for ever.
    if (!this.#bound) this.#abandon();
    this.#options.handlers.onSeated();
  }

  /**
   * Makes the code of the digits that the server gave. A server that restarted gives others; the
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
    // Digits that nobody is told are an open door and nothing else.
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
    // Once bound, the two know of each other better than the server does.
    if (this.#bound) return this.#boundPeerChanged(here, by);
    this.#drop();
    if (this.#dismissed && here) {
      // He came back before the server had heard that he has to go.
      if (by === "resume") return this.#ground?.signaling.say({ t: "dismiss" });
      this.#dismissed = false;
    }
    this.#options.handlers.onPeer(here);
    if (this.#options.role === "S") {
      // He takes his connection for alive.
      if (here && this.#only) this.#sayAgain();
      return this.#visited(here, by);
    }
    if (!here) {
      this.#timer = setTimeout(() => this.#ground?.signaling.renew(), ASK_AGAIN_MS);
      return;
    }
    // The viewer begins, and gives up.
    this.#restart();
    this.#timer = setTimeout(() => {
      this.#fail(this.#attempt?.confirmed === true ? "network" : "timeout");
    }, CONNECT_TIMEOUT_MS);
  }

  #boundPeerChanged(here: boolean, by: PeerCause): void {
    // Nobody is at the other end of what goes through the server.
    if (!here && by === "leave") this.#current?.abandon();
    else this.#current?.setReachable(here);
  }

  #sayAgain(): void {
    const again = new Uint8Array([HANDSHAKE.again, PROTOCOL_VERSION]);
    this.#ground?.signaling.relay(toBase64Url(again));
  }

  /** Sender: goes on waiting, but nobody keeps the seat from others without a word. */
  #visited(here: boolean, by: PeerCause): void {
    if (by === "join" || by === "leave") clearTimeout(this.#patience);
    if (!here || by !== "join") return;
    this.#patience = setTimeout(() => {
      if (this.#open && !this.#bound && this.#attempt?.confirmed !== true) this.#turnAway();
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
    // Nobody will ever know whether that was right: a guess all the same, or guesses would be free.
    if (attempt.spent && !attempt.confirmed) this.#missed("code");
  }

  #relayed(d: string): void {
    // All that was on its way when he was sent away would be held against whoever comes next.
    if (this.#dismissed) return;
    const message = fromBase64Url(d);
    if (message === null) return this.#broken(null);
    const [type, , mode] = message;
    if (this.#options.role === "S" && type === HANDSHAKE.commit) {
      // A viewer who lost his socket commits anew: that begins a new attempt. Once he is bound he
      // comes back by that, and nobody comes otherwise.
      if (this.#bound && mode !== MODE.resume) return;
      this.#restart();
    } else if (this.#options.role === "R" && type === HANDSHAKE.again) {
      // Nothing proves it. If it is not true, what is bound does not notice.
      if (this.#bound && message.length === AGAIN_LENGTH) this.#restart();
      return;
    }
    const early = type !== undefined && type < HANDSHAKE.answer;
    (early ? this.#attempt : this.#current)?.receive(message);
  }

  #restart(): void {
    const ground = this.#ground;
    if (ground === null) return;
    this.#abandon();
    // A viewer who begins by link or code once more has to be taken for one, also by the page after
    // this one.
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
    const attempt: Attempt = new Attempt(this.#options.role, {
      ground,
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
        this.#bound = this.#only = true;
        this.#handshakes = 0;
        this.#live = attempt;
        this.#attempt = null;
        clearTimeout(this.#timer);
        clearTimeout(this.#patience);
        this.#resumed = this.#left;
        this.#options.keeper?.keep({ bound: true });
        this.#options.handlers.onBound(link);
      },
      onRoute: (way) => {
        this.trace.route = way;
        this.#report(way);
        this.#options.handlers.onRoute(way);
      },
      onFailed: (why) => {
        if (attempt !== this.#attempt) return;
        // Whoever that was, and whatever he said: what is bound is none of it.
        if (this.#bound) return this.#drop();
        if (why === "verification") return this.#broken(attempt);
        if (this.#options.role === "R") return this.#fail(why);
        // A sender's link is not spent on one visitor's network.
        this.#report("failed");
        this.#drop();
      },
    });
    this.#attempt = attempt;
  }

  /**
   * The other side proved itself, and would come back by this handshake if a page was loaded again:
   * kept before anything else is said, so that neither of them can be bound to one that has
   * forgotten it. What was bound before is over: that page is gone.
   */
  async #keyed(keys: SessionKeys): Promise<void> {
    const before = this.#left;
    this.#left = { resume: await keys.leave(), by: keys.by };
    // Ended meanwhile, when this was not there yet.
    if (this.#over) return wipe(this.#left.resume);
    if (before !== null && before !== this.#resumed) wipe(before.resume);
    // The sender lets him come by it from now on, whether or not he hears of it.
    if (this.#options.role === "S") this.#resumed = this.#left;
    const live = this.#live;
    this.#live = null;
    if (live !== null) {
      live.close();
      this.#options.handlers.onAgain();
    }
    await this.#options.keeper?.keep({ resumed: this.#left });
  }

  /**
   * `null`: what the server named is too old, and would only be refused; each `peer` comes with
   * something new.
   */
  #iceServers(): readonly IceServer[] | null {
    const { servers, until } = this.#ways;
    return servers.length === 0 || performance.now() < until ? servers : null;
  }

  /**
   * Viewer: each answer tells whoever gets it whether one guess at a code was right, and what there
   * will be to compare.
   */
  #answer(): boolean {
    const most = this.#options.secret instanceof Uint8Array ? MAX_HANDSHAKES : MAX_CODE_GUESSES;
    return this.#countTo(most);
  }

  /**
   * Sender: the visitor has what he said; what was held against him before it was looked at is
   * forgotten.
   */
  #proved(guessed: boolean): boolean {
    if (guessed) this.#misses--;
    return this.#countTo(MAX_HANDSHAKES);
  }

  /**
   * False, and over, with one handshake too many: a line that breaks that often, or somebody who
   * makes it break.
   */
  #countTo(most: number): boolean {
    if (++this.#handshakes <= most) return true;
    this.#fail("timeout");
    return false;
  }

  /** What came was not what the protocol asks for. */
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
    // The code goes first: whoever else tries the digits must not find the seat that is emptied, on
    // which nobody would guess any more.
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
    if (this.#bound) return this.#current?.abandon();
    if (why === "dismissed") {
      // It is the sender who turns away: a server that says so to her makes no sense.
      if (this.#options.role === "S") return this.#fail("protocol");
      return this.#fail(this.#options.secret instanceof Uint8Array ? "dismissed" : "wrong_code");
    }
    // The message `gone` said more, just before; then this changes nothing.
    this.#fail(why === "gone" ? "room_deleted" : why, retry);
  }

  /** For the server's statistics. */
  #report(way: Outcome): void {
    this.#ground?.signaling.say({ t: "outcome", way });
  }

  #fail(why: ConnectFailure, retry?: number): void {
    if (this.#over || this.#bound) return;
    if (why === "network") this.#report("failed");
    this.end();
    this.#options.handlers.onFailed(why, retry);
  }
}
