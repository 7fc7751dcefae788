/**
 * The machines of two pages, with a server between them that delivers, repeats, drops and reorders
 * what they send each other, and says anything else that it likes, while pages are reloaded. What
 * no order of events may do: end a link, leave the two with different links, or leave one of them
 * waiting without an end.
 *
 * The handshake is a model here: who knows no secret can't make a proof, so the server can only
 * deliver those that the pages made. The machines are the real ones.
 *
 * @module
 */
import {
  attemptOf,
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  isBound,
  JOINING,
  transition,
} from "../../lib/connection/connection_state.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import { MODE } from "../../lib/protocol/handshake.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import type { Property } from "./property.ts";

/** The steps of a handshake, in order; who sends each. */
const STEPS = ["commit", "hello", "proof", "offer", "bindR", "bindS"] as const;

type Step = typeof STEPS[number];

const SENT_BY: Readonly<Record<Step, Role>> = {
  commit: "R",
  hello: "S",
  proof: "R",
  offer: "S",
  bindR: "R",
  bindS: "S",
};

/** An attempt of one page; numbers are unique in the world, so a reload repeats none. */
interface Attempt {
  readonly id: string;
  /** The peer's attempt that it has heard of. */
  peer: string | null;
  /** The step that it expects next. */
  due: Step;
}

interface Packet {
  readonly step: Step;
  readonly mode: number;
  readonly from: string;
  /** `null` for a commit: whoever is there. */
  readonly to: string | null;
}

/** One page of one side. */
class Page {
  state: ConnectionState = JOINING;
  readonly attempts = new Map<number, Attempt>();
  /** What the last `wait` was for, while it runs. */
  waiting: string | null = null;
  adopted: string[] = [];
  /** What a handshake left, on this page or on the one before its reload. */
  hasSecret: boolean;
  failures = 0;

  constructor(
    readonly role: Role,
    readonly name: string,
    readonly before: Page | null,
    readonly send: (packet: Packet) => void,
  ) {
    this.hasSecret = before?.hasSecret ?? false;
  }

  happen(event: ConnectionEvent): void {
    const wasBound = isBound(this.state);
    const { state, effects } = transition(this.state, event, { role: this.role, byCode: false });
    this.state = state;
    this.hasSecret ||= event.type === "proved" && attemptOf(state) === event.attempt;
    for (const effect of effects) this.#run(effect);
    // Nothing but the page's own end ends a link.
    assert(!wasBound || isBound(state) || event.type === "end", `${event.type} ended a link`);
    const known = [attemptOf(state), isBound(state) ? state.link : null];
    assertEquals(
      [...this.attempts.keys()].sort(),
      known.filter((number) => number !== null).sort(),
      "attempts are open that the state does not name",
    );
  }

  /** Takes what the server delivers. */
  receive({ step, mode, from, to }: Packet): void {
    if (step === "commit") {
      const before = this.state.next;
      this.happen({ type: "commit", mode });
      if (this.state.next === before) return;
    }
    const number = attemptOf(this.state);
    const attempt = number === null ? undefined : this.attempts.get(number);
    if (number === null || attempt === undefined || attempt.due !== step) return;
    if (to !== null && to !== attempt.id) return;
    if (attempt.peer !== null && attempt.peer !== from) return;
    attempt.peer = from;
    const answer = (next: Step) => this.#say(next, attempt, mode);
    switch (step) {
      case "commit":
        attempt.due = "proof";
        return answer("hello");
      case "hello":
        attempt.due = "offer";
        return answer("proof");
      case "proof":
        attempt.due = "bindR";
        this.happen({ type: "proved", attempt: number });
        return answer("offer");
      case "offer":
        attempt.due = "bindS";
        this.happen({ type: "proved", attempt: number });
        return answer("bindR");
      case "bindR":
        this.happen({ type: "bound", attempt: number });
        return answer("bindS");
      case "bindS":
        return this.happen({ type: "bound", attempt: number });
      default:
        step satisfies never;
    }
  }

  /** The attempt whose link is in use. */
  get link(): Attempt | null {
    return isBound(this.state) ? this.attempts.get(this.state.link) ?? null : null;
  }

  #say(step: Step, attempt: Attempt, mode: number): void {
    this.send({ step, mode, from: attempt.id, to: step === "commit" ? null : attempt.peer });
  }

  #run(effect: ConnectionEffect): void {
    switch (effect.do) {
      case "start": {
        const id = `${this.name}.${effect.attempt}`;
        const due = this.role === "R" ? "hello" : "commit";
        const attempt: Attempt = { id, peer: null, due };
        this.attempts.set(effect.attempt, attempt);
        const mode = this.hasSecret ? MODE.resume : MODE.link;
        if (this.role === "R") this.#say("commit", attempt, mode);
        return;
      }
      case "drop":
        return void this.attempts.delete(effect.attempt);
      case "turn_away":
        if (effect.attempt !== null) this.attempts.delete(effect.attempt);
        return;
      case "adopt":
        if (effect.before !== null) this.attempts.delete(effect.before);
        this.adopted.push(this.attempts.get(effect.attempt)!.id);
        return;
      case "wait":
        this.waiting = effect.for;
        return;
      case "stop_waiting":
        this.waiting = null;
        return;
      case "fail":
        this.failures++;
        this.attempts.clear();
        return;
      case "tell_peer":
      case "say_reloaded":
      case "set_reachable":
      case "seat_gone":
      case "renew":
      case "report_failed":
        return;
      default:
        effect satisfies never;
    }
  }
}

/** What happens in the world; numbers are taken modulo the number of candidates. */
type Act =
  | { readonly do: "deliver"; readonly which: number; readonly keep: boolean }
  | { readonly do: "drop"; readonly which: number }
  | { readonly do: "say"; readonly to: Role; readonly event: ConnectionEvent }
  | { readonly do: "time"; readonly to: Role }
  | { readonly do: "reload"; readonly who: Role };

const role = fc.constantFrom<Role[]>("S", "R");
const said: fc.Arbitrary<ConnectionEvent> = fc.oneof(
  fc.constant({ type: "seated" as const }),
  fc.record({
    type: fc.constant("peer" as const),
    here: fc.boolean(),
    by: fc.constantFrom("join" as const, "resume" as const, "lost" as const, "leave" as const),
  }),
  fc.constant({ type: "unreachable" as const }),
  fc.record({
    type: fc.constant("commit" as const),
    mode: fc.constantFrom<number[]>(...Object.values(MODE)),
  }),
  // A proof, an offer or a candidate that is none.
  fc.record({
    type: fc.constant("failed" as const),
    attempt: fc.option(fc.nat(6)),
    why: fc.constantFrom("network" as const, "verification" as const),
    guarded: fc.constant(true),
  }),
);
/** What ends a page that is not bound; a link it does not. */
const ending: fc.Arbitrary<ConnectionEvent> = fc.oneof(
  fc.constant({ type: "gone" as const, why: "deleted" as const }),
  fc.record({
    type: fc.constant("signaling_ended" as const),
    why: fc.constantFrom("gone" as const, "superseded" as const, "protocol" as const),
  }),
);

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      which: fc.nat(20),
      keep: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const), which: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("say" as const), to: role, event: said }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("time" as const), to: role }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reload" as const), who: role }) },
);

class World {
  readonly packets: Packet[] = [];
  #pages = 0;
  pages: Record<Role, Page> = { S: this.open("S", null), R: this.open("R", null) };

  open(side: Role, before: Page | null): Page {
    const send = (packet: Packet) => void this.packets.push(packet);
    const page = new Page(side, `${side}${this.#pages++}`, before, send);
    page.happen({ type: "seated" });
    return page;
  }

  perform(act: Act): void {
    switch (act.do) {
      case "deliver": {
        const [packet] = this.#take(act.which, act.keep);
        if (packet === undefined) return;
        this.pages[SENT_BY[packet.step] === "S" ? "R" : "S"].receive(packet);
        break;
      }
      case "drop":
        this.#take(act.which, false);
        break;
      case "say":
        // A page that ended is loaded anew by its person; that is another property.
        if (this.#ends(act)) return;
        this.pages[act.to].happen(act.event);
        break;
      case "time":
        this.#time(this.pages[act.to]);
        break;
      case "reload":
        this.pages[act.who] = this.open(act.who, this.pages[act.who]);
        break;
      default:
        act satisfies never;
    }
    this.check();
  }

  /** The server behaves: tells both who is there, and delivers everything once, in order. */
  settle(): void {
    this.packets.length = 0;
    const { S, R } = this.pages;
    for (const page of [S, R]) page.happen({ type: "peer", here: true, by: "resume" });
    // A sender who was reloaded says so, and the old link does not answer.
    if (isBound(R.state) && R.link?.peer !== S.link?.id) R.happen({ type: "reloaded" });
    for (let i = 0; this.packets.length > 0 && i < 100; i++) {
      const packet = this.packets.shift()!;
      this.pages[SENT_BY[packet.step] === "S" ? "R" : "S"].receive(packet);
      this.check();
    }
  }

  check(): void {
    for (const page of Object.values(this.pages)) {
      // A viewer's try and a successor have a time after which they are over.
      const bounded = isBound(page.state) ? page.state.successor !== null : page.role === "R" &&
        attemptOf(page.state) !== null;
      assert(!bounded || page.waiting !== null, `${page.name} waits for ever`);
    }
    const { S, R } = this.pages;
    // One of them may know it first; never do both have links of different handshakes.
    if (S.link !== null && R.link !== null && S.link.peer !== R.link.id) {
      const next = [S, R].some((page) => page.adopted.length > 1 || page.before !== null);
      assert(next || S.link.peer?.split(".")[0] !== R.name, "two truths about one pair of pages");
    }
  }

  #ends({ to, event }: Extract<Act, { readonly do: "say" }>): boolean {
    const { state } = this.pages[to];
    if (isBound(state)) return false;
    const { state: next } = transition(state, event, { role: to, byCode: false });
    return next.at === "closed";
  }

  #time(page: Page): void {
    const of = page.waiting;
    if (of === null || (of !== "attempt" && of !== "news" && of !== "successor")) return;
    // A first try that takes too long fails, and its person tries again.
    if (of === "attempt") return;
    page.waiting = null;
    page.happen({ type: "time", of });
  }

  #take(which: number, keep: boolean): Packet[] {
    if (this.packets.length === 0) return [];
    const at = which % this.packets.length;
    return keep ? this.packets.slice(at, at + 1) : this.packets.splice(at, 1);
  }
}

function assertTogether({ pages: { S, R } }: World): void {
  assert(S.link !== null && R.link !== null, `S ${S.state.at}, R ${R.state.at}`);
  assertEquals([S.link.peer, R.link.peer], [R.link.id, S.link.id]);
}

const anyOrder = fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
  const world = new World();
  for (const act of acts) world.perform(act);
  world.settle();
  assertTogether(world);
});

const boundForGood = fc.property(
  fc.array(fc.oneof(fc.record({ to: role, event: said }), fc.record({ to: role, event: ending })), {
    maxLength: 40,
  }),
  fc.array(fc.nat(40), { maxLength: 40 }),
  (lies, repeats) => {
    const world = new World();
    const recorded: Packet[] = [];
    const push = world.packets.push.bind(world.packets);
    world.packets.push = (...packets) => {
      recorded.push(...packets);
      return push(...packets);
    };
    world.settle();
    assertTogether(world);
    const { S, R } = world.pages;
    const links = [S.link?.id, R.link?.id];
    for (let i = 0; i < Math.max(lies.length, repeats.length); i++) {
      const lie = lies[i];
      if (lie !== undefined) world.pages[lie.to].happen(lie.event);
      const packet = recorded[(repeats[i] ?? 0) % recorded.length];
      // In any mode: the server may change that byte, and nothing that is proved.
      for (const mode of Object.values(MODE)) {
        if (packet !== undefined) {
          world.pages[SENT_BY[packet.step] === "S" ? "R" : "S"].receive({ ...packet, mode });
        }
      }
      world.check();
    }
    assertEquals([S.link?.id, R.link?.id, S.adopted.length, R.adopted.length], [...links, 1, 1]);
  },
);

/** What holds for the machines of two pages. */
export const CONNECTION_PROPERTIES: readonly Property[] = [
  {
    name: "whatever a server does while pages are reloaded, an honest one brings the two together",
    runs: 1_000,
    property: anyOrder,
  },
  {
    name: "two who are bound stay so, whatever a server says, repeats and invents",
    runs: 1_000,
    property: boundForGood,
  },
];
