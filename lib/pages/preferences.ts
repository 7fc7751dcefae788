/**
 * Settings that this browser remembers across sessions. They don't reveal with whom, what, or with
 * which words.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { fromRemembered, toRemember, type ViewRules } from "../protocol/display_options.ts";

/** What is remembered. */
export interface Preferences {
  /** How pictures may be viewed; those that are not remembered have their default. */
  readonly rules: ViewRules;
  /** Whether this side's address stays hidden from the peer. */
  readonly relay: boolean;
  /** Whether large pictures are sent in full size. */
  readonly fullSize: boolean;
}

const KEY = "preferences";

/**
 * Reads the valid values from the stored text, and uses the defaults for the rest. Never throws.
 */
export function parsePreferences(text: string | null): Preferences {
  const kept = parseObject(text);
  const { relay, fullSize } = kept;
  return { rules: fromRemembered(kept), relay: relay === true, fullSize: fullSize === true };
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
    return parsePreferences(null);
  }
}

/** Stores changed preferences. Fails silently if storage is blocked or full. */
export function keepPreferences(changed: Partial<Preferences>): void {
  try {
    const { rules, ...others } = { ...readPreferences(), ...changed };
    localStorage.setItem(KEY, JSON.stringify({ ...toRemember(rules), ...others }));
  } catch {
    // Losing them costs only convenience.
  }
}
