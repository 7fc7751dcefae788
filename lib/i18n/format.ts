/**
 * Puts values into texts.
 *
 * `Intl` knows the plurals and digits of every language, so there is no library: what remained for
 * one to do are the few lines below, and the ones for JavaScript bring a parser for a syntax of
 * their own to every page.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Plural, Texts } from "./texts.ts";

/** Anything that knows its language and its units. */
type Spoken = Pick<Texts, "language" | "units">;

/** Shorter than this reads as "less than a second", in milliseconds. */
const MOMENT_MS = 950;

/** Puts `values` in place of the `{names}` in `text`; a name without a value stays as it is. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * Overrides, embeddings and isolates: what turns the direction of letters that other people wrote.
 */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Somebody else's words, as they may stand on the page: of one line, without what turns their
 * letters around. With `photo\u202egpj.exe` a name would end in .jpg that does not.
 */
export function plain(text: string): string {
  return text.replace(TURNS, "").replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}

/**
 * The same as they may stand in a sentence, which keeps its direction and theirs apart: in an
 * isolate (UAX #9).
 */
export function foreign(text: string): string {
  return `\u2068${plain(text)}\u2069`;
}

/** A number as people of this language write it. */
export function number(t: Spoken, n: number): string {
  return new Intl.NumberFormat(t.language).format(n);
}

/** The form for `n` things, with `{n}` filled in. */
export function plural(t: Spoken, forms: Plural, n: number): string {
  const form = forms[new Intl.PluralRules(t.language).select(n)] ?? forms.other;
  return fill(form, { n: number(t, n) });
}

/** Whole seconds in words. */
export function seconds(t: Spoken, n: number): string {
  return plural(t, t.units.seconds, n);
}

/** A build's hash, as short as two people can compare it: `3f9a-12c4`. */
export function shortBuild(hash: string): string {
  return `${hash.slice(0, 4)}-${hash.slice(4, 8)}`;
}

/** Milliseconds in words, rounded to seconds. */
export function duration(t: Spoken, ms: number): string {
  return ms < MOMENT_MS ? t.units.moment : seconds(t, Math.round(ms / 1_000));
}
