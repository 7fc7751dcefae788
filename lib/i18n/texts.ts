/**
 * The shape of all texts, taken from the English ones. Types alone: a page carries the texts of one
 * language as data.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type english from "../../locales/en.json";

/** The same sentence for each number that a language tells apart; `{n}` is the number. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

/** What a screen says where something is over: never without any of the three. */
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
export type Texts = Shape<Omit<typeof english.island, "sas">> & {
  /** Names of the pictures that two people compare, by their English ones; English has none. */
  readonly sas: Readonly<Record<string, string>>;
};

/** The texts that the server alone needs: what stands around the islands, and pages without any. */
export type PageTexts = Shape<typeof english.pages>;

/** A file of `locales/`. */
export interface Locale {
  /** The language by its own name. */
  readonly name: string;
  /** The direction that it is written in: `ltr` or `rtl`. */
  readonly dir: string;
  readonly island: Texts;
  readonly pages: PageTexts;
}
