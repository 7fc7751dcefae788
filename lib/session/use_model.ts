/**
 * Ties a page's model to its island: made in the browser only, after hydration, and told when the page goes away.
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
    const vanish = () => made.vanish();
    globalThis.addEventListener("pagehide", vanish);
    return () => globalThis.removeEventListener("pagehide", vanish);
  }, []);
  return model;
}
