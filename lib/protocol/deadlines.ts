/**
 * How long each side waits for the other one while a picture is opened and seen. All of it is here,
 * because what one page promises must not be broken by a timer of the other.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { DISPLAY_OPTIONS, type DisplayOption, FLAGS, type ViewRules } from "./display_options.ts";

/** How long the owner's page may take to release a key, in ms. */
const KEY_MS = 15_000;

/**
 * How long the viewer's page may take from the key to the first frame, in ms: a slow phone, 40
 * megapixels.
 */
const FRAME_MS = 30_000;

/**
 * How long before its owner gives it up the viewer's page closes a picture that nobody looked at,
 * in ms: its report has to arrive first.
 */
const LEAD_MS = 5_000;

/**
 * How long after the end of its viewing time a picture may stay open without a report from the
 * viewer, in ms.
 */
export const REPORT_MS = 10_000;

/**
 * Pause between the end of one picture and the next, in ms, so that both people see that one was
 * closed.
 */
export const NEXT_DELAY_MS = 400;

/** Minimum interval between updates of the progress, in ms: each costs the page a render. */
export const PROGRESS_MS = 100;

/** `usual`, or as much as an option that is on allows. */
function longest(rules: ViewRules, which: "keyMs" | "frameMs", usual: number): number {
  const options: readonly DisplayOption[] = FLAGS.filter((name) => rules[name])
    .map((name) => DISPLAY_OPTIONS[name]);
  return Math.max(usual, ...options.map((option) => option[which] ?? 0));
}

/** How long a viewer waits for the key that they asked for, in ms. */
export function keyMs(rules: ViewRules): number {
  return longest(rules, "keyMs", KEY_MS);
}

/** How long an owner waits for the first frame after they released the key, in ms. */
export function frameMs(rules: ViewRules): number {
  return longest(rules, "frameMs", FRAME_MS);
}

/** How long the viewer's page waits for somebody to look once the key is there, in ms. */
export function lookMs(rules: ViewRules): number {
  return frameMs(rules) - LEAD_MS;
}
