/**
 * What this process counts, in Prometheus' text format. A label's value is one of a few words
 * listed in this file. So no series can ever name a room, a person or an address, and the number of
 * series is fixed.
 *
 * Own code in place of prom-client: on Deno 2.9.6 prom-client added 3 MB of packages, 19 MB of
 * memory and 0.2 s to the start, and its event-loop lag was `Nan`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";

/** Prefix of every metric's name. */
const PREFIX = "ephemeral_";

/** Each counter: what it counts, and the values that its label may have. */
const COUNTERS = {
  joins: {
    help: "Seats given, by how they were asked for: code is a join at the digits of a code",
    label: "by",
    words: ["create", "link", "code", "resume"],
  },
  refusals: {
    help: "Seats and sockets not given, by what the client was told",
    label: "why",
    words: ["refused", "busy", "access", "origin", "malformed"],
  },
  relays: { help: "Messages passed to the other seat", label: "to", words: ["peer", "nobody"] },
  relay_frames: {
    help: "Frames of the encrypted relay passed to the other seat",
    label: "to",
    words: ["peer", "nobody"],
  },
  relay_bytes: {
    help: "Characters of those frames",
    label: "to",
    words: ["peer", "nobody"],
  },
  limits: {
    help: "Limits that were hit",
    label: "limit",
    words: [
      "sockets",
      "upgrades",
      "creations",
      "failed_joins",
      "turn",
      "messages",
      "session_bytes",
      "relay",
      "slow_reader",
    ],
  },
  stun: {
    help: "Packets at the STUN port; ignored are those that ask for no address",
    label: "result",
    words: ["answered", "limited", "ignored"],
  },
  outcomes: {
    help:
      "Connections between two browsers, as browsers report them: each of the two may, none must",
    label: "way",
    words: ["direct", "relayed", "server", "failed"],
  },
  access_keys: {
    help: "Access keys entered: wait is one that was not looked at, after too many wrong ones",
    label: "was",
    words: ["right", "wrong", "wait"],
  },
  store_errors: { help: "Operations that the room store failed at", label: "on", words: ["any"] },
} as const satisfies Record<
  string,
  { readonly help: string; readonly label: string; readonly words: readonly string[] }
>;

/** Name of a counter. */
export type CounterName = keyof typeof COUNTERS;

/** The values that a counter's label may have. */
export type CounterWord<N extends CounterName> = (typeof COUNTERS)[N]["words"][number];

/** Receives what is counted. */
export interface Counters {
  /** Adds `by`, or 1. */
  count<N extends CounterName>(name: N, word: CounterWord<N>, by?: number): void;
}

/** A number that is read each time the metrics are rendered. */
export interface Gauge {
  /** Name without the prefix, with its unit at the end. */
  readonly name: string;
  readonly help: string;
  readonly read: () => number;
}

/** Counters of one process, rendered together with gauges. */
export class Metrics implements Counters {
  readonly #series = new Map<CounterName, Map<string, number>>();

  constructor() {
    // All series start at zero: computing a rate needs the value before the first event as well.
    for (const name of Object.keys(COUNTERS) as CounterName[]) {
      const words: readonly string[] = COUNTERS[name].words;
      this.#series.set(name, new Map(words.map((word) => [word, 0])));
    }
  }

  count<N extends CounterName>(name: N, word: CounterWord<N>, by = 1): void {
    const series = this.#series.get(name);
    const value = series?.get(word);
    // A word that got past the types must not create a series.
    if (value !== undefined) series?.set(word, value + by);
  }

  /** Current value of a counter. */
  get<N extends CounterName>(name: N, word: CounterWord<N>): number {
    return this.#series.get(name)?.get(word) ?? 0;
  }

  /** Renders everything as text, in version 0.0.4 of the format. */
  render(gauges: readonly Gauge[] = []): string {
    const lines: string[] = [];
    for (const [name, series] of this.#series) {
      const { help, label } = COUNTERS[name];
      const full = `${PREFIX}${name}_total`;
      lines.push(`# HELP ${full} ${help}.`, `# TYPE ${full} counter`);
      for (const [word, value] of series) lines.push(`${full}{${label}="${word}"} ${value}`);
    }
    for (const { name, help, read } of gauges) {
      const full = PREFIX + name;
      lines.push(`# HELP ${full} ${help}.`, `# TYPE ${full} gauge`, `${full} ${read()}`);
    }
    return lines.join("\n") + "\n";
  }
}

/** How often the event loop is sampled, in ms. */
const LAG_STEP_MS = 500;

/**
 * Measures how late timers fire, which is how long everything else waits while the process
 * computes.
 */
export class LagMeter {
  #worst = 0;
  #due = performance.now() + LAG_STEP_MS;
  readonly #timer = setInterval(() => this.#tick(), LAG_STEP_MS);

  constructor() {
    // This timer must not keep the process alive.
    Deno.unrefTimer(this.#timer);
  }

  /** The longest delay since the last call, in seconds. */
  take(): number {
    const late = Math.max(this.#worst, performance.now() - this.#due, 0);
    this.#worst = 0;
    return late / 1_000;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    this.#worst = Math.max(this.#worst, now - this.#due);
    this.#due = now + LAG_STEP_MS;
  }
}

/** True if a request has `token` as its Bearer token. The comparison takes constant time. */
export function mayRead(req: Request, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(req.headers.get("authorization") ?? "")?.[1] ?? "";
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(token));
}

/** The metrics of this process. */
export const metrics: Metrics = new Metrics();
