/**
 * Settings that this browser remembers across sessions. They don't reveal with whom, what, or with
 * which words. The watermark's text is not stored, because it may name somebody.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { MAX_VIEW_SECONDS } from "../protocol/limits.ts";

/** What is remembered. */
export interface Preferences {
  /** How long a picture may be seen; 0 = until closed. */
  readonly seconds: number;
  /** Whether a picture is visible only while held. */
  readonly hold: boolean;
  /** Whether the sender decides each time that the viewer asks to open one. */
  readonly ask: boolean;
  /** Whether this side's address stays hidden from the peer. */
  readonly relay: boolean;
  /** Whether large pictures are sent in full size. */
  readonly fullSize: boolean;
  /** Whether a sound is played when somebody arrives. */
  readonly sound: boolean;
}

/** Used if nobody chose anything. */
export const DEFAULT_PREFERENCES: Preferences = {
  seconds: 10,
  hold: false,
  ask: false,
  relay: false,
  fullSize: false,
  sound: false,
};

const KEY = "preferences";

/**
 * Reads the valid values from the stored text, and uses the defaults for the rest. Never throws.
 */
export function parsePreferences(text: string | null): Preferences {
  const kept = parseObject(text);
  const found = { ...DEFAULT_PREFERENCES };
  const { seconds } = kept;
  if (typeof seconds === "number" && Number.isInteger(seconds)) {
    if (seconds >= 0 && seconds <= MAX_VIEW_SECONDS) found.seconds = seconds;
  }
  for (const name of ["hold", "ask", "relay", "fullSize", "sound"] as const) {
    const value = kept[name];
    if (typeof value === "boolean") found[name] = value;
  }
  return found;
}

function parseObject(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** The stored preferences; the defaults if storage is blocked. */
export function readPreferences(): Preferences {
  try {
    return parsePreferences(localStorage.getItem(KEY));
  } catch {
    return DEFAULT_PREFERENCES;
  }
}

/** Stores changed preferences. Fails silently if storage is blocked or full. */
export function keepPreferences(changed: Partial<Preferences>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...readPreferences(), ...changed }));
  } catch {
    // Losing them costs only convenience.
  }
}
