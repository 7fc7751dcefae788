/**
 * Paces a picture that moves: asks for a frame, has it painted, waits as long as the file says.
 *
 * The next frame is asked for when the last one was painted, and arrives when that one's time is
 * over. So a slow page or a slow decoder makes it slower, and nothing ever queues: there is the
 * frame that is seen, and at most one on its way.
 *
 * This module is browser compatible.
 *
 * @module
 */
/**
 * What browsers make of a frame of 10 ms or less, which nobody meant: ImageMagick's default is 0.
 */
const HASTY_MS = 10;
const INSTEAD_MS = 100;

/** Shortest time between two frames, in milliseconds, whatever the file says. */
const SHORTEST_MS = 20;

/** Longest time of a frame, in milliseconds: what the format for it can say in GIF. */
const LONGEST_MS = 655_350;

/** A decoded frame, and how long it is to be seen, in milliseconds, as the file says. */
export interface PlayedFrame {
  readonly bitmap: ImageBitmap;
  readonly ms: number;
}

/** Where frames come from. */
export interface FrameSource {
  /** Counted from 0. Rejects where it can't be decoded; the player stops at the frame before. */
  frame(index: number): Promise<PlayedFrame>;
}

/**
 * How many frames there are, and how often all of them are shown: 1 or more; `Infinity` = for ever.
 */
export interface Rounds {
  readonly frames: number;
  readonly plays: number;
}

/** The clock and timers; those of the page unless a test brings its own. */
export interface PlayerClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back after about `ms`; returns how to cancel that. */
  after(ms: number, callback: () => void): () => void;
  /** Calls back once what was painted is on its way to the screen; returns how to cancel that. */
  painted(callback: () => void): () => void;
}

/** Settings of a {@linkcode Player}. */
export interface PlayerOptions {
  readonly source: FrameSource;
  readonly facts: Rounds;
  /** Paints a frame, at once or when it may be seen again, and owns its bitmap. */
  readonly show: (bitmap: ImageBitmap) => void;
  /**
   * It runs or rests: after `play` and `pause`, after its last round, and where a frame can't be
   * decoded.
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

/** Plays one picture; rests until it is told to play. */
export class Player {
  readonly #options: PlayerOptions;
  readonly #clock: PlayerClock;
  /** The next frame. */
  #index = 0;
  #round = 0;
  #wanted = false;
  #covered = false;
  #stopped = false;
  #asking = false;
  /** How long the last frame took from being asked for to being here. */
  #tookMs = 0;
  #cancel: () => void = () => {};

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? PAGE;
  }

  /** Plays from where it is; from the beginning once all rounds are over. */
  play(): void {
    if (this.#wanted || this.#stopped) return;
    this.#wanted = true;
    this.#options.onChange(true);
    this.#next();
  }

  /** Rests at the frame that is seen. */
  pause(): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#cancel();
    this.#options.onChange(false);
  }

  /** Rests while nobody sees it, and goes on afterwards. */
  cover(covered: boolean): void {
    if (covered === this.#covered) return;
    this.#covered = covered;
    this.#cancel();
    if (!covered) this.#next();
  }

  /** Ends it: no frame is shown any more. Idempotent. */
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
    if (this.#stopped) return frame?.bitmap.close();
    // What is broken from here on shows what there was of it, as elsewhere in a browser.
    if (frame === null) {
      this.#rewind();
      return this.pause();
    }
    const now = this.#clock.now();
    this.#tookMs = now - asked;
    this.#options.show(frame.bitmap);
    this.#advance();
    if (this.#running) this.#wait(now + paceOf(frame.ms));
  }

  /** Until the next frame has to be asked for to be here at `due`. */
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

/** How long a frame is seen, in milliseconds. */
export function paceOf(ms: number): number {
  if (!(ms > HASTY_MS)) return INSTEAD_MS;
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ms));
}
