/**
 * How fast pages follow what happens to pictures.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Minimum interval between updates of the progress, in ms: each costs the page a render. */
export const PROGRESS_MS = 100;

/**
 * Pause between the end of one picture and the next, in ms, so that both people see that one was
 * closed.
 */
export const NEXT_DELAY_MS = 400;
