import type { ComponentChildren } from "preact";

/** Something that went wrong, and what to do; `reason` is the same for machines. */
export function Notice({ reason, children }: { reason: string; children: ComponentChildren }) {
  return <p class="notice" role="alert" data-reason={reason}>{children}</p>;
}
