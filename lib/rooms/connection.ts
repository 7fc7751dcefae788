/**
 * The server's side of one signaling socket: it waits for the first message, then holds a seat,
 * then is closed.
 *
 * @module
 */
import { toBase64Url } from "../protocol/bytes.ts";
import { CLOSE, type CloseReason } from "../protocol/close_codes.ts";
import {
  CONNECT_TIMEOUT_MS,
  MAX_DATA_MESSAGE_LENGTH,
  MAX_SIGNAL_LENGTH,
} from "../protocol/limits.ts";
import {
  type ClientMessage,
  parseClientMessage,
  type ServerMessage,
  type SignalError,
} from "../protocol/signaling.ts";
import type { Admission, Refusal } from "./admission.ts";
import type { Counters } from "../ops/metrics.ts";
import type { IceGuest, IceIssuer } from "../ops/turn.ts";
import type { Clock } from "../ops/clock.ts";
import { isCode } from "./codes.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { RelayBudget } from "./relay_budget.ts";
import type { Opening, RelayGate } from "./relay_gate.ts";
import { isForSender, operationOf, OTHER, type RoomMessage } from "./room.ts";
import type { Claim, Created, Denied, RoomStore, Seated, SeatEvent, Ticket } from "./store.ts";
import { hashToken, type RandomSource } from "../ops/tokens.ts";

/** What a connection needs from an open WebSocket. */
export interface Socket {
  /** Bytes passed to `send` that have not left yet. */
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code: number, reason: string): void;
}

/** The client of a socket, and the room it asks for. */
export interface Guest extends IceGuest {
  /** The room's own address, or digits that may lead to it. */
  readonly room: string;
  /** The key that limits are counted by. */
  readonly address: string;
  /** The connection comes from this machine itself. */
  readonly local: boolean;
  /**
   * False if this server lets only clients with its access key create rooms, and this client has
   * not entered it.
   */
  readonly mayCreate: boolean;
}

/** How a frame of the encrypted relay begins. */
const DATA = '{"t":"data",';

/**
 * By this time a viewer who joined by a code has proved that they know it, or was dismissed: the
 * sender waits for CONNECT_TIMEOUT_MS plus 5 s, and this is a little longer.
 */
const TRIAL_MS = CONNECT_TIMEOUT_MS + 10_000;

/** The part of a room's rate that its relay has, by how far it is open. */
const RELAY_SHARE = { closed: 0, repaired: 1 / 8, open: 1 } as const satisfies Record<
  Opening,
  number
>;

/** Size of the burst that the message rate allows, in ms. */
const BURST_MS = 2_000;

/** What a connection depends on. */
export interface ConnectionContext {
  readonly admission: Admission;
  readonly store: RoomStore;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: ConnectionLimits;
  /**
   * Creates the ICE servers for this seat, each time both seats are up. Without it no `ice` message
   * is sent.
   */
  readonly ice?: IceIssuer | undefined;
  /** Opens and pays for the encrypted relay, which is off if this is absent. */
  readonly relay?: { readonly gate: RelayGate; readonly budget: RelayBudget } | undefined;
  readonly counters?: Counters | undefined;
  /** Receives errors that the store threw; the client only receives `busy`. */
  readonly onError: (error: unknown) => void;
}

type FirstMessage = Extract<ClientMessage, { t: "create" | "join" | "resume" }>;
type LaterMessage = Exclude<ClientMessage, FirstMessage>;

type State =
  | { readonly at: "waiting" }
  /**
   * Waiting for the store. Events for the seat that arrive meanwhile are sent after the `welcome`.
   */
  | { readonly at: "claiming"; readonly early: SeatEvent[] }
  | { readonly at: "seated"; readonly ticket: Ticket }
  /**
   * Messages received before the close are still handled for the seat: a page sends `delete` and
   * closes immediately.
   */
  | { readonly at: "closed"; readonly ticket: Ticket | null };

/**
 * The state machine of one socket. Call `receive` and `closed` as the socket's events fire; it
 * closes the socket itself when necessary.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #guest: Guest;
  readonly #context: ConnectionContext;
  readonly #id: string;
  #state: State = { at: "waiting" };
  #cancelTimer: () => void;
  #heardAt: number;
  #nextPing = 0;
  /** Rate limit in one number: the time up to which the allowance is used up. */
  #paidAt = -Infinity;
  /**
   * The time from which a join by digits counts as successful; `null` if there is no such join, or
   * it was decided.
   */
  #trialEnds: number | null = null;
  /**
   * Handles messages one after the other, however long the store takes, which keeps relayed
   * messages in order.
   */
  #queue: Promise<void> = Promise.resolve();
  #pending = 0;
  /** Characters of `data` frames in the queue. */
  #pendingData = 0;
  /** The other seat came up, and this seat has not reported the outcome of that connection yet. */
  #mayReport = false;
  /**
   * The message that took the seat (`make` for a `create` that made the room); `null` once the
   * client has sent another message, which proves that it has its rtok.
   */
  #unheard: FirstMessage["t"] | "make" | null = null;

  /** `socket` must be open. */
  constructor(socket: Socket, guest: Guest, context: ConnectionContext) {
    this.#socket = socket;
    this.#guest = guest;
    this.#context = context;
    this.#id = toBase64Url(context.random(16));
    this.#heardAt = context.clock.now();
    this.#cancelTimer = context.clock.after(
      context.limits.firstMessageMs,
      () => this.end("timeout"),
    );
  }

  /** Handles the data of one WebSocket message. */
  receive(data: unknown): void {
    if (this.#isClosed()) return;
    this.#heardAt = this.#context.clock.now();
    const { limits, relay } = this.#context;
    const isData = relay !== undefined && typeof data === "string" && data.startsWith(DATA);
    // Frames of the encrypted relay have a budget of their own, which slows clients down instead of
    // disconnecting them.
    if (!isData && this.#isTooFast(this.#heardAt)) return this.end("busy");
    const longest = isData ? MAX_DATA_MESSAGE_LENGTH : MAX_SIGNAL_LENGTH;
    if (typeof data !== "string" || data.length > longest) return this.end("tooLarge");
    const message = parseClientMessage(data);
    if (message === null) return this.end("malformed");
    if (this.#pending >= limits.maxPending) return this.end("busy");
    if (isData && this.#pendingData >= limits.maxPendingData) return this.end("busy");
    if (isData) this.#pendingData += data.length;
    this.#enqueue(() =>
      this.#handle(message).finally(() => {
        if (isData) this.#pendingData -= data.length;
      })
    );
  }

  /** The address of the room in which this socket holds a seat, or `null`. */
  get room(): string | null {
    return this.#state.at === "seated" ? this.#state.ticket.room : null;
  }

  /**
   * Call when the socket is closed. Repeated calls are harmless: Deno fires `close` twice after an
   * idle timeout.
   */
  closed(): void {
    if (this.#isClosed()) return;
    const ticket = this.#state.at === "seated" ? this.#state.ticket : null;
    this.#state = { at: "closed", ticket };
    this.#cancelTimer();
    this.#judge();
    if (ticket !== null) this.#enqueue(() => this.#giveBack(ticket));
  }

  /**
   * Closes the socket with the code for `reason`. The seat is released immediately and not when
   * `close` fires, because a client that stopped reading can delay that event.
   */
  end(reason: CloseReason): void {
    if (this.#isClosed()) return;
    const { counters } = this.#context;
    if (reason === "slow") counters?.count("limits", "slow_reader");
    if (reason === "refused" || reason === "busy" || reason === "access") {
      counters?.count("refusals", reason);
    }
    this.closed();
    this.#socket.close(CLOSE[reason], reason);
  }

  #enqueue(task: () => Promise<void>): void {
    this.#pending++;
    this.#queue = this.#queue
      .then(task)
      .catch((error) => this.#fail(error))
      .finally(() => this.#pending--);
  }

  #isClosed(): boolean {
    return this.#state.at === "closed";
  }

  async #handle(message: ClientMessage): Promise<void> {
    const state = this.#state;
    switch (message.t) {
      case "create":
      case "join":
      case "resume":
        if (state.at === "waiting") await this.#claim(message);
        else this.end("outOfTurn");
        return;
      default:
        if ("ticket" in state && state.ticket !== null) await this.#act(message, state.ticket);
        else this.end("outOfTurn");
    }
  }

  async #claim(message: FirstMessage): Promise<void> {
    const early: SeatEvent[] = [];
    this.#state = { at: "claiming", early };
    this.#cancelTimer();
    this.#nextPing = this.#context.clock.now() + this.#context.limits.heartbeatMs;
    this.#beat();

    const guessing = message.t === "join" && isCode(this.#guest.room);
    if (message.t === "create" && !this.#guest.mayCreate) return this.end("access");
    const regular = this.#context.admission.isRegular(this.#guest.address);
    const refused = this.#admit(message, guessing);
    if (refused !== null) return this.#deny("busy", refused.retry);
    const rtok = toBase64Url(this.#context.random(32));
    const result = await this.#ask(message, rtok, regular);
    if (result === "refused" || result === "busy") return this.#deny(result);
    const ticket: Ticket = { room: result.room, conn: this.#id, seat: result.seat };
    if (guessing) this.#trialEnds = this.#context.clock.now() + TRIAL_MS;
    this.#unheard = "made" in result && result.made ? "make" : message.t;
    if (this.#isClosed()) return await this.#giveBack(ticket);

    this.#state = { at: "seated", ticket };
    const by = guessing ? "code" : message.t === "join" ? "link" : message.t;
    this.#context.counters?.count("joins", by);
    this.#send(welcome(result, rtok));
    for (const event of early) this.#hear(event);
  }

  #admit(message: FirstMessage, guessing: boolean): Refusal | null {
    const { admission } = this.#context;
    if (message.t === "create") return admission.create(this.#guest.address);
    return guessing ? admission.guess(this.#guest.address) : null;
  }

  /**
   * Acquits a join by digits that lasted for TRIAL_MS. If the viewer disconnected earlier, the join
   * counts as failed.
   */
  #judge(): void {
    if (this.#trialEnds !== null && this.#context.clock.now() >= this.#trialEnds) this.#acquit();
  }

  #acquit(): void {
    if (this.#trialEnds !== null) this.#context.admission.acquit(this.#guest.address);
    this.#trialEnds = null;
  }

  #isTooFast(now: number): boolean {
    const { admission } = this.#context;
    this.#paidAt = Math.max(this.#paidAt, now - BURST_MS) +
      1_000 / admission.limits.messagesPerSecond;
    if (this.#paidAt <= now) return false;
    admission.tooFast();
    return true;
  }

  #ask(
    message: FirstMessage,
    rtok: string,
    regular: boolean,
  ): Promise<Created | Seated | Denied> {
    const { store } = this.#context;
    const salt = () => toBase64Url(this.#context.random(32));
    const claim: Claim = {
      room: this.#guest.room,
      conn: this.#id,
      rtok: hashToken(rtok),
      listener: (event) => this.#hear(event),
      regular,
    };
    switch (message.t) {
      case "create":
        return store.create(claim, {
          own: message.own,
          join: message.join,
          ttl: message.ttl,
          salt: salt(),
        });
      case "join":
        return store.join(
          claim,
          message.tok === undefined ? null : hashToken(message.tok),
          salt(),
        );
      case "resume":
        return store.resume(claim, hashToken(message.rtok));
    }
  }

  /**
   * Releases the seat of a closed socket. A viewer who sent nothing since joining may not have
   * received their rtok: then their seat is not kept, and they can join again. Nor is a room whose
   * creator sent nothing since: it would cost one message to fill a place for two minutes.
   */
  async #giveBack(ticket: Ticket): Promise<void> {
    const { store } = this.#context;
    const nobody = this.#unheard === "join" || this.#unheard === "make";
    await store.act(ticket, { t: nobody ? "leave" : "lose" });
  }

  async #act(message: LaterMessage, ticket: Ticket): Promise<void> {
    const { admission, counters, relay, store } = this.#context;
    if (this.#unheard === "resume") await store.act(ticket, { t: "confirm" });
    this.#unheard = null;
    switch (message.t) {
      case "relay":
        if (!admission.relay(ticket.room, message.d.length)) return this.#deny("busy");
        // Whether anybody heard it or not: the frames behind it are not its sender's fault.
        relay?.gate.saw(ticket.room, ticket.seat, message.d);
        if (await store.act(ticket, message)) counters?.count("relays", "peer");
        else {
          counters?.count("relays", "nobody");
          this.#send({ t: "err", code: "no_peer" });
        }
        return;
      case "data":
        return await this.#passOn(message, ticket);
      case "outcome":
        // Counted once for each time that both seats are up, so repeating it does not distort the
        // statistics.
        if (this.#mayReport) counters?.count("outcomes", message.way);
        this.#mayReport = false;
        return;
      case "pong":
        return;
      default:
        return await this.#decide(message, ticket);
    }
  }

  /** Lets the room decide about a message. */
  async #decide(message: RoomMessage, ticket: Ticket): Promise<void> {
    const operation = operationOf(message);
    if (isForSender(operation) && ticket.seat !== "sender") return this.end("outOfTurn");
    const done = await this.#context.store.act(ticket, operation);
    if (message.t === "delete" && !done) this.#deny("refused");
    // A sender first receives `gone`, because leaving ends the room.
    if (message.t === "leave" && ticket.seat === "viewer") this.end("done");
  }

  /** Relays a frame of the encrypted relay, at most as fast as the room's budget allows. */
  async #passOn(frame: Extract<ClientMessage, { t: "data" }>, ticket: Ticket): Promise<void> {
    const { length } = frame.d;
    const { clock, counters, relay, store } = this.#context;
    const { room } = ticket;
    const share = RELAY_SHARE[relay?.gate.opening(room) ?? "closed"];
    // No client was told of a relay, or none is as far as to use it: a protocol violation.
    if (relay === undefined || share === 0) return this.end("outOfTurn");
    const wait = relay.budget.take({ room, client: this.#guest.address, length, share });
    if (wait === null) {
      counters?.count("limits", "relay");
      return this.#deny("busy");
    }
    if (wait > 0) await new Promise<void>((resolve) => void clock.after(wait, resolve));
    const passed = await store.act(ticket, frame);
    counters?.count("relay_frames", passed ? "peer" : "nobody");
    counters?.count("relay_bytes", passed ? "peer" : "nobody", length);
    if (!passed) this.#send({ t: "err", code: "no_peer" });
  }

  #hear(event: SeatEvent): void {
    const state = this.#state;
    if (state.at === "claiming") state.early.push(event);
    if (state.at !== "seated") return;
    switch (event.t) {
      case "peer": {
        // Sent before `peer`, because the attempt that begins with `peer` uses these servers. A
        // client whose peer is absent gets none.
        const ice = event.up ? this.#context.ice?.(this.#guest) : null;
        if (ice) this.#send(ice);
        this.#mayReport = event.up;
        return this.#send(event);
      }
      case "relay":
        this.#context.relay?.gate.saw(state.ticket.room, OTHER[state.ticket.seat], event.d);
        return this.#send(event);
      case "data":
        return this.#send(event);
      case "gone":
        this.#context.relay?.gate.forget(state.ticket.room);
        this.#acquit();
        this.#send(event);
        return this.end(
          state.ticket.seat === "sender" && event.why === "deleted" ? "done" : "gone",
        );
      case "dismissed":
        this.#trialEnds = null;
        return this.end(event.t);
      case "superseded":
        return this.end(event.t);
      case "astray":
        return this.end("restart");
      default:
        event satisfies never;
    }
  }

  #send(message: ServerMessage): void {
    if (this.#isClosed()) return;
    if (this.#socket.bufferedAmount > this.#context.limits.maxBuffered) return this.end("slow");
    try {
      this.#socket.send(JSON.stringify(message));
    } catch {
      // Deno throws if the socket is already closing; its `close` event has not fired yet.
      this.closed();
    }
  }

  #deny(code: Extract<SignalError, CloseReason>, retry?: number): void {
    this.#send(retry === undefined ? { t: "err", code } : { t: "err", code, retry });
    this.end(code);
  }

  #fail(error: unknown): void {
    this.#context.onError(error);
    this.#deny("busy");
  }

  #beat(): void {
    const { clock, limits } = this.#context;
    const now = clock.now();
    this.#judge();
    const deadAt = this.#heardAt + limits.heartbeatTimeoutMs;
    if (now >= deadAt) return this.end("timeout");
    if (now >= this.#nextPing) {
      this.#nextPing = now + limits.heartbeatMs;
      this.#send({ t: "ping" });
      if (this.#isClosed()) return;
    }
    this.#cancelTimer = clock.after(Math.min(deadAt, this.#nextPing) - now, () => this.#beat());
  }
}

function welcome(seated: Created | Seated, rtok: string): ServerMessage {
  const { salt } = seated;
  if (!("code" in seated)) return { t: "joined", rtok, salt };
  const { exp, code } = seated;
  return code === null
    ? { t: "created", exp, rtok, salt }
    : { t: "created", exp, rtok, salt, code };
}
