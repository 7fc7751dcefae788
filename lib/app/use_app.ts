/**
 * Connects {@linkcode startApp} to an island.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { useEffect, useRef } from "preact/hooks";
import type { Take } from "./start.ts";

/**
 * Starts the app around the page once everything is loaded and the page is `ready` to take
 * pictures; see {@linkcode startApp} for `take`.
 */
export function useApp(take: Take | null, ready: boolean): void {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    if (!ready) return;
    const begin = async () => {
      try {
        const { startApp } = await import("./start.ts");
        await startApp(latest.current === null ? null : (files) => latest.current?.(files));
      } catch {
        // The server does not answer. The page works without the app.
      }
    };
    if (document.readyState === "complete") void begin();
    else globalThis.addEventListener("load", begin, { once: true });
  }, [ready]);
}
