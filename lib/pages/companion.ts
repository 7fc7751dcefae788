/**
 * What goes along with a page and is not needed for its first paint: it keeps the screen awake,
 * calls somebody back, knows what went on, and in which app this is.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { Attention } from "../device/attention.ts";
import { type Course, diagnose } from "./diagnostics.ts";
import { detectInApp, type InApp } from "../device/in_app.ts";
import { WakeLock } from "../device/wake_lock.ts";

/** Nobody waits, and nothing is on a screen. */
const ASLEEP: readonly string[] = ["idle", "preparing", "closed", "ended", "failed"];

/** Goes along with one page. */
export class Companion {
  readonly attention: Attention;
  /** The app that this page is shown in; `null` in a browser. */
  readonly inApp: InApp | null;
  readonly #lock: WakeLock;
  #before: { readonly phase: string; readonly news: string | undefined } = {
    phase: "idle",
    news: undefined,
  };

  /** `icon`: the URL of the icon that says that something happened. Ends with `signal`. */
  constructor(icon: string, signal: AbortSignal) {
    this.attention = new Attention({ icon, signal });
    this.#lock = new WakeLock(signal);
    // An app on the home screen has the user agent of one inside of another app.
    const standalone = Reflect.get(navigator, "standalone") === true;
    this.inApp = standalone ? null : detectInApp(navigator.userAgent);
  }

  /**
   * Takes note of the page's phase; `news` is what is said of it to who looks elsewhere, if
   * anything.
   */
  follow(phase: string, news: string | undefined): void {
    const before = this.#before;
    this.#before = { phase, news };
    const awake = !ASLEEP.includes(phase);
    void this.#lock.keep(awake);
    if (news === undefined || news === before.news) return;
    this.attention.call(news, { arrival: before.phase === "waiting" && awake });
  }

  /** What can be told to somebody who is to help. */
  diagnose(course: Course): string {
    return diagnose(course);
  }
}
