/**
 * Connects a {@linkcode Companion} to an island.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Companion } from "./companion.ts";
import type { Session } from "./session.ts";

/** What an island reports about its page at each render. */
export interface Moment {
  readonly page: "send" | "join";
  readonly phase: string;
  readonly reason: string | null;
  /** Text for somebody who is looking elsewhere: a few words without secrets. */
  readonly news: string | undefined;
  readonly session: Session | null;
  /** The favicon that signals news; a URL of this site. */
  readonly icon: string;
}

/** What the island receives. */
export interface Company {
  /**
   * `null` until it is loaded, which happens after the page, and if the server did not answer then.
   */
  readonly companion: Companion | null;
  /**
   * The diagnostics text, for somebody who is asked for help; `null` while there is no companion.
   */
  readonly diagnose: () => string | null;
}

/**
 * Whether somebody wants every change in the console: `?debug` in the address,
 * `localStorage.debug`, or `globalThis.debugTrace` set before the page's scripts, as the browser
 * tests do.
 */
function isTraced(): boolean {
  if (new URLSearchParams(location.search).has("debug")) return true;
  if (Reflect.get(globalThis, "debugTrace") === true) return true;
  try {
    return localStorage.getItem("debug") !== null;
  } catch {
    // The storage is blocked.
    return false;
  }
}

/** Loads the companion after the page, and keeps it informed from then on. */
export function useCompanion(moment: Moment): Company {
  const { phase, reason, news, session, icon } = moment;
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
        // The server does not answer. The page works without the companion.
      }
    };
    if (document.readyState === "complete") void load();
    else globalThis.addEventListener("load", load, { once: true, signal: ending.signal });
    return () => ending.abort();
  }, []);
  const tracer = useSignal<typeof import("./debug_trace.ts") | null>(null);
  useEffect(() => {
    if (!isTraced()) return;
    import("./debug_trace.ts").then((module) => tracer.value = module).catch(() => {
      // The server does not answer. There is no trace then.
    });
  }, []);
  useEffect(() => {
    tracer.value?.trace(`page ${phase}${reason === null ? "" : ` (${reason})`}`);
  }, [phase, reason, tracer.value]);
  useEffect(() => session === null ? undefined : tracer.value?.traceSession(session), [
    session,
    tracer.value,
  ]);
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
