import type { ComponentChildren } from "preact";

/** Something that went wrong, and what to do. */
export function Notice({ children }: { children: ComponentChildren }) {
  return <p class="notice" role="alert">{children}</p>;
}
