import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Texts } from "../lib/i18n/texts.ts";

/**
 * The texts of the page's language. Each island provides them, from its props, to its components.
 */
export const TextsContext = createContext<Texts | null>(null);

/** The texts, within an island. Throws an `Error` elsewhere. */
export function useTexts(): Texts {
  const texts = useContext(TextsContext);
  if (texts === null) throw new Error("Cannot say anything: no island gave the texts");
  return texts;
}
