/**
 * Rooms on Redis or Valkey, shared by any number of instances.
 *
 * The room is in Redis (redis_scripts.ts); an instance holds only the listeners of its own sockets.
 * A script that causes an event adds it to the room's stream and publishes on the channel (the
 * “bell”) of the instance that holds the seat. That notification may get lost, so streams are also
 * read at every renewal of a lease. Each event is delivered once and then deleted from the stream.
 *
 * While Redis is unavailable nobody gets a seat (`busy`) and nothing is relayed, but holders keep
 * their seats: an instance catches up when Redis is back. Redis remains the only source of truth.
 *
 * @module
 */
import { toBase64Url } from "../protocol/bytes.ts";
import { parseServerMessage } from "../protocol/signaling.ts";
import { type Clock, systemClock } from "../ops/clock.ts";
import { digitsFor, guessCode, isCode } from "./codes.ts";
import {
  REDIS_LIMITS,
  type RedisLimits,
  roomsFor,
  STORE_LIMITS,
  type StoreLimits,
} from "./limits.ts";
import { RedisAway, RedisLink } from "./redis_link.ts";
import { KEY, REDIS_NOW, redisScripts, type Script, type Scripts } from "./redis_scripts.ts";
import type { SeatOperation } from "./room.ts";
import type {
  Claim,
  Created,
  Denied,
  RoomStore,
  RoomTerms,
  Seated,
  SeatEvent,
  SeatListener,
  Ticket,
} from "./store.ts";
import { type RandomSource, systemRandom, type TokenHash } from "../ops/tokens.ts";

/** Options of {@linkcode RedisRoomStore}. */
export interface RedisRoomStoreOptions {
  /** `redis(s)://…` */
  readonly url: string;
  /** For this instance's timers. */
  readonly clock?: Clock;
  /** Current time in Redis, in ms, as a Lua expression: the clock for all deadlines. */
  readonly now?: string;
  /** Random source for the digits of codes. */
  readonly random?: RandomSource;
  readonly limits?: Partial<StoreLimits & RedisLimits>;
  /** Redis became unavailable (`reason` names the error) or available again (`null`). */
  readonly onChange?: (reason: string | null) => void;
  /** Receives errors of background work. */
  readonly onError?: (error: unknown) => void;
}

/** A seat whose socket is connected to this instance. */
interface Local {
  readonly room: string;
  readonly conn: string;
  readonly listener: SeatListener;
  /** Redis granted the seat; no events are delivered before that. */
  granted: boolean;
  touchedAt: number;
  /** Ids of events that were delivered but may still be in the stream. */
  read: string[];
  /** The read in progress, and whether another one has to follow it. */
  reading: Promise<void> | null;
  again: boolean;
  /** Something that this seat sent was lost: both sides have to start over. */
  astray: boolean;
}

/** Candidates for a code per script, and number of scripts: 64 draws in total, as in memory. */
const DRAWS = 8;
const DRAW_ROUNDS = 8;

/**
 * Operations that are not made up for when Redis is back: the other seat may be another person's by
 * then. Both sides start over instead.
 */
const LOST_WITH_REDIS: ReadonlySet<SeatOperation["t"]> = new Set(["relay", "data", "dismiss"]);

/** Seats or rooms that are processed at once. */
const BATCH = 500;

/** A {@linkcode RoomStore} on Redis. */
export class RedisRoomStore implements RoomStore, AsyncDisposable {
  readonly #link: RedisLink;
  readonly #scripts: Scripts;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #limits: StoreLimits & RedisLimits;
  readonly #options: RedisRoomStoreOptions;
  readonly #instance: string;
  readonly #seats = new Map<string, Local>();
  /**
   * Operations to run when Redis is back. Each is fenced by its connection id, so running it late
   * or twice is harmless.
   */
  readonly #owed: (() => Promise<unknown>)[] = [];
  #cancelTimer: () => void;
  #tending: Promise<void> | null = null;
  /** What `onChange` was told last; `undefined` before the first call. */
  #reason: string | null | undefined;

  constructor(options: RedisRoomStoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#limits = { ...STORE_LIMITS, ...REDIS_LIMITS, ...options.limits };
    this.#scripts = redisScripts(this.#limits, options.now ?? REDIS_NOW);
    // Not from `random`: two instances with the same name would receive each other's notifications.
    this.#instance = toBase64Url(systemRandom(16));
    this.#link = new RedisLink({
      url: options.url,
      channel: KEY.bell(this.#instance),
      operationMs: this.#limits.operationMs,
      handlers: {
        onBell: (conn) => this.#ring(conn),
        onReady: () => this.#back(),
        onAway: (reason) => this.#changed(reason),
      },
    });
    this.#cancelTimer = this.#clock.after(this.#limits.sweepMs, () => this.#tick());
  }

  /** True if Redis is available. */
  get ready(): boolean {
    return this.#link.ready;
  }

  /** Number of seats whose sockets are connected to this instance. */
  get size(): number {
    return this.#seats.size;
  }

  create(claim: Claim, terms: RoomTerms): Promise<Created | Denied> {
    if (isCode(claim.room)) return Promise.resolve("refused");
    return this.#claim(claim, claim.room, async () => {
      const again = await this.#create(claim, terms, null);
      if (again !== "none") return again;
      const ms = terms.ttl * 1_000;
      if (!await this.#admit(claim, ms)) return "busy";
      const code = await this.#drawCode(claim.room, ms);
      const made = await this.#create(claim, terms, { ms, code: code ?? "" });
      if (made === "none") throw new TypeError("Cannot create room: Redis made none");
      // Someone else created the room meanwhile, with digits of its own.
      const used = typeof made === "object" && made.code === code;
      if (code !== null && !used) await this.#retireCode(claim.room, code, false);
      return made;
    });
  }

  async join(claim: Claim, token: TokenHash | null, salt: string): Promise<Seated | Denied> {
    const room = await this.#lead(claim.room);
    if (room === "busy") return room;
    const code = isCode(claim.room) ? claim.room : "";
    if (code === "" && token === null) return "refused";
    return this.#claim(claim, room, async () => {
      const answer = await this.#run(
        this.#scripts.join,
        room,
        [claim.conn, this.#instance, claim.rtok, token ?? "", code, salt],
      );
      return seated(room, answer);
    });
  }

  async resume(claim: Claim, token: TokenHash): Promise<Seated | Denied> {
    const room = await this.#lead(claim.room);
    if (room === "busy") return room;
    const code = isCode(claim.room) ? claim.room : "";
    const ask = async () => {
      const answer = await this.#run(
        this.#scripts.resume,
        room,
        [claim.conn, this.#instance, claim.rtok, token, code],
      );
      return seated(room, answer);
    };
    return this.#claim(claim, room, ask, "lose");
  }

  async act(ticket: Ticket, what: SeatOperation): Promise<boolean> {
    // A sender who leaves still has to receive `gone`.
    const isGone = what.t === "lose" || (what.t === "leave" && ticket.seat === "viewer");
    if (isGone) this.#seats.delete(ticket.conn);
    const attempt = () => this.#act(ticket, what);
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RedisAway)) throw error;
      if (LOST_WITH_REDIS.has(what.t)) this.#mislaid(ticket);
      else this.#owe(attempt);
      if (what.t === "delete") throw error;
      return false;
    }
  }

  /**
   * Runs postponed operations, renews every seat's lease and checks every room that is due.
   * Resolves when all events that were in the streams before have been delivered.
   */
  async catchUp(): Promise<void> {
    await this.#payBack();
    await inBatches([...this.#seats.values()], (seat) => this.#tend(seat));
    await this.#sweep();
  }

  /** Closes the connections to Redis. Seats are not released: their leases run out. */
  async close(): Promise<void> {
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    this.#seats.clear();
    await this.#link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Asks Redis for a seat: granted, refused, or `busy` if there is no result. In the last case
   * `viewer` says how a viewer's seat is released; one that was just joined need not be kept.
   */
  async #claim<T extends Seated>(
    { conn, listener }: Claim,
    room: string,
    ask: () => Promise<T | Denied>,
    viewer: "leave" | "lose" = "leave",
  ): Promise<T | Denied> {
    if (!this.ready) return "busy";
    // Registered before asking Redis: events may arrive before the result.
    const seat: Local = {
      room,
      conn,
      listener,
      granted: false,
      touchedAt: this.#clock.now(),
      read: [],
      reading: null,
      again: false,
      astray: false,
    };
    this.#seats.set(conn, seat);
    try {
      const answer = await ask();
      if (typeof answer === "string") {
        this.#seats.delete(conn);
        return answer;
      }
      seat.granted = true;
      if (seat.again) this.#ring(conn);
      return answer;
    } catch (error) {
      this.#seats.delete(conn);
      if (!(error instanceof RedisAway)) throw error;
      // The seat may have been granted, but nobody has its rtok, so release it.
      this.#owe(() => this.#act({ room, conn, seat: "viewer" }, { t: viewer }));
      this.#owe(() => this.#act({ room, conn, seat: "sender" }, { t: "lose" }));
      return "busy";
    }
  }

  async #create(
    claim: Claim,
    { own, join, salt }: RoomTerms,
    make: { readonly ms: number; readonly code: string } | null,
  ): Promise<Created | Denied | "none"> {
    const { room, conn, rtok } = claim;
    const how = make === null ? ["", ""] : [String(make.ms), make.code];
    const args = [conn, this.#instance, rtok, own, join, ...how, salt];
    const answer = await this.#run(this.#scripts.create, room, args);
    if (answer[0] === "none") return "none";
    const result = seated(room, answer);
    if (typeof result === "string") return result;
    return {
      ...result,
      code: typeof answer[3] === "string" && answer[3] !== "" ? answer[3] : null,
      made: answer[4] === 1,
    };
  }

  /** Resolves digits to the room's own address; '' if they lead nowhere. */
  async #lead(address: string): Promise<string | "busy"> {
    if (!isCode(address)) return address;
    try {
      const room = await this.#link.run(this.#scripts.findCode, [KEY.code(address)], []);
      return typeof room === "string" ? room : "";
    } catch (error) {
      if (error instanceof RedisAway) return "busy";
      throw error;
    }
  }

  async #admit({ room, regular = false }: Claim, ms: number): Promise<boolean> {
    const first = String(Math.min(ms, this.#limits.leaseMs));
    const args = [room, first, String(roomsFor(regular, this.#limits))];
    const ask = () => this.#link.run(this.#scripts.admit, [KEY.rooms], args);
    if (await ask() === 1) return true;
    await this.#sweep();
    return await ask() === 1;
  }

  async #drawCode(room: string, ms: number): Promise<string | null> {
    const { countCodes, drawCode } = this.#scripts;
    const taken = await this.#link.run(countCodes, [KEY.codes], []);
    const digits = digitsFor(Number(taken));
    if (digits === null || Number(taken) >= this.#limits.maxCodes) return null;
    for (let round = 0; round < DRAW_ROUNDS; round++) {
      const guesses = Array.from({ length: DRAWS }, () => guessCode(this.#random, digits))
        .filter((guess) => guess !== null);
      const keys = [KEY.codes, ...guesses.map(KEY.code)];
      const code = await this.#link.run(drawCode, keys, [room, String(ms), ...guesses]);
      if (typeof code === "string" && code !== "") return code;
    }
    return null;
  }

  async #retireCode(room: string, code: string, rest: boolean): Promise<void> {
    const keys = [KEY.codes, KEY.code(code)];
    await this.#link.run(this.#scripts.retireCode, keys, [room, code, rest ? "1" : "0"]);
  }

  /** Runs an operation for the holder of a ticket. */
  async #act({ room, conn, seat }: Ticket, what: SeatOperation): Promise<boolean> {
    const script = this.#scripts[what.t === "data" ? "relay" : what.t];
    const [done] = await this.#run(script, room, [conn, this.#instance, seat, ...argsOf(what)]);
    return done === 1;
  }

  /** Runs a script of a room, cleans up after it, and returns the rest of the results. */
  async #run(script: Script, room: string, args: readonly string[]): Promise<unknown[]> {
    const answer = await this.#link.run(script, [KEY.room(room), KEY.events(room)], args);
    if (!Array.isArray(answer)) throw new TypeError("Cannot run a script: its answer is no list");
    const [ended, freed, ...rest]: unknown[] = answer;
    await this.#tidy(room, ended === 1, typeof freed === "string" ? freed : "");
    return rest;
  }

  /**
   * Optional clean-up: without it the digits rest longer, and the room counts towards the limit
   * until a sweep.
   */
  async #tidy(room: string, ended: boolean, freed: string): Promise<void> {
    try {
      if (freed !== "") await this.#retireCode(room, freed, true);
      if (ended) await this.#link.run(this.#scripts.lookAt, [KEY.rooms], [room, "-1"]);
    } catch (error) {
      if (!(error instanceof RedisAway)) throw error;
    }
  }

  /** Runs `attempt` now, or when Redis is back. */
  async #insist(attempt: () => Promise<unknown>): Promise<void> {
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof RedisAway)) throw error;
      this.#owe(attempt);
    }
  }

  #owe(attempt: () => Promise<unknown>): void {
    if (this.#owed.length >= this.#limits.maxOwed) this.#owed.shift();
    this.#owed.push(attempt);
  }

  async #payBack(): Promise<void> {
    const owed = this.#owed.splice(0);
    await inBatches(owed, (attempt) => this.#insist(attempt));
  }

  /**
   * Marks that something this seat sent was lost. The seat receives `astray` when Redis is back, so
   * that it can recover.
   */
  #mislaid({ conn }: Ticket): void {
    const seat = this.#seats.get(conn);
    if (seat !== undefined) seat.astray = true;
  }

  #ring(conn: string): void {
    const seat = this.#seats.get(conn);
    if (seat !== undefined) this.#tend(seat).catch((error) => this.#failed(error));
  }

  /**
   * Renews the seat's lease and delivers its events until there are none left. Runs once at a time
   * for each seat.
   */
  async #tend(seat: Local): Promise<void> {
    seat.again = true;
    if (!seat.granted) return;
    seat.reading ??= this.#read(seat).finally(() => seat.reading = null);
    await seat.reading;
  }

  async #read(seat: Local): Promise<void> {
    while ((seat.again || seat.read.length > 0) && this.#seats.get(seat.conn) === seat) {
      seat.again = false;
      seat.touchedAt = this.#clock.now();
      const acknowledged = seat.read;
      const args = [seat.conn, this.#instance, ...acknowledged];
      const [status, ...events] = await this.#run(this.#scripts.tend, seat.room, args);
      seat.read = [];
      this.#deliver(seat, events);
      if (status !== "held" || seat.astray) this.#say(seat, { t: "astray" });
    }
  }

  /** `events`: id, JSON, id, JSON, … */
  #deliver(seat: Local, events: readonly unknown[]): void {
    for (let i = 0; i + 1 < events.length; i += 2) {
      seat.read.push(String(events[i]));
      const event = parseEvent(String(events[i + 1]));
      if (event !== null) this.#say(seat, event);
    }
  }

  #say(seat: Local, event: SeatEvent): void {
    if (this.#seats.get(seat.conn) !== seat) return;
    if (event.t !== "peer" && event.t !== "relay" && event.t !== "data") this.#drop(seat);
    seat.listener(event);
  }

  /** Stops delivering to this seat, and still deletes the events it has read from the stream. */
  #drop(seat: Local): void {
    this.#seats.delete(seat.conn);
    const args = [seat.conn, this.#instance, ...seat.read];
    this.#run(this.#scripts.tend, seat.room, args).catch((error) => this.#failed(error));
  }

  #back(): void {
    this.#changed(null);
    this.catchUp().catch((error) => this.#failed(error));
  }

  #changed(reason: string | null): void {
    if ((this.#reason === null) !== (reason === null) || this.#reason === undefined) {
      this.#options.onChange?.(reason);
    }
    this.#reason = reason;
  }

  #tick(): void {
    this.#tending ??= this.#maintain()
      .catch((error) => this.#failed(error))
      .finally(() => this.#tending = null);
    this.#cancelTimer = this.#clock.after(this.#limits.sweepMs, () => this.#tick());
  }

  async #maintain(): Promise<void> {
    if (!this.ready) return;
    await this.#payBack();
    const due = this.#clock.now() - this.#limits.touchMs;
    const stale = [...this.#seats.values()].filter((seat) => seat.granted && seat.touchedAt <= due);
    await inBatches(stale, (seat) => this.#tend(seat));
    await this.#sweep();
  }

  /**
   * Applies the deadlines of due rooms, in case no operation does. Every instance does it for all
   * rooms.
   */
  async #sweep(): Promise<void> {
    const { due, look, lookAt } = this.#scripts;
    for (;;) {
      const rooms = await this.#link.run(due, [KEY.rooms], [String(BATCH)]);
      if (!Array.isArray(rooms)) throw new TypeError("Cannot sweep: not a list");
      await inBatches(rooms.map(String), async (room) => {
        const [next] = await this.#run(look, room, ["", this.#instance]);
        await this.#link.run(lookAt, [KEY.rooms], [room, String(next)]);
      });
      if (rooms.length < BATCH) return;
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof RedisAway)) this.#options.onError?.(error);
  }
}

async function inBatches<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += BATCH) {
    await Promise.all(items.slice(at, at + BATCH).map(each));
  }
}

/** What a script takes besides the seat. */
function argsOf(what: SeatOperation): readonly string[] {
  if (what.t === "relay" || what.t === "data") {
    const event: SeatEvent = { t: what.t, d: what.d };
    return [JSON.stringify(event)];
  }
  return what.t === "delete" ? [what.own] : [];
}

/** Parses a script's results: seat, seconds, salt, …, or `refused`. */
function seated(room: string, [seat, exp, salt]: readonly unknown[]): Seated | Denied {
  if (seat === "refused") return "refused";
  const known = seat === "sender" || seat === "viewer";
  if (!known || typeof exp !== "number" || typeof salt !== "string") {
    throw new TypeError("Cannot claim seat: the answer is none");
  }
  return { room, seat, exp, salt };
}

/** Parses an event written by a script. Redis is not trusted: anything unexpected is ignored. */
function parseEvent(json: string): SeatEvent | null {
  if (json === '{"t":"superseded"}') return { t: "superseded" };
  if (json === '{"t":"dismissed"}') return { t: "dismissed" };
  const message = parseServerMessage(json);
  switch (message?.t) {
    case "peer":
    case "relay":
    case "data":
    case "gone":
      return message;
    default:
      return null;
  }
}
