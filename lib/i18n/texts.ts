/**
 * The shape of all texts, derived from the English ones. Types only: a page carries the texts of
 * one language as data.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { en } from "./locales.ts";

/** One sentence for each plural category of a language; `{n}` is the number. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

/** What a screen says when something is over; all three parts are required. */
export interface Why {
  readonly title: string;
  readonly happened: string;
  readonly todo: string;
}

/** English has one set of plural forms; other languages have more, or fewer. */
type Shape<T> = T extends string ? string
  : T extends { readonly other: string; readonly one: string } ? Plural
  : { readonly [K in keyof T]: Shape<T[K]> };

/** The texts of the islands. */
export type Texts = Shape<Omit<typeof en.island, "sas">> & {
  /**
   * Translated names of the pictures that two people compare, by their English names; English has
   * no entries.
   */
  readonly sas: Readonly<Record<string, string>>;
};

/** Texts that only the server needs: those around the islands, and of pages without islands. */
export type PageTexts = Shape<typeof en.pages>;

/** A file of `locales/`. */
export interface Locale {
  /** The language's own name. */
  readonly name: string;
  /** Writing direction: `ltr` or `rtl`. */
  readonly dir: string;
  readonly island: Texts;
  readonly pages: PageTexts;
}

/**
 * The texts of another language: the response of `/language`, or a file of a static site. It comes
 * from the same server as the scripts, so it is not validated.
 */
export type Answer = Pick<Locale, "dir" | "island" | "pages">;
