/**
 * One picture on screen: from its first bitmap to the wipe.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ClosedReason } from "../protocol/control.ts";
import type { OpenPicture } from "../image/decoder.ts";
import { Countdown } from "./countdown.ts";
import { watchCover } from "./cover.ts";
import { watchGestures } from "./gestures.ts";
import { type FrameSource, Player, type Rounds } from "./player.ts";
import { Stage } from "./stage.ts";

/** How often the countdown on the page is renewed, in milliseconds. */
const TICK_MS = 100;

/** Seconds left at which that is said aloud, where it began with as many; the last one first. */
const SPOKEN: readonly number[] = [3, 10];

/** A picture that moves, and what its frames come from. */
export interface Moving {
  readonly source: FrameSource;
  readonly facts: Rounds;
}

/** Whether a picture moves: never, now, not now, or not in this browser. */
export type Motion = "none" | "playing" | "paused" | "still";

/** What the page shows beside the picture. */
export interface ViewingState {
  /** Seconds left, rounded up; `null` until closed by hand. */
  readonly seconds: number | null;
  /** What is left of the whole time, 1 → 0. */
  readonly fraction: number;
  /** Covered because the page is hidden, printed or without focus; time goes on. */
  readonly covered: boolean;
  /** Whether it has to be held to be seen, and is; time goes on while it is not. */
  readonly hold: "never" | "released" | "held";
  /**
   * Holds or releases, for who can't keep a finger or key down; `null` where nothing has to be
   * held.
   */
  readonly toggle: (() => void) | null;
  /** Whether it moves; it pauses while it is covered, whatever stands here. */
  readonly motion: Motion;
  /** Plays or pauses; `null` where there is nothing to play. */
  readonly togglePlay: (() => void) | null;
  /**
   * What a screen reader says of the time now, in seconds; `null` while there is nothing to say.
   */
  readonly spoken: number | null;
}

/** Settings of a {@linkcode Viewing}. */
export interface ViewingOptions {
  readonly canvas: HTMLCanvasElement;
  /** Taken over, with its bitmap: closed in the end. */
  readonly picture: OpenPicture;
  /** 0 = until closed. */
  readonly seconds: number;
  readonly mark: string;
  /**
   * Covered unless it is held, by pointer, key or {@linkcode ViewingState.toggle}. Default: false.
   */
  readonly hold?: boolean;
  /** Where it moves: what plays it, or `"still"` where this browser can't. */
  readonly moving?: Moving | "still" | null;
  /** First pixel painted. */
  readonly onPainted: () => void;
  /** Wiped; called once, with the milliseconds that it was on screen. */
  readonly onClosed: (why: ClosedReason, ms: number) => void;
}

/** Shows a picture for its time, covers it when the page is not looked at, wipes it at the end. */
export class Viewing {
  readonly #state = signal<ViewingState>({
    seconds: null,
    fraction: 1,
    covered: false,
    hold: "never",
    toggle: null,
    motion: "none",
    togglePlay: null,
    spoken: null,
  });
  readonly #options: ViewingOptions;
  readonly #stage: Stage;
  readonly #player: Player | null;
  readonly #watching = new AbortController();
  #countdown: Countdown | null = null;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  constructor(options: ViewingOptions) {
    this.#options = options;
    const { canvas, picture, mark, hold = false, moving = null } = options;
    const { bitmap, width, height, wide } = picture;
    const plays = moving !== null && moving !== "still";
    this.#stage = new Stage(canvas, bitmap, {
      mark,
      covered: hold,
      size: { width, height },
      wide,
      // Of one that plays, the worker would make parts of the first frame.
      ...(plays ? {} : { render: (view) => picture.render(view) }),
    });
    this.#player = !plays ? null : new Player({
      ...moving,
      show: (bitmap) => this.#stage.show(bitmap),
      onChange: (playing) => this.#change({ motion: playing ? "playing" : "paused" }),
    });
    if (moving === "still") this.#change({ motion: "still" });
    else if (moving !== null) {
      this.#change({ motion: "paused", togglePlay: () => this.#togglePlay() });
    }
    if (hold) this.#change({ hold: "released", toggle: () => this.#toggle() });
    const { signal } = this.#watching;
    watchCover({
      signal,
      onCover: (kind) => {
        if (kind === "pagehide" || kind === "freeze") return this.close("hidden");
        this.#change({ covered: true });
        // What was held is not held any more when one comes back: the release may have gone
        // elsewhere.
        this.#hold(false);
      },
      onUncover: () => this.#change({ covered: false }),
    });
    watchGestures({
      box: this.#stage.box,
      target: this.#stage,
      signal,
      onHold: hold ? (held) => this.#hold(held) : null,
    });
    this.#stage.firstFrame.then((startedAt) => {
      if (startedAt !== null && !this.#closed) this.#start(startedAt);
    });
  }

  /** What the page shows beside the picture. */
  get state(): ReadonlySignal<ViewingState> {
    return this.#state;
  }

  /** Grants more time, in seconds. Returns false where there is no time to add to. */
  extend(seconds: number): boolean {
    return this.#countdown?.extend(seconds) ?? false;
  }

  /** Wipes the picture. Idempotent. */
  close(why: ClosedReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#player?.stop();
    this.#stage.wipe();
    this.#options.picture.close();
    this.#watching.abort();
    clearInterval(this.#ticker);
    const { painted } = this.#stage;
    // The frame is on its way to the screen, and nobody was told so yet.
    if (painted && this.#countdown === null) this.#options.onPainted();
    // Whoever saw it for however short a time has not seen nothing.
    const ms = painted ? Math.max(1, Math.round(this.#countdown?.elapsed() ?? 0)) : 0;
    this.#countdown?.stop();
    this.#options.onClosed(why, ms);
  }

  #toggle(): void {
    this.#hold(this.#state.peek().hold === "released");
  }

  #togglePlay(): void {
    if (this.#state.peek().motion === "playing") this.#player?.pause();
    else this.#player?.play();
  }

  #hold(held: boolean): void {
    if (this.#state.peek().hold !== "never") this.#change({ hold: held ? "held" : "released" });
  }

  /** The one place that decides what is seen: the pixels first, then what the page says of it. */
  #change(
    change: Partial<Pick<ViewingState, "covered" | "hold" | "toggle" | "motion" | "togglePlay">>,
  ): void {
    if (this.#closed) return;
    const state = { ...this.#state.peek(), ...change };
    const covered = state.covered || state.hold === "released";
    if (covered) this.#stage.cover();
    else this.#stage.uncover();
    this.#state.value = state;
    this.#player?.cover(covered);
  }

  #start(startedAt: number): void {
    this.#countdown = new Countdown(this.#options.seconds, () => this.close("timer"), {
      startedAt,
    });
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
    // Who wants less motion sees its first frame, and can play it.
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.#player?.play();
    this.#options.onPainted();
  }

  #tick(): void {
    const countdown = this.#countdown;
    if (countdown === null) return;
    const left = countdown.remaining();
    const seconds = Number.isFinite(left) ? Math.ceil(left / 1_000) : null;
    this.#state.value = {
      ...this.#state.peek(),
      seconds,
      fraction: countdown.fraction(),
      spoken:
        SPOKEN.find((mark) =>
          seconds !== null && seconds <= mark && mark <= this.#options.seconds
        ) ?? null,
    };
  }
}
