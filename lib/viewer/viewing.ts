/**
 * One picture on screen: from its first bitmap to the wipe.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ClosedReason } from "../protocol/control.ts";
import type { ViewRules } from "../protocol/display_options.ts";
import type { OpenPicture } from "../image/decoder.ts";
import { Countdown } from "./countdown.ts";
import { watchCover } from "./cover.ts";
import { watchGestures } from "./gestures.ts";
import { type PlayedFrame, Player, type Rounds } from "./player.ts";
import { type Place, Stage, type View } from "./stage.ts";

/** How often the countdown on the page is updated, in milliseconds. */
const TICK_MS = 100;

/**
 * The remaining seconds at which a screen reader announces them, if the countdown began with at
 * least as many; the last one first.
 */
const SPOKEN: readonly number[] = [3, 10];

/** An animated picture, and the source of its frames. */
export interface Moving {
  readonly source: {
    /** Decodes a frame, counted from 0, and renders a part, given in fractions of its sides. */
    frame(index: number, part: View | null): Promise<PlayedFrame>;
  };
  readonly facts: Rounds;
}

/** A frame, its number, and where its detail is to be painted. */
interface PlacedFrame extends PlayedFrame {
  readonly index: number;
  readonly place: Place | null;
}

/** Whether the picture is animated: no, playing, paused, or not in this browser. */
export type Motion = "none" | "playing" | "paused" | "still";

/** What the page shows beside the picture. */
export interface ViewingState {
  /** Seconds left, rounded up; `null` without a time limit. */
  readonly seconds: number | null;
  /** Fraction of the time that is left, 1 → 0. */
  readonly fraction: number;
  /**
   * Covered because the page is hidden, being printed, or without focus; the clock keeps running.
   */
  readonly covered: boolean;
  /**
   * Whether the picture must be held to be seen, and whether it is held now; the clock keeps
   * running while it is not.
   */
  readonly hold: "never" | "released" | "held";
  /**
   * Says that a control beside the picture is held, or released; `null` if the picture need not be
   * held.
   */
  readonly setHeld: ((held: boolean) => void) | null;
  /** Whether it plays. While covered it pauses, whatever this says. */
  readonly motion: Motion;
  /** Plays or pauses; `null` if there is nothing to play. */
  readonly togglePlay: (() => void) | null;
  /**
   * Remaining seconds for the screen reader to announce; `null` while there is nothing to announce.
   */
  readonly spoken: number | null;
}

/** Settings of a {@linkcode Viewing}. */
export interface ViewingOptions {
  readonly canvas: HTMLCanvasElement;
  /** Owned from here on, with its bitmap: closed at the end. */
  readonly picture: OpenPicture;
  readonly rules: ViewRules;
  /** For an animated picture: what plays it, or `"still"` if this browser can't. */
  readonly moving?: Moving | "still" | null;
  /** Called when the first pixel was painted. */
  readonly onPainted: () => void;
  /** Called once, after the wipe, with the milliseconds that it was on screen. */
  readonly onClosed: (why: ClosedReason, ms: number) => void;
}

/**
 * Shows a picture for its time, covers it while the page is not looked at, and wipes it at the end.
 */
export class Viewing {
  readonly #state = signal<ViewingState>({
    seconds: null,
    fraction: 1,
    covered: false,
    hold: "never",
    setHeld: null,
    motion: "none",
    togglePlay: null,
    spoken: null,
  });
  readonly #options: ViewingOptions;
  readonly #stage: Stage;
  readonly #player: Player<PlacedFrame> | null;
  /** The visible frame; `null` before the first one. */
  #index: number | null = null;
  readonly #watching = new AbortController();
  #countdown: Countdown | null = null;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  constructor(options: ViewingOptions) {
    this.#options = options;
    const { canvas, picture, rules: { mark, hold }, moving = null } = options;
    const { bitmap, width, height, wide } = picture;
    const plays = moving !== null && moving !== "still";
    this.#stage = new Stage(canvas, bitmap, {
      mark,
      covered: hold,
      size: { width, height },
      wide,
      moves: plays,
      render: (view) => plays ? this.#renderFrame(moving, view) : picture.render(view),
    });
    this.#player = !plays ? null : new Player<PlacedFrame>({
      facts: moving.facts,
      source: { frame: (index) => this.#frame(moving, index) },
      show: (frame) => this.#show(frame),
      onChange: (playing) => {
        this.#change({ motion: playing ? "playing" : "paused" });
        if (!playing) this.#stage.sharpen();
      },
    });
    if (moving === "still") this.#change({ motion: "still" });
    else if (moving !== null) {
      this.#change({ motion: "paused", togglePlay: () => this.#togglePlay() });
    }
    if (hold) this.#change({ hold: "released", setHeld: (held) => this.#hold(held) });
    const { signal } = this.#watching;
    watchCover({
      signal,
      onCover: (kind) => {
        if (kind === "pagehide" || kind === "freeze") return this.close("hidden");
        this.#change({ covered: true });
        // Counts as released when the page is visible again: the release event may have been sent
        // elsewhere.
        this.#hold(false);
      },
      onUncover: () => this.#change({ covered: false }),
    });
    watchGestures({
      box: this.#stage.box,
      target: this.#stage,
      signal,
      onPress: hold ? (pressed) => this.#hold(pressed) : null,
    });
    this.#stage.firstFrame.then((startedAt) => {
      if (startedAt !== null && !this.#closed) this.#start(startedAt);
    });
  }

  /** What the page shows beside the picture. */
  get state(): ReadonlySignal<ViewingState> {
    return this.#state;
  }

  /** Adds time, in seconds. Returns false if there is no time limit to extend. */
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
    // The frame is on its way to the screen, but `onPainted` was not called yet.
    if (painted && this.#countdown === null) this.#options.onPainted();
    // A picture that was visible, however briefly, is reported with at least 1 ms.
    const ms = painted ? Math.max(1, Math.round(this.#countdown?.elapsed() ?? 0)) : 0;
    this.#countdown?.stop();
    this.#options.onClosed(why, ms);
  }

  /** A frame, with the sharper pixels of the part that is visible when it is requested. */
  async #frame({ source }: Moving, index: number): Promise<PlacedFrame> {
    const part = this.#stage.part;
    const frame = await source.frame(index, part === null ? null : this.#fractions(part.view));
    return { ...frame, index, place: part?.place ?? null };
  }

  #show({ bitmap, detail, place, index }: PlacedFrame): void {
    this.#index = index;
    this.#stage.show(bitmap, detail === null || place === null ? null : { bitmap: detail, place });
  }

  /** Sharper pixels of a paused frame. While it plays, each frame comes with its own. */
  async #renderFrame({ source }: Moving, view: View): Promise<ImageBitmap | null> {
    if (this.#state.peek().motion === "playing") return null;
    if (this.#index === null) return await this.#options.picture.render(view);
    const { bitmap, detail } = await source.frame(this.#index, this.#fractions(view));
    bitmap.close();
    return detail;
  }

  #fractions({ region: { x, y, width, height }, ...pixels }: View): View {
    const of = this.#options.picture;
    const region = {
      x: x / of.width,
      y: y / of.height,
      width: width / of.width,
      height: height / of.height,
    };
    return { region, ...pixels };
  }

  #togglePlay(): void {
    if (this.#state.peek().motion === "playing") this.#player?.pause();
    else this.#player?.play();
  }

  #hold(held: boolean): void {
    if (this.#state.peek().hold !== "never") this.#change({ hold: held ? "held" : "released" });
  }

  /** The only place that decides what is visible: the pixels first, then the page's state. */
  #change(
    change: Partial<Pick<ViewingState, "covered" | "hold" | "setHeld" | "motion" | "togglePlay">>,
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
    this.#countdown = new Countdown(this.#options.rules.seconds, () => this.close("timer"), {
      startedAt,
    });
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
    // With reduced motion, an animation stays at its first frame until somebody plays it.
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
          seconds !== null && seconds <= mark && mark <= this.#options.rules.seconds
        ) ?? null,
    };
  }
}
