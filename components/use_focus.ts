import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * Keeps the keyboard where it was: when a button goes away with its phase, focus would fall back to the top of the
 * document, so it goes to the element that gets this ref instead.
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
  return element;
}
