import type { ComponentChildren } from "preact";

/**
 * One sentence about the current state; the headline of a page that has no other. `busy` animates
 * its dot.
 */
export function Status(
  { busy, headline = false, children }: {
    busy: boolean;
    headline?: boolean;
    children: ComponentChildren;
  },
) {
  const Tag = headline ? "h1" : "p";
  return (
    <Tag class={busy ? "status busy" : "status"}>
      <span class="dot" aria-hidden="true" />
      {children}
    </Tag>
  );
}
