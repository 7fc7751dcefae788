/**
 * Helpers of a page that its first paint does not need: they keep the screen awake, notify people,
 * collect diagnostics, and detect the in-app browser.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { Attention } from "../device/attention.ts";
import { type Course, diagnose } from "./diagnostics.ts";
import { detectInApp, type InApp } from "../device/in_app.ts";
import { WakeLock } from "../device/wake_lock.ts";

/** Phases in which nobody waits and nothing is on a screen. */
const ASLEEP: readonly string[] = ["idle", "preparing", "closed", "ended", "failed"];

/** Accompanies one page. */
export class Companion {
  readonly attention: Attention;
  /** The app whose in-app browser shows this page; `null` in a normal browser. */
  readonly inApp: InApp | null;
  readonly #lock: WakeLock;
  #before: { readonly phase: string; readonly news: string | undefined } = {
    phase: "idle",
    news: undefined,
  };

  /** `icon` is the URL of the favicon that signals news. Stops when `signal` aborts. */
  constructor(icon: string, signal: AbortSignal) {
    this.attention = new Attention({ icon, signal });
    this.#lock = new WakeLock(signal);
    // A web app on the home screen has the same user agent as an in-app browser.
    const standalone = Reflect.get(navigator, "standalone") === true;
    this.inApp = standalone ? null : detectInApp(navigator.userAgent);
  }

  /** Follows the page's phase; `news` is the text for somebody who is looking elsewhere, if any. */
  follow(phase: string, news: string | undefined): void {
    const before = this.#before;
    this.#before = { phase, news };
    const awake = !ASLEEP.includes(phase);
    void this.#lock.keep(awake);
    if (news === undefined || news === before.news) return;
    this.attention.call(news, { arrival: before.phase === "waiting" && awake });
  }

  /** The diagnostics text, for somebody who is asked for help. */
  diagnose(course: Course): string {
    return diagnose(course);
  }
}
