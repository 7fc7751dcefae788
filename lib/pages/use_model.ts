/**
 * Connects a page's model to its island: created only in the browser, after hydration, and notified
 * when the page is closed.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** The model; `null` on the server and in the first render, which must equal the server's. */
export function useModel<M extends { vanish(): void }>(create: () => M): Signal<M | null> {
  const model = useSignal<M | null>(null);
  useEffect(() => {
    const made = create();
    model.value = made;
    const listening = new AbortController();
    const { signal } = listening;
    globalThis.addEventListener("pagehide", () => made.vanish(), { signal });
    // Restored from the back/forward cache, where its connections were cut: after a reload the page
    // can continue.
    globalThis.addEventListener("pageshow", (event) => {
      if (event.persisted) globalThis.location.reload();
    }, { signal });
    return () => listening.abort();
  }, []);
  return model;
}
