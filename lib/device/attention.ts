/**
 * Draws attention to a page that nobody looks at: by its title and icon and, if the person asked
 * for it, by a sound and a system notification. Every text has to be fit for a lock screen: callers
 * pass texts without a name, a link or a word of a code.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";

/** Storage key of the sound setting; it is no secret. */
const SOUND_KEY = "sound";

/** Two notes, played one after the other, in hertz. */
const NOTES = [660, 880] as const;
const NOTE_S = 0.14;

/** Maximum volume; 1 is full. */
const VOLUME = 0.12;

/**
 * Minimum interval between sounds, in milliseconds: somebody who connects and leaves repeatedly
 * must not sound like a siren.
 */
const QUIET_MS = 5_000;

/** `refused`: by the person or by the browser. */
export type Notifying = "off" | "on" | "refused";

/** Settings of an {@linkcode Attention}. */
export interface AttentionOptions {
  /** The favicon that signals news; a URL of this site. */
  readonly icon: string;
  /** Stops everything. */
  readonly signal: AbortSignal;
}

/** The title, the icon, the sound and the notification of one page. */
export class Attention {
  readonly #icon: string;
  readonly #sound = signal(readSound());
  readonly #notifying = signal<Notifying>("off");
  /** Title and icon from before the call; `null` while there is none. */
  #calm: { readonly title: string; readonly icon: string } | null = null;
  #notification: Notification | null = null;
  #context: AudioContext | null = null;
  #soundedAt = -Infinity;

  constructor({ icon, signal }: AttentionOptions) {
    this.#icon = icon;
    const seen = () => {
      if (isLookedAt()) this.#rest();
    };
    document.addEventListener("visibilitychange", seen, { signal });
    globalThis.addEventListener("focus", seen, { signal });
    signal.addEventListener("abort", () => this.#end(), { once: true });
  }

  /** Whether a sound is wanted. */
  get sound(): ReadonlySignal<boolean> {
    return this.#sound;
  }

  /** Whether notifications are wanted, and possible. */
  get notifying(): ReadonlySignal<Notifying> {
    return this.#notifying;
  }

  /**
   * Turns the sound on or off, also for later visits, and plays it at once when turned on. Must be
   * called by a user gesture.
   */
  setSound(on: boolean): void {
    this.#sound.value = on;
    try {
      localStorage.setItem(SOUND_KEY, on ? "on" : "off");
    } catch {
      // The setting then holds for this visit only.
    }
    if (on) this.#play();
  }

  /**
   * Turns notifications on or off. Must be called by a user gesture: the browser asks for
   * permission then.
   */
  async setNotifying(on: boolean): Promise<void> {
    if (!on || !("Notification" in globalThis)) {
      this.#notifying.value = on ? "refused" : "off";
      return;
    }
    const permission = await Notification.requestPermission().catch(() => "denied");
    this.#notifying.value = permission === "granted" ? "on" : "refused";
  }

  /**
   * Reports news: a few words without secrets. With `arrival` the sound is played if it is turned
   * on, even while somebody looks at the page.
   */
  call(text: string, { arrival = false } = {}): void {
    if (arrival && this.#sound.peek()) this.#play();
    if (isLookedAt()) return;
    const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    this.#calm ??= { title: document.title, icon: link?.href ?? "" };
    document.title = `${text} · ${this.#calm.title}`;
    if (link !== null) link.href = this.#icon;
    if (this.#notifying.peek() === "on") this.#notify(text);
  }

  #notify(text: string): void {
    try {
      const notification = new Notification(text, { tag: "session", icon: this.#icon });
      notification.onclick = () => {
        globalThis.focus();
        notification.close();
      };
      this.#notification = notification;
    } catch {
      // Chrome on Android allows notifications only through a service worker.
      this.#notifying.value = "refused";
    }
  }

  #play(): void {
    const now = performance.now();
    if (now - this.#soundedAt < QUIET_MS || !("AudioContext" in globalThis)) return;
    this.#soundedAt = now;
    const context = this.#context ??= new AudioContext();
    context.resume().catch(() => {
      // Nobody has interacted with this page yet: then it stays silent.
    });
    for (const [i, frequency] of NOTES.entries()) {
      const from = context.currentTime + i * NOTE_S;
      const tone = new OscillatorNode(context, { frequency });
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(VOLUME, from + 0.01);
      // Fades out; a note that is cut off clicks.
      gain.gain.exponentialRampToValueAtTime(0.001, from + NOTE_S * 2);
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + NOTE_S * 2);
    }
  }

  /** Somebody looks at the page: restores its title and icon. */
  #rest(): void {
    this.#notification?.close();
    this.#notification = null;
    const calm = this.#calm;
    if (calm === null) return;
    this.#calm = null;
    document.title = calm.title;
    const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (link !== null) link.href = calm.icon;
  }

  #end(): void {
    this.#rest();
    this.#context?.close().catch(() => {});
  }
}

function isLookedAt(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

function readSound(): boolean {
  try {
    return localStorage.getItem(SOUND_KEY) === "on";
  } catch {
    return false;
  }
}
