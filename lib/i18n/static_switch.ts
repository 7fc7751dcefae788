/**
 * Languages on a static site, whose pages at the top are in one language for everybody: this
 * chooses the visitor's, and handles the links to other ones without a reload.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Answer } from "./texts.ts";

/** Storage key of the language that was chosen by hand; a server keeps it in a cookie. */
const KEY = "language";

/** Options of {@linkcode listenForLinks}. */
export interface LinkOptions {
  /** Receives the texts of another language. */
  readonly onAnswer: (answer: Answer) => void;
  readonly signal: AbortSignal;
}

/**
 * Loads the texts of the visitor's language, unless the page's address names one, and those of a
 * link that is followed. Rejects if the first ones can't be loaded.
 */
export async function listenForLinks(
  links: HTMLElement,
  { onAnswer, signal }: LinkOptions,
): Promise<void> {
  const tags = Array.from(links.querySelectorAll("a"), (link) => link.hreflang);
  const load = async (tag: string) => {
    const answer = await fetch(`/texts/${tag}.json`, { signal });
    if (answer.ok) onAnswer(await answer.json());
  };
  links.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null) return;
    event.preventDefault();
    remember(link.hreflang);
    links.querySelector("details")?.removeAttribute("open");
    load(link.hreflang).catch(() => {
      // Offline, or the page is being closed: the language stays.
    });
  }, { signal });
  const [, first = ""] = location.pathname.split("/");
  if (tags.includes(first)) return;
  const wanted = pick(tags, [remembered(), ...navigator.languages]);
  const [shown] = document.documentElement.lang.split("-");
  if (wanted !== null && wanted !== shown) await load(wanted);
}

/** The first of `wishes` that there is; `pt-BR` matches `pt`. */
function pick(tags: readonly string[], wishes: readonly string[]): string | null {
  const known = wishes.map((wish) => wish.toLowerCase().split("-")[0] ?? "");
  return known.find((tag) => tags.includes(tag)) ?? null;
}

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

function remember(tag: string): void {
  try {
    localStorage.setItem(KEY, tag);
  } catch {
    // A browser that stores nothing asks its own languages again next time.
  }
}
