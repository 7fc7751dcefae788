/**
 * One picture on screen: from the decoded bitmap to the wipe.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ClosedReason } from "../protocol/control.ts";
import { Countdown } from "../viewer/countdown.ts";
import { watchCover } from "../viewer/cover.ts";
import { Stage } from "../viewer/stage.ts";

/** How often the countdown on the page is renewed, in milliseconds. */
const TICK_MS = 100;

/** What the page shows beside the picture. */
export interface ViewingState {
  /** Seconds left, rounded up; `null` until closed by hand. */
  readonly seconds: number | null;
  /** What is left of the whole time, 1 → 0. */
  readonly fraction: number;
  /** Covered because the page is hidden, printed or without focus; time goes on. */
  readonly covered: boolean;
}

/** Settings of a {@linkcode Viewing}. */
export interface ViewingOptions {
  readonly canvas: HTMLCanvasElement;
  readonly bitmap: ImageBitmap;
  /** 0 = until closed. */
  readonly seconds: number;
  readonly mark: string;
  /** First pixel painted. */
  readonly onPainted: () => void;
  /** Wiped; called once, with the milliseconds that it was on screen. */
  readonly onClosed: (why: ClosedReason, ms: number) => void;
}

/** Shows a bitmap for its time, covers it when the page is not looked at, wipes it at the end. */
export class Viewing {
  readonly #state = signal<ViewingState>({ seconds: null, fraction: 1, covered: false });
  readonly #options: ViewingOptions;
  readonly #stage: Stage;
  readonly #watching = new AbortController();
  #countdown: Countdown | null = null;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  constructor(options: ViewingOptions) {
    this.#options = options;
    this.#stage = new Stage(options.canvas, options.bitmap, { mark: options.mark });
    watchCover({
      signal: this.#watching.signal,
      onCover: (kind) => {
        if (kind === "pagehide" || kind === "freeze") return this.close("hidden");
        this.#stage.cover();
        this.#state.value = { ...this.#state.peek(), covered: true };
      },
      onUncover: () => {
        this.#stage.uncover();
        this.#state.value = { ...this.#state.peek(), covered: false };
      },
    });
    this.#stage.firstFrame.then((startedAt) => {
      if (startedAt !== null && !this.#closed) this.#start(startedAt);
    });
  }

  /** What the page shows beside the picture. */
  get state(): ReadonlySignal<ViewingState> {
    return this.#state;
  }

  /** Grants more time, in seconds. */
  extend(seconds: number): void {
    this.#countdown?.extend(seconds);
  }

  /** Wipes the picture. Idempotent. */
  close(why: ClosedReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stage.wipe();
    this.#watching.abort();
    clearInterval(this.#ticker);
    const ms = Math.round(this.#countdown?.elapsed() ?? 0);
    this.#countdown?.stop();
    this.#options.onClosed(why, ms);
  }

  #start(startedAt: number): void {
    this.#countdown = new Countdown(this.#options.seconds, () => this.close("timer"), {
      startedAt,
    });
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
    this.#options.onPainted();
  }

  #tick(): void {
    const countdown = this.#countdown;
    if (countdown === null) return;
    const left = countdown.remaining();
    this.#state.value = {
      ...this.#state.peek(),
      seconds: Number.isFinite(left) ? Math.ceil(left / 1_000) : null,
      fraction: countdown.fraction(),
    };
  }
}
