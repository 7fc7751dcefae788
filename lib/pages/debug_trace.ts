/**
 * Writes every change of a page, its session and its pictures to the console, for debugging: names
 * of states, numbers and times. It writes no secret, file name, text or address.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { effect } from "@preact/signals";
import type { Session } from "./session.ts";

/** What begins each line, so that a console can be filtered by it. */
export const PREFIX = "[trace]";

const startedAt = performance.now();

/** Writes one line: seconds since this module was loaded, and what changed. */
export function trace(what: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(3);
  // The one place in a browser that writes: it was asked for.
  // deno-lint-ignore no-console
  console.debug(`${PREFIX} ${seconds} ${what}`);
}

/** Writes what changes in a session. Returns how to stop. */
export function traceSession(session: Session): () => void {
  const stops = Object.entries(describers(session)).map(([what, describe]) => {
    let before: string | null = null;
    return effect(() => {
      const now = describe();
      if (now === before) return;
      before = now;
      trace(`${what} ${now}`);
    });
  });
  return () => stops.forEach((stop) => stop());
}

/** What is written about a session, each as a text of its signals. */
function describers(session: Session): Readonly<Record<string, () => string>> {
  return {
    session: () => {
      const life = session.life.value;
      return "reason" in life ? `${life.at} (${life.reason})` : life.at;
    },
    server: () => session.contact.value ? "in contact" : "no contact",
    link: () => session.steady.value ? "steady" : "interrupted",
    peer: () => session.away.value ? "away" : "present",
    route: () => session.route.value ?? "none",
    outgoing: () =>
      session.outbox.pictures.value.map(({ n, state }) => `${n}:${state.at}`).join(" ") || "none",
    incoming: () => {
      const picture = session.inbox.value?.picture.value ?? null;
      return picture?.state.at ?? "none";
    },
  };
}
