import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** A link of the page that was pressed while leaving would lose something. */
export interface Leaving {
  /** True while the question whether to leave is open. */
  readonly asked: boolean;
  answer(go: boolean): void;
}

/**
 * Asks before the page is left while `waits`. If one of its links is pressed, the page itself asks,
 * because phones never show the browser's question there; on a reload or close, the browser asks.
 */
export function useLeaving(waits: boolean): Leaving {
  const target = useSignal<string | null>(null);
  const going = useRef(false);
  useEffect(() => {
    if (!waits) return;
    const listening = new AbortController();
    const { signal } = listening;
    addEventListener("beforeunload", (event) => {
      if (!going.current) event.preventDefault();
    }, { signal });
    document.addEventListener("click", (event) => {
      const href = leadsAway(event);
      if (href === null) return;
      event.preventDefault();
      target.value = href;
    }, { signal });
    return () => {
      listening.abort();
      target.value = null;
    };
  }, [waits]);
  return {
    asked: target.value !== null,
    answer(go) {
      const href = target.peek();
      target.value = null;
      if (!go || href === null) return;
      going.current = true;
      location.assign(href);
    },
  };
}

/**
 * The URL that a click takes this window to; `null` if it stays on the page, or opens another
 * window.
 */
function leadsAway(event: MouseEvent): string | null {
  const { target, button, defaultPrevented, ctrlKey, metaKey, shiftKey, altKey } = event;
  if (defaultPrevented || button !== 0 || ctrlKey || metaKey || shiftKey || altKey) return null;
  const link = target instanceof Element ? target.closest("a") : null;
  if (link === null || !link.hasAttribute("href") || link.hasAttribute("download")) return null;
  if (link.target !== "" && link.target !== "_self") return null;
  const here = location.href.replace(/#.*/, "");
  return link.href.startsWith(`${here}#`) ? null : link.href;
}
