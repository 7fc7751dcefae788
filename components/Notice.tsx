import type { ComponentChildren } from "preact";

/** Says what went wrong, and what to do; `reason` is the machine-readable form. */
export function Notice({ reason, children }: { reason: string; children: ComponentChildren }) {
  return <p class="notice" role="alert" data-reason={reason}>{children}</p>;
}
