/**
 * Changes the language of a page in use. A reload would interrupt its session, and lose pictures
 * that nobody has opened or a link that the viewer has not used yet.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Locale, PageTexts, Texts } from "./texts.ts";

/**
 * The response of `/texts/<tag>`. It comes from the same server as this script, so it is not
 * validated.
 */
type Answer = Pick<Locale, "dir" | "island" | "pages">;

/**
 * Handles the language form at the bottom of the page without a reload: the choice is stored in the
 * form's cookie, and `onTexts` receives the new texts. If the server does not answer, nothing
 * changes. Returns a function that stops handling the form.
 */
export function listenForLanguage(onTexts: (texts: Texts) => void): () => void {
  const form = document.querySelector<HTMLFormElement>("form[data-language]");
  const listening = new AbortController();
  const { signal } = listening;
  form?.addEventListener("change", () => form.requestSubmit(), { signal });
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const language = form.querySelector("select")?.value ?? "";
      const body = new URLSearchParams({ language });
      const answer = await fetch(form.action, { method: "POST", body, signal });
      if (!answer.ok) return;
      const texts: Answer = await answer.json();
      dress(texts);
      onTexts(texts.island);
    } catch {
      // Offline, or the page is being closed: the language stays.
    }
  }, { signal });
  return () => listening.abort();
}

/** Translates what is around the islands. */
function dress({ dir, island, pages }: Answer): void {
  document.documentElement.lang = island.language;
  document.documentElement.dir = dir;
  for (const element of document.querySelectorAll<HTMLElement>("[data-text]")) {
    element.textContent = lookUp(pages, element.dataset["text"] ?? "");
  }
}

/** The text at a path such as `footer.home`. */
function lookUp(pages: PageTexts, path: string): string {
  let at: unknown = pages;
  for (const key of path.split(".")) {
    at = typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined;
  }
  return typeof at === "string" ? at : "";
}
