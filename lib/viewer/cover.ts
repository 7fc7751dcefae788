/**
 * Reports at once when the picture has to be covered, and when it may be visible again.
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
  /** Stops watching. */
  readonly signal?: AbortSignal;
  /**
   * Called synchronously inside the event, before the browser can paint again; once for each reason
   * that begins.
   */
  readonly onCover: (kind: CoverKind) => void;
  /** Called when no reason is left; never after `pagehide` or `freeze`. */
  readonly onUncover: () => void;
  /** For tests. */
  readonly window?: EventTarget;
  /** For tests. */
  readonly document?: CoverDocument;
}

/** The part of `document` that is used. */
export type CoverDocument = EventTarget & Pick<Document, "visibilityState" | "hasFocus">;

/**
 * Watches the page. Calls `onCover` before it returns if the page is already hidden or without
 * focus: somebody may have pressed "show" and looked away before the key arrived.
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
    // Some browsers send no focus event when a tab is shown again with the focus inside it.
    if (page.hasFocus()) end("hidden", "blur");
    else end("hidden");
  }

  // Listens in the capture phase and before others, so that no other handler can delay it.
  const when = {
    capture: true,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  page.addEventListener("visibilitychange", look, when);
  page.addEventListener("freeze", () => begin("freeze"), when);
  view.addEventListener("pagehide", () => begin("pagehide"), when);
  view.addEventListener("blur", ({ target }) => {
    // The capture phase also receives the blur events of every element.
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
