/**
 * Tells at once when the picture has to be covered, and when it may be seen again.
 *
 * This module is browser compatible.
 *
 * @module
 */

/**
 * Why the picture has to be covered. `pagehide` and `freeze` are final: the page may come back from
 * the back/forward cache, so the caller has to wipe.
 */
export type CoverKind = "hidden" | "blur" | "print" | "pagehide" | "freeze";

/** Settings of {@linkcode watchCover}. */
export interface CoverOptions {
  /** Ends watching. */
  readonly signal?: AbortSignal;
  /**
   * Called synchronously inside the event, before the browser can paint again; once for each reason
   * that begins.
   */
  readonly onCover: (kind: CoverKind) => void;
  /** Called when the last reason has gone; never after `pagehide` or `freeze`. */
  readonly onUncover: () => void;
  /** For tests. */
  readonly window?: EventTarget;
  /** For tests. */
  readonly document?: CoverDocument;
}

/** What is needed of `document`. */
export type CoverDocument = EventTarget & Pick<Document, "visibilityState" | "hasFocus">;

/**
 * Watches the page. Calls `onCover` before it returns when the page is hidden or without focus
 * already: somebody may have pressed "show" and looked away while the key travelled.
 */
export function watchCover(options: CoverOptions): void {
  const { onCover, onUncover } = options;
  const page = options.document ?? document;
  const view = options.window ?? globalThis;
  const reasons = new Set<CoverKind>();

  function begin(kind: CoverKind): void {
    if (reasons.has(kind)) return;
    reasons.add(kind);
    onCover(kind);
  }

  function end(...kinds: readonly CoverKind[]): void {
    const before = reasons.size;
    for (const kind of kinds) reasons.delete(kind);
    if (before > 0 && reasons.size === 0) onUncover();
  }

  function look(): void {
    if (page.visibilityState === "hidden") return begin("hidden");
    // Some browsers send no focus event when a tab comes back with the focus in it.
    if (page.hasFocus()) end("hidden", "blur");
    else end("hidden");
  }

  // Capture, and first in line: nobody else's handler can hold it up.
  const when = {
    capture: true,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  page.addEventListener("visibilitychange", look, when);
  page.addEventListener("freeze", () => begin("freeze"), when);
  view.addEventListener("pagehide", () => begin("pagehide"), when);
  view.addEventListener("blur", ({ target }) => {
    // Capturing sees every element's blur as well.
    if (target === view) begin("blur");
  }, when);
  view.addEventListener("focus", ({ target }) => {
    if (target === view) end("blur");
  }, when);
  view.addEventListener("beforeprint", () => begin("print"), when);
  view.addEventListener("afterprint", () => end("print"), when);
  if (options.signal?.aborted) return;
  look();
  if (!page.hasFocus()) begin("blur");
}
