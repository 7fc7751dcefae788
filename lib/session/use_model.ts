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
export function useModel<M extends { leave(): void }>(create: () => M): Signal<M | null> {
  const model = useSignal<M | null>(null);
  useEffect(() => {
    const made = create();
    model.value = made;
    const leave = () => made.leave();
    globalThis.addEventListener("pagehide", leave);
    return () => globalThis.removeEventListener("pagehide", leave);
  }, []);
  return model;
}
