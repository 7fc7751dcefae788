/**
 * Fills values into texts. `Intl` knows the plurals and digits of every language; what remains are
 * the few lines below. A library would add a parser for its own syntax to every page.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Plural, Texts } from "./texts.ts";

/** Anything that has a language and its units. */
type Spoken = Pick<Texts, "language" | "units">;

/** Durations below this read as "less than a second", in milliseconds. */
const MOMENT_MS = 950;

/** Replaces the `{names}` in `text` by `values`; a name without a value stays as it is. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * Bidi overrides, embeddings and isolates: characters that change the direction of the text after
 * them.
 */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Another person's text, made safe to display: a single line, without characters that reverse its
 * direction. Otherwise the name `photo\u202egpj.exe` would appear to end in .jpg.
 */
export function plain(text: string): string {
  return text.replace(TURNS, "").replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}

/**
 * The same for use within a sentence: wrapped in an isolate (UAX #9), which keeps the two
 * directions apart.
 */
export function foreign(text: string): string {
  return `\u2068${plain(text)}\u2069`;
}

/** An address or a code within a sentence that may run from right to left: always left to right. */
export function leftToRight(text: string): string {
  return `\u2066${text}\u2069`;
}

/**
 * The locale for `Intl`. The digits are always those of the texts: what `ar` stands for differs
 * between browsers.
 */
export function intlLocale(t: Pick<Spoken, "language">): string {
  return `${t.language}-u-nu-latn`;
}

/** A number in the format of this language. */
export function number(t: Spoken, n: number): string {
  return new Intl.NumberFormat(intlLocale(t)).format(n);
}

/** A fraction as whole percent, with the sign and its spacing: “40%”, “40 %”. */
export function percent(t: Spoken, fraction: number): string {
  return new Intl.NumberFormat(intlLocale(t), { style: "percent" }).format(fraction);
}

/** Several things in one sentence: “a, b and c”. */
export function list(t: Spoken, things: readonly string[]): string {
  return new Intl.ListFormat(intlLocale(t)).format(things);
}

/** Sentences, one after the other; an empty one is left out. Not every script has spaces. */
export function sentences(t: Pick<Texts, "joined">, parts: readonly string[]): string {
  const [head = "", ...rest] = parts.filter((part) => part !== "");
  return rest.reduce((first, second) => fill(t.joined.sentences, { first, second }), head);
}

const KILO = 1_000;
const MEGA = 1_000_000;

/** A number of bytes, as file managers show it: “2.4 MB”, “300 kB”. */
export function fileSize(t: Spoken, bytes: number): string {
  const [unit, size] = bytes < MEGA ? ["kilobyte", KILO] : ["megabyte", MEGA];
  const format = { style: "unit", unit, maximumFractionDigits: bytes < MEGA ? 0 : 1 } as const;
  return new Intl.NumberFormat(t.language, format).format(Math.max(1, bytes / size));
}

/** The plural form for `n`, with `{n}` filled in. */
export function plural(t: Spoken, forms: Plural, n: number): string {
  const form = forms[new Intl.PluralRules(intlLocale(t)).select(n)] ?? forms.other;
  return fill(form, { n: number(t, n) });
}

/** Whole seconds in words. */
export function seconds(t: Spoken, n: number): string {
  return plural(t, t.units.seconds, n);
}

/** A build's hash, shortened so that two people can compare it: `3f9a-12c4`. */
export function shortBuild(hash: string): string {
  return `${hash.slice(0, 4)}-${hash.slice(4, 8)}`;
}

/** Milliseconds in words, rounded to seconds. */
export function duration(t: Spoken, ms: number): string {
  return ms < MOMENT_MS ? t.units.moment : seconds(t, Math.round(ms / 1_000));
}
