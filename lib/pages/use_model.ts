/**
 * Ties a page's model to its island: made in the browser only, after hydration, and told when the
 * page goes away.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** The model, or `null` on the server and in the first render, which has to be the server's. */
export function useModel<M extends { vanish(): void }>(create: () => M): Signal<M | null> {
  const model = useSignal<M | null>(null);
  useEffect(() => {
    const made = create();
    model.value = made;
    const listening = new AbortController();
    const { signal } = listening;
    globalThis.addEventListener("pagehide", () => made.vanish(), { signal });
    // Back from the browser's cache, with its connections cut: a page that is loaded anew knows how
    // to go on.
    globalThis.addEventListener("pageshow", (event) => {
      if (event.persisted) globalThis.location.reload();
    }, { signal });
    return () => listening.abort();
  }, []);
  return model;
}
