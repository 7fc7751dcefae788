import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/**
 * Keeps the keyboard where it was: when what had the focus goes away, or can't be used any more,
 * focus would fall back to the top of the document, so it goes to the element that gets this ref
 * instead; also where nothing had it when the phase changed.
 */
export function useFocus(phase: string): RefObject<HTMLElement> {
  const element = useRef<HTMLElement>(null);
  const before = useRef(phase);
  useLayoutEffect(() => {
    const changed = before.current !== phase;
    before.current = phase;
    if (changed && document.activeElement === document.body) {
      element.current?.focus({ preventScroll: true });
    }
  }, [phase]);
  useEffect(() => {
    let held: Element | null = null;
    const track = ({ target }: FocusEvent) => {
      held = target instanceof Element ? target : null;
    };
    const watcher = new MutationObserver(() => {
      const { activeElement } = document;
      // The browser takes the focus from what can't be used with the next frame.
      const lost = activeElement === document.body || activeElement === held;
      if (!lost || held === null || (held.isConnected && !held.matches(":disabled"))) return;
      held = null;
      element.current?.focus({ preventScroll: true });
    });
    addEventListener("focusin", track);
    watcher.observe(document.body, {
      childList: true,
      subtree: true,
      attributeFilter: ["disabled"],
    });
    return () => {
      removeEventListener("focusin", track);
      watcher.disconnect();
    };
  }, []);
  return element;
}
