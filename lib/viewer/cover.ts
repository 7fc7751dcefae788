/**
 * Tells at once when the picture has to be covered, and when it may be seen again.
 *
 * This module is browser compatible.
 *
 * @module
 */

/**
 * Why the picture has to be covered. `pagehide` and `freeze` are final: the page may come back from the back/forward
 * cache, so the caller has to wipe.
 */
export type CoverKind = "hidden" | "blur" | "print" | "pagehide" | "freeze";

/** Settings of {@linkcode watchCover}. */
export interface CoverOptions {
  /** Ends watching. */
  readonly signal?: AbortSignal;
  /** Called synchronously inside the event, before the browser can paint again; once for each reason that begins. */
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

/** Watches the page. Calls `onCover` at once when the page is hidden or without focus already. */
export function watchCover(_options: CoverOptions): void {}
