import type { ComponentChildren } from "preact";

/** One sentence about now. `busy` lets its dot breathe. */
export function Status({ busy, children }: { busy: boolean; children: ComponentChildren }) {
  return (
    <p class={busy ? "status busy" : "status"}>
      <span class="dot" aria-hidden="true" />
      {children}
    </p>
  );
}
