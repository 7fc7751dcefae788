import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Texts } from "../lib/i18n/texts.ts";
import { listenForLanguage } from "../lib/i18n/switch.ts";

/**
 * The island's texts: those that the page was served with, until somebody chooses another language
 * at its bottom.
 */
export function useLanguage(texts: Texts): Texts {
  const chosen = useSignal(texts);
  useEffect(() => listenForLanguage((other) => chosen.value = other), []);
  return chosen.value;
}
