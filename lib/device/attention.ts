/**
 * Calls somebody back to a page that is not looked at: by its title and icon, and, where that was
 * asked for, by a tone and a notification of the system. Whatever is said has to be fit for a lock
 * screen: the texts come from outside, and none has a name, a link or a word of a code in it.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";

/** Where the wish for a tone is kept; it is no secret. */
const SOUND_KEY = "sound";

/** Two notes, one after the other, in hertz. */
const NOTES = [660, 880] as const;
const NOTE_S = 0.14;

/** Loudest, where 1 is full. */
const VOLUME = 0.12;

/** Who comes and goes must not make a siren of it, in milliseconds. */
const QUIET_MS = 5_000;

/** `refused`: by the person or by the browser. */
export type Notifying = "off" | "on" | "refused";

/** What an {@linkcode Attention} needs to know. */
export interface AttentionOptions {
  /** The icon that says that something happened; a URL of this site. */
  readonly icon: string;
  /** Ends all of it. */
  readonly signal: AbortSignal;
}

/** The title, the icon, the tone and the notification of one page. */
export class Attention {
  readonly #icon: string;
  readonly #sound = signal(readSound());
  readonly #notifying = signal<Notifying>("off");
  /** What the page was before it called; `null` while it does not. */
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

  /** Whether a tone is wanted. */
  get sound(): ReadonlySignal<boolean> {
    return this.#sound;
  }

  /** Whether notifications are wanted, and possible. */
  get notifying(): ReadonlySignal<Notifying> {
    return this.#notifying;
  }

  /**
   * Wants a tone, or not, also the next time; lets it be heard at once. Has to be called by a
   * press.
   */
  setSound(on: boolean): void {
    this.#sound.value = on;
    try {
      localStorage.setItem(SOUND_KEY, on ? "on" : "off");
    } catch {
      // For this time, then.
    }
    if (on) this.#play();
  }

  /**
   * Wants notifications, or not. Has to be called by a press: the browser asks for permission then.
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
   * Says that something happened: a few words without secrets. `arrival` lets the tone be heard,
   * also on a page that is looked at.
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
      // Chrome on Android wants a service worker for it.
      this.#notifying.value = "refused";
    }
  }

  #play(): void {
    const now = performance.now();
    if (now - this.#soundedAt < QUIET_MS || !("AudioContext" in globalThis)) return;
    this.#soundedAt = now;
    const context = this.#context ??= new AudioContext();
    context.resume().catch(() => {
      // Nobody has touched this page yet: then it stays silent.
    });
    for (const [i, frequency] of NOTES.entries()) {
      const from = context.currentTime + i * NOTE_S;
      const tone = new OscillatorNode(context, { frequency });
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(VOLUME, from + 0.01);
      // Cut off, it would click.
      gain.gain.exponentialRampToValueAtTime(0.001, from + NOTE_S * 2);
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + NOTE_S * 2);
    }
  }

  /** Somebody looks: the page is as it was. */
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
