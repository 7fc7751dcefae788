/**
 * Rooms compared with a model of them: any number of people, honest or not, join, talk, vanish and
 * come back, at rooms' own addresses and at digits, while time passes; after each step everybody
 * has to have received exactly what the model predicts.
 *
 * The model is docs/protocol.md §3 in terms of rooms, seats and tokens. It has no hashes, timers,
 * queues or sockets.
 *
 * @module
 */
import { SEAT_GRACE_MS } from "../../lib/protocol/limits.ts";
import { CLOSE, type CloseReason } from "../../lib/protocol/close_codes.ts";
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import { parseServerMessage, type ServerMessage } from "../../lib/protocol/signaling.ts";
import { Admission, UNLIMITED } from "../../lib/rooms/admission.ts";
import { Connection } from "../../lib/rooms/connection.ts";
import { MemoryRoomStore } from "../../lib/rooms/memory_store.ts";
import { hashToken, systemRandom } from "../../lib/ops/tokens.ts";
import { FakeClock, flush } from "../rooms/fake_clock.ts";
import { FakeSocket } from "../rooms/fake_socket.ts";
import { newGuest } from "../rooms/room_server.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import type { Property } from "./property.ts";

/** In seconds, as in the protocol. */
const GRACE_S = SEAT_GRACE_MS / 1_000;
const CODE_REST_S = 600;

/** In seconds: short, so that rooms expire. */
const TTL_S = 150;

/** How many digits exist: few, so that they run out and are used again. */
const CODES = 4;

const NEVER_MS = 1e12;

/** What somebody may know about a room that may exist. */
interface Access {
  readonly room: string;
  readonly otok: string;
  readonly jtok: string;
}

/** The same byte repeated: easy to recognize in a counterexample. */
function token(length: number, byte: number): string {
  return toBase64Url(new Uint8Array(length).fill(byte));
}

const ACCESS: readonly Access[] = [1, 2, 3].map((i) => ({
  room: token(16, i),
  otok: token(32, 16 + i),
  jtok: token(16, 32 + i),
}));

// What people do

/** The message with which somebody joins; numbers are taken modulo the number of candidates. */
type First =
  | { readonly t: "create"; readonly own: number; readonly join: number }
  /** With the token of a room, or with none. */
  | { readonly t: "join"; readonly tok: number | null }
  /** With the nth token that anybody ever got. */
  | { readonly t: "resume"; readonly rtok: number };

type Later =
  | { readonly t: "relay"; readonly times: number }
  /** With the owner's token of a room. */
  | { readonly t: "delete"; readonly otok: number }
  | { readonly t: "leave" | "dismiss" | "withdraw" | "pong" | "create" | "join" | "nonsense" };

type Step =
  | { readonly do: "come"; readonly to: Where; readonly first: First | "nonsense" | "pong" }
  /** `gone`: and closes the socket at once. */
  | { readonly do: "say"; readonly who: number; readonly what: Later; readonly gone: boolean }
  | { readonly do: "vanish"; readonly who: number }
  | { readonly do: "wait"; readonly seconds: number };

/** A room's own address, or digits: some of them lead somewhere. */
type Where = { readonly room: number } | { readonly code: number };

const room = fc.nat(ACCESS.length - 1);

const where: fc.Arbitrary<Where> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ room }) },
  { weight: 1, arbitrary: fc.record({ code: fc.nat(CODES) }) },
);

/** What the honest do, each for the same room at every step. */
const honest: fc.Arbitrary<Step> = fc.tuple(room, fc.constantFrom("create", "join")).map(
  ([room, t]) => ({
    do: "come",
    to: { room },
    first: t === "create" ? { t, own: room, join: room } : { t: "join", tok: room },
  }),
);

const come: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("come" as const),
  to: where,
  first: fc.oneof(
    fc.record({ t: fc.constant("create" as const), own: room, join: room }),
    fc.record({ t: fc.constant("join" as const), tok: fc.option(room) }),
    { weight: 3, arbitrary: fc.record({ t: fc.constant("resume" as const), rtok: fc.nat(30) }) },
    fc.constantFrom("nonsense" as const, "pong" as const),
  ),
});

const byCode: fc.Arbitrary<Step> = fc.nat(CODES).map((code) => ({
  do: "come",
  to: { code },
  first: { t: "join", tok: null },
}));

const say: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("say" as const),
  who: fc.nat(20),
  what: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        t: fc.constant("relay" as const),
        times: fc.integer({ min: 1, max: 4 }),
      }),
    },
    fc.record({ t: fc.constant("delete" as const), otok: room }),
    {
      weight: 2,
      arbitrary: fc.record({ t: fc.constantFrom("leave", "dismiss", "withdraw") }),
    },
    fc.record({ t: fc.constantFrom("pong", "create", "join", "nonsense") }),
  ),
  gone: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: honest },
  { weight: 3, arbitrary: come },
  { weight: 2, arbitrary: byCode },
  { weight: 6, arbitrary: say },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("vanish" as const), who: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      seconds: fc.constantFrom(1, 20, 59, 60, 61, 149, 150, 599, 600),
    }),
  },
);

// The model

type Seat = "sender" | "viewer";

/** Somebody with a socket, and what they have to have received. */
interface Person {
  readonly heard: Expected[];
  /** How the server closed their socket. */
  closed: CloseReason | null;
  /** False once either side closed it. */
  open: boolean;
  /** Where they were seated, if ever. */
  seat: { readonly access: Access; readonly seat: Seat } | null;
  /** What seated them (`make`: they made the room), until they send anything. */
  unheard: RawFirst["t"] | "make" | null;
}

/** A message, or a function of the received one where the server draws its content. */
type Expected = ServerMessage | ((message: ServerMessage) => void);

/** `person` is `null` while the seat waits for its lost socket. */
interface Holder {
  person: Person | null;
  lostAt: number;
  /** The token that takes the seat back. */
  rtok: string | null;
  /** What was shown for it: takes the seat back as well, until its holder sends anything. */
  before: string | null;
}

interface Room {
  readonly access: Access;
  readonly expires: number;
  code: string | null;
  sender: Holder;
  viewer: Holder | null;
  met: boolean;
}

interface Terms {
  /** Deadlines take effect every second; otherwise only on a request. */
  readonly sweeps: boolean;
  readonly maxRooms: number;
}

const OTHER = { sender: "viewer", viewer: "sender" } as const;

/** The events that have to happen. */
class Model {
  readonly people: Person[] = [];
  /** Every token that anybody ever got, in whichever way. */
  readonly tokens: string[] = [];
  readonly #terms: Terms;
  readonly #rooms = new Map<string, Room>();
  /** Digits that lead nowhere, and when they may be given out again. */
  readonly #resting = new Map<string, number>();
  #now = 0;
  #relays = 0;

  constructor(terms: Terms) {
    this.#terms = terms;
  }

  wait(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.#now++;
      if (this.#terms.sweeps) this.#settleAll();
    }
  }

  come(address: string, first: RawFirst | "nonsense" | "pong"): void {
    const person: Person = { heard: [], closed: null, open: true, seat: null, unheard: null };
    this.people.push(person);
    if (first === "nonsense") return this.#close(person, "malformed");
    if (first === "pong") return this.#close(person, "outOfTurn");
    switch (first.t) {
      case "create":
        return this.#create(person, address, first);
      case "join":
        return this.#join(person, address, first.tok);
      case "resume":
        return this.#resume(person, address, first.rtok);
    }
  }

  vanish(person: Person): void {
    person.open = false;
    this.#lose(person);
  }

  say(person: Person, what: RawLater): void {
    const isSender = person.seat?.seat === "sender";
    if (what.t === "nonsense") return this.#shut(person, "malformed");
    if (what.t === "create" || what.t === "join") return this.#shut(person, "outOfTurn");
    this.#heardOf(person);
    if (what.t === "pong") return;
    if (what.t !== "relay" && what.t !== "leave" && !isSender) {
      return this.#shut(person, "outOfTurn");
    }
    const room = this.#roomOf(person);
    switch (what.t) {
      case "relay": {
        const other = room?.[OTHER[person.seat?.seat ?? "sender"]]?.person ?? null;
        if (other === null) this.#tell(person, { t: "err", code: "no_peer" });
        else this.#tell(other, { t: "relay", d: what.d });
        return;
      }
      case "delete":
        if (room === null || room.access.otok !== what.otok) {
          this.#tell(person, { t: "err", code: "refused" });
          return this.#shut(person, "refused");
        }
        return this.#end(room, "deleted");
      case "leave":
        if (room !== null && isSender) return this.#end(room, "deleted");
        if (room !== null) this.#emptyViewer(room);
        if (!isSender) this.#close(person, "done");
        return;
      case "dismiss":
        if (room === null || room.viewer === null) return;
        this.#close(room.viewer.person, "dismissed");
        return this.#emptyViewer(room);
      case "withdraw":
        if (room !== null) this.#retire(room);
        return;
    }
  }

  /** Text that nobody has sent before. */
  newRelay(): string {
    return `relay-${this.#relays++}`;
  }

  #create(person: Person, address: string, { own, join }: { own: string; join: string }): void {
    const access = ACCESS.find(({ room }) => room === address);
    if (access === undefined) return this.#refuse(person);
    const found = this.#find(address);
    if (found !== null) {
      const { otok, jtok } = found.access;
      if (own !== otok || join !== jtok) return this.#refuse(person);
      found.met = false;
      const holder = this.#take(found, "sender", person);
      this.#created(found, holder, person);
      if (found.viewer !== null) this.#introduce(found, "sender");
      return;
    }
    if (this.#rooms.size >= this.#terms.maxRooms) this.#settleAll();
    if (this.#rooms.size >= this.#terms.maxRooms) {
      this.#tell(person, { t: "err", code: "busy" });
      return this.#close(person, "busy");
    }
    const sender: Holder = { person, lostAt: 0, rtok: null, before: null };
    const room: Room = {
      access: { room: address, otok: own, jtok: join },
      expires: this.#now + TTL_S,
      code: null,
      sender,
      viewer: null,
      met: false,
    };
    this.#rooms.set(address, room);
    person.seat = { access: room.access, seat: "sender" };
    person.unheard = "make";
    person.heard.push((message) => {
      assert(message.t === "created", `got ${message.t}`);
      assertEquals(message.exp, TTL_S);
      this.#draw(room, message.code ?? null);
      this.#got(sender, message.rtok);
    });
  }

  /** The sender is back: the room keeps its remaining lifetime and its digits. */
  #created(room: Room, holder: Holder, person: Person): void {
    const exp = room.expires - this.#now;
    const { code } = room;
    person.heard.push((message) => {
      assert(message.t === "created", `got ${message.t}`);
      assertEquals([message.exp, message.code ?? null], [exp, code]);
      this.#got(holder, message.rtok);
    });
  }

  #join(person: Person, address: string, tok: string | null): void {
    const byCode = this.#roomAt(address);
    const room = this.#find(byCode?.access.room ?? address);
    const entitled = byCode === null ? tok !== null && tok === room?.access.jtok : tok === null;
    if (room === null || !entitled || room.viewer !== null) return this.#refuse(person);
    room.met = false;
    person.unheard = "join";
    this.#joined(this.#take(room, "viewer", person), person);
    this.#introduce(room, "viewer");
  }

  #resume(person: Person, address: string, rtok: string): void {
    const room = this.#find(this.#roomAt(address)?.access.room ?? address);
    const opens = (holder: Holder | null | undefined) =>
      holder?.rtok === rtok || holder?.before === rtok;
    const seat = opens(room?.sender) ? "sender" : opens(room?.viewer) ? "viewer" : null;
    if (room === null || seat === null) return this.#refuse(person);
    person.unheard = "resume";
    const holder = this.#take(room, seat, person);
    holder.before = rtok;
    this.#joined(holder, person);
    this.#introduce(room, seat);
  }

  #joined(holder: Holder, person: Person): void {
    person.heard.push((message) => {
      assert(message.t === "joined", `got ${message.t}`);
      this.#got(holder, message.rtok);
    });
  }

  /** Tokens rotate: each is new. */
  #got(holder: Holder, rtok: string): void {
    assert(!this.tokens.includes(rtok), "a token came twice");
    this.tokens.push(rtok);
    holder.rtok = rtok;
  }

  /** Digits have to be free, and rested; there are none only if all are taken. */
  #draw(room: Room, code: string | null): void {
    const live = [...this.#rooms.values()].flatMap((item) => item.code ?? []);
    const resting = [...this.#resting].flatMap(([code, until]) => this.#now < until ? [code] : []);
    const taken = [...live, ...resting];
    if (code === null) return assertEquals(taken.length, CODES, "no digits, though some are free");
    assert(!taken.includes(code), `${code} lives or rests, and came again`);
    room.code = code;
  }

  #take(room: Room, seat: Seat, person: Person): Holder {
    this.#close(room[seat]?.person ?? null, "superseded");
    person.seat = { access: room.access, seat };
    return room[seat] = { person, lostAt: 0, rtok: null, before: null };
  }

  #introduce(room: Room, seat: Seat): void {
    const newcomer = room[seat]?.person ?? null;
    const other = room[OTHER[seat]];
    if (other === null || other.person === null) {
      return this.#tell(newcomer, {
        t: "peer",
        up: false,
        by: other === null ? "leave" : "lost",
      });
    }
    const by = room.met ? "resume" : "join";
    room.met = true;
    this.#tell(newcomer, { t: "peer", up: true, by });
    this.#tell(other.person, { t: "peer", up: true, by });
  }

  #lose(person: Person): void {
    const room = this.#roomOf(person);
    if (room === null || person.seat === null) return;
    const { seat } = person.seat;
    const holder = room[seat];
    if (holder === null) return;
    if (person.unheard === "join") return this.#emptyViewer(room);
    if (person.unheard === "make") return this.#end(room, "deleted");
    holder.person = null;
    holder.lostAt = this.#now;
    this.#tell(room[OTHER[seat]]?.person ?? null, { t: "peer", up: false, by: "lost" });
  }

  /** Whoever sends anything has received their token. */
  #heardOf(person: Person): void {
    const holder = person.unheard === "resume" && person.seat !== null
      ? this.#roomOf(person)?.[person.seat.seat]
      : null;
    if (holder) holder.before = null;
    person.unheard = null;
  }

  #emptyViewer(room: Room): void {
    room.viewer = null;
    this.#tell(room.sender.person, { t: "peer", up: false, by: "leave" });
  }

  #retire(room: Room): void {
    if (room.code !== null) this.#resting.set(room.code, this.#now + CODE_REST_S);
    room.code = null;
  }

  #end(room: Room, why: "deleted" | "expired" | "lost"): void {
    this.#rooms.delete(room.access.room);
    this.#retire(room);
    for (const [seat, holder] of [["sender", room.sender], ["viewer", room.viewer]] as const) {
      this.#tell(holder?.person ?? null, { t: "gone", why });
      const asked = seat === "sender" && why === "deleted";
      this.#close(holder?.person ?? null, asked ? "done" : "gone");
    }
  }

  #settleAll(): void {
    for (const address of [...this.#rooms.keys()]) this.#find(address);
  }

  /** The room at its own address, after every deadline that has passed. */
  #find(address: string): Room | null {
    const room = this.#rooms.get(address);
    if (room === undefined) return null;
    const over = (holder: Holder | null) =>
      holder !== null && holder.person === null && this.#now >= holder.lostAt + GRACE_S;
    if (this.#now >= room.expires) this.#end(room, "expired");
    else if (over(room.sender)) this.#end(room, "lost");
    else if (over(room.viewer)) this.#emptyViewer(room);
    return this.#rooms.get(address) ?? null;
  }

  /** The room that digits lead to. */
  #roomAt(code: string): Room | null {
    return [...this.#rooms.values()].find((room) => room.code === code) ?? null;
  }

  /** The room in which this person currently holds a seat. */
  #roomOf(person: Person): Room | null {
    if (person.seat === null) return null;
    const room = this.#find(person.seat.access.room);
    return room?.[person.seat.seat]?.person === person ? room : null;
  }

  #tell(person: Person | null, message: ServerMessage): void {
    if (person?.open) person.heard.push(message);
  }

  /** The same answer, whatever did not match. */
  #refuse(person: Person): void {
    this.#tell(person, { t: "err", code: "refused" });
    this.#close(person, "refused");
  }

  #close(person: Person | null, reason: CloseReason): void {
    if (!person?.open) return;
    person.open = false;
    person.closed = reason;
  }

  /** Closes the socket of somebody whose seat waits for them from then on. */
  #shut(person: Person, reason: CloseReason): void {
    if (!person.open) return;
    this.#close(person, reason);
    this.#lose(person);
  }
}

// The real rooms

type RawFirst =
  | { readonly t: "create"; readonly own: string; readonly join: string }
  | { readonly t: "join"; readonly tok: string | null }
  | { readonly t: "resume"; readonly rtok: string };

type RawLater =
  | { readonly t: "relay"; readonly d: string }
  | { readonly t: "delete"; readonly otok: string }
  | { readonly t: "leave" | "dismiss" | "withdraw" | "pong" | "create" | "join" | "nonsense" };

/** A socket, what is behind it, and which of its output was checked. */
interface End {
  readonly socket: FakeSocket;
  readonly connection: Connection;
  readonly heard: ServerMessage[];
}

/** Sockets on fake time, and the real state machine behind them. */
class World {
  readonly clock = new FakeClock();
  readonly ends: End[] = [];
  readonly #store: MemoryRoomStore;
  #drawn = 0;

  constructor({ sweeps, maxRooms }: Terms) {
    this.#store = new MemoryRoomStore({
      clock: this.clock,
      // Digits in turn, so that a free one is found if there is one.
      random: () => new Uint8Array([0, 0, 0, this.#drawn++ % CODES]),
      limits: { maxRooms, sweepMs: sweeps ? 1_000 : NEVER_MS },
    });
  }

  async come(address: string, first: RawFirst | "nonsense" | "pong"): Promise<void> {
    const socket = new FakeSocket();
    const connection = new Connection(socket, newGuest(address), {
      admission: new Admission(UNLIMITED),
      store: this.#store,
      clock: this.clock,
      random: systemRandom,
      // Silence is covered by another test.
      limits: {
        firstMessageMs: NEVER_MS,
        heartbeatMs: NEVER_MS,
        heartbeatTimeoutMs: NEVER_MS,
        maxBuffered: Infinity,
        maxPending: 128,
        maxPendingData: Infinity,
      },
      onError: (error) => {
        throw error;
      },
    });
    this.ends.push({ socket, connection, heard: [] });
    connection.receive(rawFirst(first));
    await flush();
  }
}

function rawFirst(first: RawFirst | "nonsense" | "pong"): string {
  if (first === "nonsense") return "{}";
  if (first === "pong") return JSON.stringify({ t: "pong" });
  switch (first.t) {
    case "create": {
      const { own, join } = first;
      const terms = { own: hashToken(own), join: hashToken(join), ttl: TTL_S };
      return JSON.stringify({ t: "create", ...terms });
    }
    case "join":
      return JSON.stringify(first.tok === null ? { t: "join" } : first);
    case "resume":
      return JSON.stringify(first);
  }
}

function rawLater(what: RawLater): string {
  if (what.t === "nonsense") return "{}";
  if (what.t === "create") return rawFirst({ t: "create", own: token(32, 0), join: token(16, 0) });
  return JSON.stringify(what);
}

/** One step of both, after which they have to agree. */
class Together implements fc.AsyncCommand<Model, World> {
  readonly #step: Step;

  constructor(step: Step) {
    this.#step = step;
  }

  check(model: Readonly<Model>): boolean {
    const step = this.#step;
    return step.do === "come" || step.do === "wait" || model.people.some(({ open }) => open);
  }

  async run(model: Model, world: World): Promise<void> {
    await this.#take(model, world);
    for (const [i, person] of model.people.entries()) {
      const end = world.ends[i];
      assert(end !== undefined);
      assertHeard(person, end);
    }
    assertClaims(model, world);
  }

  toString(): string {
    return JSON.stringify(this.#step);
  }

  async #take(model: Model, world: World): Promise<void> {
    const step = this.#step;
    switch (step.do) {
      case "wait":
        model.wait(step.seconds);
        return await world.clock.advance(step.seconds * 1_000);
      case "come": {
        const { to, first } = step;
        const address = "room" in to ? accessTo(to.room).room : `000${to.code}`;
        const raw = typeof first === "string" ? first : withTokens(first, model);
        model.come(address, raw);
        return await world.come(address, raw);
      }
      case "vanish": {
        const { person, connection } = find(step.who, model, world);
        model.vanish(person);
        connection.closed();
        return await flush();
      }
      case "say": {
        const { person, connection } = find(step.who, model, world);
        const { what, gone } = step;
        const times = what.t === "relay" ? what.times : 1;
        const said = Array.from({ length: times }, () => {
          if (what.t === "relay") return { t: what.t, d: model.newRelay() };
          return what.t === "delete" ? { t: what.t, otok: accessTo(what.otok).otok } : what;
        });
        for (const message of said) connection.receive(rawLater(message));
        if (gone) {
          connection.closed();
          // Nonsense closes the socket before anything else can; otherwise its owner was first, and
          // receives nothing any more.
          if (what.t !== "nonsense") person.open = false;
        }
        for (const message of said) model.say(person, message);
        if (gone) model.vanish(person);
        await flush();
      }
    }
  }
}

function accessTo(i: number): Access {
  const access = ACCESS[i];
  assert(access !== undefined);
  return access;
}

function withTokens(first: First, model: Model): RawFirst {
  switch (first.t) {
    case "create":
      return { t: "create", own: accessTo(first.own).otok, join: accessTo(first.join).jtok };
    case "join":
      return { t: "join", tok: first.tok === null ? null : accessTo(first.tok).jtok };
    case "resume": {
      // The newest first: those are the ones that may work.
      const known = model.tokens.toReversed()[first.rtok % Math.max(1, model.tokens.length)];
      return { t: "resume", rtok: known ?? token(32, 99) };
    }
  }
}

/** The nth of those whose socket is open. */
function find(who: number, model: Model, world: World) {
  const open = model.people.flatMap((person, i) => person.open ? [i] : []);
  const index = open[who % open.length] ?? 0;
  const person = model.people[index];
  const end = world.ends[index];
  assert(person !== undefined && end !== undefined);
  return { person, connection: end.connection };
}

function assertHeard(person: Person, { socket, heard }: End): void {
  const due = person.heard.slice(heard.length);
  for (const sent of socket.sent.slice(heard.length)) {
    const message = parseServerMessage(JSON.stringify(sent));
    assert(message !== null, `${JSON.stringify(sent)} is no message`);
    heard.push(message);
    const expected = due.shift();
    if (typeof expected === "function") expected(message);
    else assertEquals<unknown>(message, expected);
  }
  assertEquals(due, [], "somebody did not hear something");
  const { closed } = person;
  assertEquals(socket.closes, closed === null ? [] : [[CLOSE[closed], closed]]);
}

/** The guarantees themselves, checked on the output of the sockets. */
function assertClaims(model: Model, { ends }: World): void {
  const seats = new Map<string, number>();
  const heardBy = new Map<string, number>();
  for (const [i, { socket, heard }] of ends.entries()) {
    const person = model.people[i];
    const seated = heard.some(({ t }) => t === "created" || t === "joined");
    const room = person?.seat?.access.room ?? "";
    if (seated && person?.open) seats.set(room, (seats.get(room) ?? 0) + 1);
    for (const message of heard) {
      if (message.t !== "relay") continue;
      assert(!heardBy.has(message.d), `${message.d} was heard twice`);
      heardBy.set(message.d, i);
    }
    const end = heard.findIndex(({ t }) => t === "gone");
    assert(end === -1 || end === heard.length - 1, "somebody heard something behind the end");
    if (socket.closes[0]?.[0] === CLOSE.refused) {
      assertEquals<unknown>(heard.at(-1), { t: "err", code: "refused" });
    }
  }
  for (const count of seats.values()) assert(count <= 2, `${count} people sit in one room`);
}

const rooms = fc.asyncProperty(
  fc.record({ sweeps: fc.boolean(), maxRooms: fc.constantFrom(2, 100) }),
  fc.commands([step.map((step) => new Together(step))], { maxCommands: 60 }),
  async (terms, commands) => {
    await fc.asyncModelRun(() => ({ model: new Model(terms), real: new World(terms) }), commands);
  },
);

/** The properties of rooms. */
export const ROOM_PROPERTIES: readonly Property[] = [
  {
    name: "rooms behave as their model: seats, owners, relays, tokens, digits, one refusal",
    runs: 1_000,
    property: rooms,
  },
];
