import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/**
 * Keeps the focus in place for keyboard users. When the focused element disappears or is disabled,
 * the browser would move the focus to the top of the document; this moves it to the element with
 * this ref instead. The same happens if nothing has the focus when the phase changes.
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
  useEffect(noteInput, []);
  useEffect(() => {
    let held: Element | null = null;
    const track = ({ target }: FocusEvent) => {
      held = target instanceof Element ? target : null;
    };
    const watcher = new MutationObserver(() => {
      const { activeElement } = document;
      // The browser removes the focus from a disabled element only with the next frame.
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

/**
 * Writes down in `html[data-input]` what a person uses. WebKit does not focus a button that is
 * clicked, so it takes what a script focuses afterwards for the first focus of all, and shows a
 * ring around it: around a picture for as long as it is open. styles.css does without that ring.
 */
function noteInput(): () => void {
  const listening = new AbortController();
  const options = { capture: true, signal: listening.signal };
  const note = (input: "keys" | "pointer") => () => {
    document.documentElement.dataset["input"] = input;
  };
  addEventListener("pointerdown", note("pointer"), options);
  addEventListener("keydown", note("keys"), options);
  return () => listening.abort();
}
