/**
 * Ties a {@linkcode Companion} to an island.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Companion } from "./companion.ts";
import type { Session } from "./session.ts";

/** What an island says of its page each time that it is drawn. */
export interface Moment {
  readonly page: "send" | "join";
  readonly phase: string;
  readonly reason: string | null;
  /** What is said of this moment to who looks elsewhere: a few words without secrets. */
  readonly news: string | undefined;
  readonly session: Session | null;
  /** The icon that says that something happened; a URL of this site. */
  readonly icon: string;
}

/** What the island gets. */
export interface Company {
  /** `null` until it is loaded, which is after the page is, and where the server was away then. */
  readonly companion: Companion | null;
  /** What can be told to somebody who is to help; `null` while there is no companion. */
  readonly diagnose: () => string | null;
}

/** Loads the companion after the page, and tells it what happens from then on. */
export function useCompanion(moment: Moment): Company {
  const { phase, news, icon } = moment;
  const loaded = useSignal<Companion | null>(null);
  const phases = useRef<string[]>([]);
  const latest = useRef(moment);
  latest.current = moment;
  useEffect(() => {
    const ending = new AbortController();
    const load = async () => {
      try {
        const { Companion } = await import("./companion.ts");
        if (!ending.signal.aborted) loaded.value = new Companion(icon, ending.signal);
      } catch {
        // The server is away: without all this the page works as well.
      }
    };
    if (document.readyState === "complete") void load();
    else globalThis.addEventListener("load", load, { once: true, signal: ending.signal });
    return () => ending.abort();
  }, []);
  const companion = loaded.value;
  useEffect(() => void phases.current.push(phase), [phase]);
  useEffect(() => companion?.follow(phase, news), [phase, news, companion]);
  return {
    companion,
    diagnose() {
      const { page, reason, session } = latest.current;
      return companion?.diagnose({
        page,
        reason,
        phases: phases.current,
        contact: session?.contact.peek() ?? null,
        trace: session?.trace ?? null,
      }) ?? null;
    },
  };
}
