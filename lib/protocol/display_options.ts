/**
 * The display options: what the owner of a picture decides about how it is viewed, in one table.
 * The type of `view` in the announcement and its parser follow from it, what a browser remembers,
 * the setters, both lists of checkboxes, and how long a picture may take to appear.
 *
 * It is in this folder because the parser of the wire needs it.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { MAX_MARK_LENGTH, MAX_VIEW_SECONDS } from "./limits.ts";

interface Common {
  /** Whether a browser remembers the choice across sessions. */
  readonly remembered: boolean;
  /** Whether a yes or no can be chosen for a single picture as well. */
  readonly perPicture: boolean;
  /** How long the key may take after it was requested, in ms, if longer than usual. */
  readonly keyMs?: number;
  /** How long the first frame may take after the key, in ms, if longer than usual. */
  readonly frameMs?: number;
}

/** A row of the table. Numbers are integers from 0. */
export type DisplayOption =
  | Common & { readonly kind: "flag"; readonly default: boolean }
  | Common & { readonly kind: "count"; readonly default: number; readonly max: number }
  | Common & { readonly kind: "text"; readonly default: string; readonly max: number };

/** Longest time that a person may take for a decision, in ms. */
const PERSON_MS = 600_000;

/** Every display option, in the order of the page. */
export const DISPLAY_OPTIONS = {
  /** Seconds from the first painted frame; 0 = until closed. */
  seconds: {
    kind: "count",
    default: 10,
    max: MAX_VIEW_SECONDS,
    remembered: true,
    perPicture: true,
  },
  /** Visible only while the viewer presses it. The first time may be late. */
  hold: {
    kind: "flag",
    default: false,
    remembered: true,
    perPicture: true,
    frameMs: PERSON_MS,
  },
  /** The owner has to allow each request to see it. */
  ask: {
    kind: "flag",
    default: false,
    remembered: true,
    perPicture: false,
    keyMs: PERSON_MS,
  },
  /**
   * Text of the watermark; empty = date, time and session words. Not remembered, because it may
   * name somebody.
   */
  mark: {
    kind: "text",
    default: "",
    max: MAX_MARK_LENGTH,
    remembered: false,
    perPicture: true,
  },
} as const satisfies Readonly<Record<string, DisplayOption>>;

type Table = typeof DISPLAY_OPTIONS;

/** The name of an option, in code and on the wire. */
export type OptionName = keyof Table;

/** The name of an option that is a yes or no. */
export type FlagName = {
  [Name in OptionName]: Table[Name]["kind"] extends "flag" ? Name : never;
}[OptionName];

interface Kinds {
  readonly flag: boolean;
  readonly count: number;
  readonly text: string;
}

/** The owner's rules for viewing a picture: a value for each option. */
export type ViewRules = { readonly [Name in OptionName]: Kinds[Table[Name]["kind"]] };

function isOptionName(name: string): name is OptionName {
  return name in DISPLAY_OPTIONS;
}

const NAMES: readonly OptionName[] = Object.keys(DISPLAY_OPTIONS).filter(isOptionName);

function isFlag(name: OptionName): name is FlagName {
  return DISPLAY_OPTIONS[name].kind === "flag";
}

/** Every option that is a yes or no, in the order of the page. */
export const FLAGS: readonly FlagName[] = NAMES.filter(isFlag);

/** The rules if nobody chose anything. */
export const DEFAULT_RULES = Object.fromEntries(
  NAMES.map((name) => [name, DISPLAY_OPTIONS[name].default]),
) as ViewRules;

/** The value if it is one of this option, otherwise `null`. */
function parseOption(option: DisplayOption, value: unknown): boolean | number | string | null {
  switch (option.kind) {
    case "flag":
      return typeof value === "boolean" ? value : null;
    case "count":
      return typeof value === "number" && Number.isInteger(value) && value >= 0 &&
          value <= option.max
        ? value
        : null;
    case "text":
      return typeof value === "string" && value.length <= option.max ? value : null;
    default:
      return option satisfies never;
  }
}

/**
 * Parses rules from the wire. Returns a fresh object with only the options, or `null` unless each
 * is there and valid.
 */
export function parseRules(value: unknown): ViewRules | null {
  if (typeof value !== "object" || value === null) return null;
  const given: Record<string, unknown> = { ...value };
  let rules = DEFAULT_RULES;
  for (const name of NAMES) {
    const parsed = parseOption(DISPLAY_OPTIONS[name], given[name]);
    if (parsed === null) return null;
    rules = { ...rules, [name]: parsed };
  }
  return rules;
}

/** The part of the rules that a browser remembers. */
export function toRemember(rules: ViewRules): Partial<ViewRules> {
  const isRemembered = (name: OptionName) => DISPLAY_OPTIONS[name].remembered;
  return Object.fromEntries(NAMES.filter(isRemembered).map((name) => [name, rules[name]]));
}

/** Rules from what a browser remembers; the default for whatever is missing or invalid. */
export function fromRemembered(kept: Readonly<Record<string, unknown>>): ViewRules {
  let rules = DEFAULT_RULES;
  for (const name of NAMES) {
    const option = DISPLAY_OPTIONS[name];
    const value = option.remembered ? parseOption(option, kept[name]) : null;
    if (value !== null) rules = { ...rules, [name]: value };
  }
  return rules;
}
