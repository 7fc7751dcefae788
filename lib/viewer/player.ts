/**
 * Plays an animated picture: requests a frame, paints it, and waits as long as the file says. The
 * next frame is requested after the visible one was painted, early enough to arrive when the
 * visible one's time is over. A slow page or decoder therefore slows the animation down, and
 * nothing queues up: there is the visible frame, and at most one in preparation.
 *
 * This module is browser compatible.
 *
 * @module
 */
/**
 * Frames of up to {@linkcode HASTY_MS} are shown for {@linkcode INSTEAD_MS}, both in milliseconds,
 * as browsers do. Such short times are hardly ever intended: ImageMagick's default is 0.
 */
const HASTY_MS = 10;
const INSTEAD_MS = 100;

/** Shortest time between two frames, in milliseconds, whatever the file says. */
const SHORTEST_MS = 20;

/** Longest time of a frame, in milliseconds: the most that GIF can express. */
const LONGEST_MS = 655_350;

/** A decoded frame, and its duration in the file, in milliseconds. */
export interface PlayedFrame {
  readonly bitmap: ImageBitmap;
  /** A part of it in more pixels. */
  readonly detail: ImageBitmap | null;
  readonly ms: number;
}

/** Where frames come from. */
export interface FrameSource<Frame extends PlayedFrame> {
  /**
   * `index` counts from 0. Rejects if the frame can't be decoded; the player then stops at the
   * frame before.
   */
  frame(index: number): Promise<Frame>;
}

/** The number of frames, and how often all of them are shown: 1 or more; `Infinity` = forever. */
export interface Rounds {
  readonly frames: number;
  readonly plays: number;
}

/** The clock and timers; those of the page unless a test replaces them. */
export interface PlayerClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back after about `ms`; returns a function that cancels it. */
  after(ms: number, callback: () => void): () => void;
  /**
   * Calls back once the painted frame is on its way to the screen; returns a function that cancels
   * it.
   */
  painted(callback: () => void): () => void;
}

/** Settings of a {@linkcode Player}. */
export interface PlayerOptions<Frame extends PlayedFrame> {
  readonly source: FrameSource<Frame>;
  readonly facts: Rounds;
  /** Paints a frame, at once or as soon as it may be visible, and owns its bitmaps. */
  readonly show: (frame: Frame) => void;
  /**
   * Called when it starts or stops playing: after `play` and `pause`, after the last round, and
   * when a frame can't be decoded.
   */
  readonly onChange: (playing: boolean) => void;
  readonly clock?: PlayerClock;
}

const PAGE: PlayerClock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  painted(callback) {
    const frame = requestAnimationFrame(callback);
    return () => cancelAnimationFrame(frame);
  },
};

/** Plays one picture; paused at first. */
export class Player<Frame extends PlayedFrame> {
  readonly #options: PlayerOptions<Frame>;
  readonly #clock: PlayerClock;
  /** The next frame. */
  #index = 0;
  #round = 0;
  #wanted = false;
  #covered = false;
  #stopped = false;
  #asking = false;
  /** How long the last frame took from its request to its arrival. */
  #tookMs = 0;
  #cancel: () => void = () => {};

  constructor(options: PlayerOptions<Frame>) {
    this.#options = options;
    this.#clock = options.clock ?? PAGE;
  }

  /** Plays from the frame after the visible one, or from the first once all rounds are over. */
  play(): void {
    if (this.#wanted || this.#stopped) return;
    this.#wanted = true;
    this.#options.onChange(true);
    this.#next();
  }

  /** Pauses at the visible frame. */
  pause(): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#cancel();
    this.#options.onChange(false);
  }

  /** Pauses while the picture is covered, and continues afterwards. */
  cover(covered: boolean): void {
    if (covered === this.#covered) return;
    this.#covered = covered;
    this.#cancel();
    if (!covered) this.#next();
  }

  /** Stops for good: no further frame is shown. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#wanted = false;
    this.#cancel();
  }

  get #running(): boolean {
    return this.#wanted && !this.#covered && !this.#stopped;
  }

  #next(): void {
    if (this.#running && !this.#asking) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    const asked = this.#clock.now();
    const frame = await this.#options.source.frame(this.#index).catch(() => null);
    this.#asking = false;
    if (this.#stopped) {
      frame?.bitmap.close();
      frame?.detail?.close();
      return;
    }
    // Of a file that is broken from here on, the frames before are played, as browsers do.
    if (frame === null) {
      this.#rewind();
      return this.pause();
    }
    const now = this.#clock.now();
    this.#tookMs = now - asked;
    this.#options.show(frame);
    this.#advance();
    if (this.#running) this.#wait(now + paceOf(frame.ms));
  }

  /** Waits until the next frame has to be requested so that it arrives at `due`. */
  #wait(due: number): void {
    this.#cancel = this.#clock.painted(() => {
      const left = Math.max(0, due - this.#clock.now() - this.#tookMs);
      this.#cancel = this.#clock.after(left, () => this.#next());
    });
  }

  #advance(): void {
    const { frames, plays } = this.#options.facts;
    this.#index += 1;
    if (this.#index < frames) return;
    this.#index = 0;
    this.#round += 1;
    if (this.#round < plays) return;
    this.#rewind();
    this.pause();
  }

  #rewind(): void {
    this.#index = 0;
    this.#round = 0;
  }
}

/** How long a frame with the duration `ms` is shown, in milliseconds. */
export function paceOf(ms: number): number {
  if (!(ms > HASTY_MS)) return INSTEAD_MS;
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ms));
}
