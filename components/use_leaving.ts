import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** A link of the page that somebody pressed while something would be lost. */
export interface Leaving {
  /** True while somebody is to say whether to go. */
  readonly asked: boolean;
  answer(go: boolean): void;
}

/**
 * Asks before the page is left while `waits`: in the page where one of its links is pressed, since
 * phones never show the browser's own question there, and by that one where it is reloaded or
 * closed.
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

/** Where a click leads this window; `null` where it stays on the page, or opens another one. */
function leadsAway(event: MouseEvent): string | null {
  const { target, button, defaultPrevented, ctrlKey, metaKey, shiftKey, altKey } = event;
  if (defaultPrevented || button !== 0 || ctrlKey || metaKey || shiftKey || altKey) return null;
  const link = target instanceof Element ? target.closest("a") : null;
  if (link === null || !link.hasAttribute("href") || link.hasAttribute("download")) return null;
  if (link.target !== "" && link.target !== "_self") return null;
  const here = location.href.replace(/#.*/, "");
  return link.href.startsWith(`${here}#`) ? null : link.href;
}
