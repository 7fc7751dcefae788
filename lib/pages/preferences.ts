/**
 * What this browser remembers from one session to the next: how somebody likes to show pictures.
 * Nothing about whom, what, or with which words; the text of the watermark is not kept, because it
 * may name somebody.
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
  /** Seen only while held. */
  readonly hold: boolean;
  /** Whether the sender decides each time that somebody asks to see one. */
  readonly ask: boolean;
  /** Whether this side's address stays hidden from the other one. */
  readonly relay: boolean;
  /** Whether large pictures are sent as they are. */
  readonly fullSize: boolean;
  /** Whether something is heard when somebody arrives. */
  readonly sound: boolean;
}

/** Where nobody chose. */
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
 * Takes what is what it should be out of what was kept, and the defaults for the rest. Never
 * throws.
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

/** What was kept. Where storage is blocked nothing was. */
export function readPreferences(): Preferences {
  try {
    return parsePreferences(localStorage.getItem(KEY));
  } catch {
    return DEFAULT_PREFERENCES;
  }
}

/**
 * Keeps some of it. Where storage is blocked or full nothing is kept, and nobody has to hear of it.
 */
export function keepPreferences(changed: Partial<Preferences>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...readPreferences(), ...changed }));
  } catch {
    // It is a convenience.
  }
}
