/**
 * The plan of one run: drawn completely before the run starts, so that a seed determines it.
 *
 * @module
 */
import { seededRandom } from "../support/random.ts";
import type { Trouble } from "./line.ts";

/** Whether pages are reloaded; sessions have to continue after that, within the grace period. */
export const RELOADS = true;

/** The steps of a session at which something can happen. */
export const MOMENTS = ["create", "join", "deliver", "open", "view", "close"] as const;

export type Moment = typeof MOMENTS[number];

/** One of the two people. */
export type Who = "sender" | "viewer";

/** Events that can happen. Times are in milliseconds. */
export type Happening =
  | { readonly what: "cut"; readonly who: readonly Who[] }
  | { readonly what: "trouble"; readonly who: Who; readonly ms: number; readonly how: Trouble }
  /** The server stops, and starts again on the same port. */
  | {
    readonly what: "restart";
    readonly signal: "SIGKILL" | "SIGTERM";
    readonly server: number;
    readonly ms: number;
  }
  | { readonly what: "redis"; readonly ms: number }
  /** Neither the server nor the other browser can be reached. */
  | { readonly what: "offline"; readonly who: Who; readonly ms: number }
  /** The server can be reached, but not the other browser. */
  | { readonly what: "direct"; readonly ms: number }
  | { readonly what: "freeze"; readonly who: Who; readonly ms: number }
  | { readonly what: "reload"; readonly who: Who }
  | { readonly what: "vanish"; readonly who: Who }
  | { readonly what: "burn" }
  | { readonly what: "leave"; readonly who: Who };

/** An event, so many milliseconds after a step was reached. */
export interface Planned {
  readonly at: Moment;
  readonly after: number;
  readonly event: Happening;
}

/** The environment of a run. */
export interface Kind {
  /** Two instances that share a Redis. */
  readonly redis: boolean;
  /** The server offers its encrypted relay. */
  readonly relay: boolean;
}

/** The plan of one run. */
export interface Plan {
  readonly seed: number;
  readonly kind: Kind;
  readonly events: readonly Planned[];
  /** How long the picture is visible, in seconds; 0 = until it is closed. */
  readonly seconds: 0 | 3;
  /** How long people wait before they click, in milliseconds. */
  readonly think: number;
  /** The picture has several megabytes. */
  readonly large: boolean;
}

/** The environment of a seed; without a Redis on this machine no seed uses one. */
export function kindOf(seed: number, hasRedis: boolean): Kind {
  return { redis: hasRedis && seed % 4 === 0, relay: seed % 2 === 0 || seed % 3 === 0 };
}

/** Longer than the grace period. */
const FOR_GOOD_MS = 135_000;

/** Number of events in a run. */
const EVENTS = { least: 1, most: 4 };

/** Relative frequency of each event. */
const WEIGHTS: Readonly<Record<Happening["what"], number>> = {
  cut: 16,
  trouble: 14,
  restart: 16,
  redis: 12,
  offline: 12,
  direct: 10,
  freeze: 10,
  reload: RELOADS ? 10 : 0,
  vanish: 2,
  burn: 3,
  leave: 3,
};

/** Draws the plan of a run. */
export function plan(seed: number, kind: Kind): Plan {
  const draw = seededRandom(seed);
  const random = () => draw() / 2 ** 32;
  const pick = <T>(list: readonly T[]): T => {
    const picked = list[Math.floor(random() * list.length)];
    if (picked === undefined) throw new RangeError("Cannot pick: nothing is there");
    return picked;
  };
  const who = () => pick(["sender", "viewer"] as const);
  const span = (least: number, most: number) => Math.round(least + random() * (most - least));
  /** Most interruptions are short; one in thirty is longer than the grace period. */
  const gap = (most: number) => random() < 1 / 30 ? FOR_GOOD_MS : span(300, most);

  const happening = (what: Happening["what"]): Happening => {
    switch (what) {
      case "cut":
        return { what, who: pick([["sender"], ["viewer"], ["sender", "viewer"]] as const) };
      case "trouble": {
        const how = pick([
          { delayMs: 600, twice: 0, late: 0 },
          { delayMs: 0, twice: .5, late: 0 },
          { delayMs: 0, twice: 0, late: .5 },
          { delayMs: 200, twice: .2, late: .2 },
        ]);
        return { what, who: who(), ms: span(1_000, 6_000), how };
      }
      case "restart": {
        const signal = pick(["SIGKILL", "SIGTERM"] as const);
        return { what, signal, server: kind.redis ? pick([0, 1]) : 0, ms: span(0, 4_000) };
      }
      case "redis":
        return { what, ms: span(0, 4_000) };
      case "offline":
        return { what, who: who(), ms: gap(12_000) };
      case "direct":
        return { what, ms: gap(12_000) };
      case "freeze":
        return { what, who: who(), ms: gap(12_000) };
      case "reload":
      case "vanish":
      case "leave":
        return { what, who: who() };
      case "burn":
        return { what };
      default:
        return what satisfies never;
    }
  };

  const kinds = Object.entries(WEIGHTS).filter(([what]) => kind.redis || what !== "redis");
  const total = kinds.reduce((sum, [, weight]) => sum + weight, 0);
  const drawWhat = (): Happening["what"] => {
    let left = random() * total;
    for (const what of Object.keys(WEIGHTS) as Happening["what"][]) {
      if (!kinds.some(([name]) => name === what)) continue;
      left -= WEIGHTS[what];
      if (left < 0) return what;
    }
    return "cut";
  };
  const count = span(EVENTS.least, EVENTS.most);
  const events = Array.from({ length: count }, () => ({
    at: pick(MOMENTS),
    after: span(0, 1_500),
    event: happening(drawWhat()),
  }));
  return {
    seed,
    kind,
    events,
    seconds: pick([0, 3]),
    think: span(50, 1_200),
    large: random() < .3,
  };
}

/** Describes a plan in a few lines, for people. */
export function describe({ seed, kind, events, seconds, think, large }: Plan): string {
  const lines = events.map(({ at, after, event: { what, ...rest } }) =>
    `  ${at} + ${after} ms: ${what} ${JSON.stringify(rest)}`
  );
  const where = `${kind.redis ? "Redis, two instances" : "one server"}, relay ${
    kind.relay ? "on" : "off"
  }`;
  const how = `${seconds} s, ${large ? "large" : "small"} picture, ${think} ms to think`;
  return [`CHAOS_SEED=${seed} (${where}; ${how})`, ...lines].join("\n");
}
