/**
 * Rooms on Redis or Valkey, shared by any number of instances.
 *
 * The room is in Redis (redis_scripts.ts); an instance has nothing but the listeners of its own
 * sockets. What a seat hears is put into its room's stream by the script that caused it, and the
 * bell of the instance that holds the seat is rung. The bell may be lost, the stream is read at
 * every touch as well: an event is delivered once, and taken out of the stream.
 *
 * While Redis is away nobody gets a seat (`busy`), nothing is relayed, and whoever has a seat
 * stays: an instance catches up when Redis is back. There is no second truth in between.
 *
 * @module
 */
import { toBase64Url } from "../protocol/bytes.ts";
import { parseServerMessage } from "../protocol/signaling.ts";
import { type Clock, systemClock } from "../ops/clock.ts";
import { digitsFor, guessCode, isCode } from "./codes.ts";
import { REDIS_LIMITS, type RedisLimits, STORE_LIMITS, type StoreLimits } from "./limits.ts";
import { RedisAway, RedisLink } from "./redis_link.ts";
import { KEY, REDIS_NOW, redisScripts, type Script, type Scripts } from "./redis_scripts.ts";
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

/** Options of {@linkcode RedisRoomStore}; whatever is missing has its default. */
export interface RedisRoomStoreOptions {
  /** `redis(s)://…` */
  readonly url: string;
  /** For the timers of this instance. */
  readonly clock?: Clock;
  /** What time it is in Redis, in ms, as a Lua expression: the clock that all deadlines follow. */
  readonly now?: string;
  /** Where the digits of codes are drawn from. */
  readonly random?: RandomSource;
  readonly limits?: Partial<StoreLimits & RedisLimits>;
  /** Redis is out of reach (`reason` names the error), or back (`null`). */
  readonly onChange?: (reason: string | null) => void;
  /** Hears what went wrong where nobody waits for it. */
  readonly onError?: (error: unknown) => void;
}

/** A seat whose socket is here. */
interface Local {
  readonly room: string;
  readonly conn: string;
  readonly listener: SeatListener;
  /** The claim was granted; until then the store has nothing to say about the seat. */
  granted: boolean;
  touchedAt: number;
  /** Ids that were delivered and may still be in the stream. */
  read: string[];
  /** The reading that is under way, and whether there has to be another one after it. */
  reading: Promise<void> | null;
  again: boolean;
  /** Something that was said did not arrive: the two have to begin anew. */
  astray: boolean;
}

/**
 * Candidates for a code in one script, and scripts in which it is tried: 64 draws, as in memory.
 */
const DRAWS = 8;
const DRAW_ROUNDS = 8;

/** Seats and rooms that are looked after at once. */
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
   * What has to be done when Redis is back. Each is fenced by its connection, so that it may come
   * late or twice.
   */
  readonly #owed: (() => Promise<unknown>)[] = [];
  #cancelTimer: () => void;
  #tending: Promise<void> | null = null;
  /** What the owner was told last; nothing yet at first. */
  #reason: string | null | undefined;

  constructor(options: RedisRoomStoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#limits = { ...STORE_LIMITS, ...REDIS_LIMITS, ...options.limits };
    this.#scripts = redisScripts(this.#limits, options.now ?? REDIS_NOW);
    // Not from `random`: two instances with the same name would hear each other's bells only.
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

  /** True where Redis is within reach. */
  get ready(): boolean {
    return this.#link.ready;
  }

  /** How many seats have their sockets here. */
  get size(): number {
    return this.#seats.size;
  }

  create(claim: Claim, terms: RoomTerms): Promise<Created | Denied> {
    if (isCode(claim.room)) return Promise.resolve("refused");
    return this.#claim(claim, claim.room, async () => {
      const again = await this.#create(claim, terms, null);
      if (again !== "none") return again;
      const ms = terms.ttl * 1_000;
      if (!await this.#admit(claim.room, ms)) return "busy";
      const code = await this.#drawCode(claim.room, ms);
      const made = await this.#create(claim, terms, { ms, code: code ?? "" });
      if (made === "none") throw new TypeError("Cannot create room: Redis made none");
      // Somebody else made it in between, with digits of its own.
      const used = typeof made === "object" && made.code === code;
      if (code !== null && !used) await this.#retireCode(claim.room, code, false);
      return made;
    });
  }

  async join(claim: Claim, token: TokenHash | null): Promise<Seated | Denied> {
    const room = await this.#lead(claim.room);
    if (room === "busy") return room;
    const code = isCode(claim.room) ? claim.room : "";
    if (code === "" && token === null) return "refused";
    return this.#claim(claim, room, async () => {
      const answer = await this.#run(
        this.#scripts.join,
        room,
        [claim.conn, this.#instance, claim.rtok, token ?? "", code],
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

  async confirm(ticket: Ticket): Promise<void> {
    await this.#insist(() => this.#act(this.#scripts.confirm, ticket));
  }

  async relay(ticket: Ticket, d: string, t: "relay" | "data" = "relay"): Promise<boolean> {
    const event: SeatEvent = { t, d };
    try {
      const [passed] = await this.#act(this.#scripts.relay, ticket, [JSON.stringify(event)]);
      return passed === 1;
    } catch (error) {
      this.#mislaid(ticket, error);
      return false;
    }
  }

  async lose(ticket: Ticket): Promise<void> {
    this.#seats.delete(ticket.conn);
    await this.#insist(() => this.#act(this.#scripts.lose, ticket));
  }

  async leave(ticket: Ticket): Promise<void> {
    // A sender hears `gone` first.
    if (ticket.seat === "viewer") this.#seats.delete(ticket.conn);
    await this.#insist(() => this.#act(this.#scripts.leave, ticket));
  }

  async dismiss(ticket: Ticket): Promise<void> {
    try {
      await this.#act(this.#scripts.dismiss, ticket);
    } catch (error) {
      // Not later: there may be another viewer by then.
      this.#mislaid(ticket, error);
    }
  }

  async withdraw(ticket: Ticket): Promise<void> {
    await this.#insist(async () => {
      const [code] = await this.#act(this.#scripts.withdraw, ticket);
      if (typeof code === "string" && code !== "") await this.#retireCode(ticket.room, code, true);
    });
  }

  async remove(ticket: Ticket, token: TokenHash): Promise<boolean> {
    const attempt = () => this.#act(this.#scripts.remove, ticket, [token]);
    try {
      const [removed] = await attempt();
      return removed === 1;
    } catch (error) {
      if (error instanceof RedisAway) this.#owe(attempt);
      throw error;
    }
  }

  /**
   * Looks after every seat and every room that is due: resolves when all that was in the streams
   * before is delivered.
   */
  async catchUp(): Promise<void> {
    await this.#payBack();
    await inBatches([...this.#seats.values()], (seat) => this.#tend(seat));
    await this.#sweep();
  }

  /** Ends the connections to Redis. Seats are not given up: their leases run out. */
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
   * The claims that Redis grants, refuses, or does not answer, which is `busy`. `viewer`: what
   * becomes of a viewer's seat then; one that was joined need not wait for anybody.
   */
  async #claim<T extends Seated>(
    { conn, listener }: Claim,
    room: string,
    ask: () => Promise<T | Denied>,
    viewer: "leave" | "lose" = "leave",
  ): Promise<T | Denied> {
    if (!this.ready) return "busy";
    // Known before Redis is: its events may be quicker than its answer.
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
      // It may have been granted, and nobody has the rtok.
      const scripts = this.#scripts;
      this.#owe(() => this.#act(scripts[viewer], { room, conn, seat: "viewer" }));
      this.#owe(() => this.#act(scripts.lose, { room, conn, seat: "sender" }));
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
    };
  }

  /** The room's own address behind one that may be digits; '' is none. */
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

  async #admit(room: string, ms: number): Promise<boolean> {
    const first = Math.min(ms, this.#limits.leaseMs);
    const ask = () => this.#link.run(this.#scripts.admit, [KEY.rooms], [room, String(first)]);
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

  /** An operation of whoever has a ticket. */
  #act(script: Script, { room, conn, seat }: Ticket, more: readonly string[] = []) {
    return this.#run(script, room, [conn, this.#instance, seat, ...more]);
  }

  /**
   * Runs a script of a room, tidies up where the room ended, and returns the rest of the answer.
   */
  async #run(script: Script, room: string, args: readonly string[]): Promise<unknown[]> {
    const answer = await this.#link.run(script, [KEY.room(room), KEY.events(room)], args);
    if (!Array.isArray(answer)) throw new TypeError("Cannot run a script: its answer is no list");
    const [ended, ...rest]: unknown[] = answer;
    if (typeof ended === "string") await this.#tidy(room, ended);
    return rest;
  }

  /** Without it the digits rest longer, and the room is counted until somebody looks for it. */
  async #tidy(room: string, code: string): Promise<void> {
    try {
      if (code !== "") await this.#retireCode(room, code, true);
      await this.#link.run(this.#scripts.lookAt, [KEY.rooms], [room, "-1"]);
    } catch (error) {
      if (!(error instanceof RedisAway)) throw error;
    }
  }

  /** Does it now, or when Redis is back. */
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
   * What this seat said did not arrive; it hears so when Redis is back, and can do something about
   * it.
   */
  #mislaid({ conn }: Ticket, error: unknown): void {
    if (!(error instanceof RedisAway)) throw error;
    const seat = this.#seats.get(conn);
    if (seat !== undefined) seat.astray = true;
  }

  #ring(conn: string): void {
    const seat = this.#seats.get(conn);
    if (seat !== undefined) this.#tend(seat).catch((error) => this.#failed(error));
  }

  /**
   * Vouches for the seat and delivers what there is, until there is nothing. One at a time for each
   * seat.
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

  /** Nothing is to be heard any more; what was read goes out of the stream all the same. */
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
   * Lets the deadlines of rooms take effect after which nobody else looks. Every instance does it
   * for all.
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

/** A script's answer: seat, seconds, salt, …, or `refused`. */
function seated(room: string, [seat, exp, salt]: readonly unknown[]): Seated | Denied {
  if (seat === "refused") return "refused";
  const known = seat === "sender" || seat === "viewer";
  if (!known || typeof exp !== "number" || typeof salt !== "string") {
    throw new TypeError("Cannot claim seat: the answer is none");
  }
  return { room, seat, exp, salt };
}

/** An event as a script wrote it. Redis is outside: whatever else is in there is nothing. */
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
