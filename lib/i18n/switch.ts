/**
 * Changes the language of a page in use. A reload would interrupt its session, and lose pictures
 * that nobody has opened or a link that the viewer has not used yet.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Answer, PageTexts, Texts } from "./texts.ts";

/**
 * Handles the language form at the bottom of the page without a reload: the choice is stored in the
 * form's cookie, and `onTexts` receives the new texts. If the server does not answer, nothing
 * changes. A static site has links in place of the form. Returns a function that stops handling
 * either.
 */
export function listenForLanguage(onTexts: (texts: Texts) => void): () => void {
  const form = document.querySelector<HTMLFormElement>("form[data-language]");
  const listening = new AbortController();
  const { signal } = listening;
  const links = document.querySelector<HTMLElement>("nav[data-language]");
  if (links !== null) void handleLinks(links, onTexts, signal);
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

async function handleLinks(
  links: HTMLElement,
  onTexts: (texts: Texts) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { listenForLinks } = await import("./static_switch.ts");
    const onAnswer = (answer: Answer) => {
      dress(answer);
      onTexts(answer.island);
    };
    await listenForLinks(links, { onAnswer, signal });
  } catch {
    // Without the script, or without the texts, the page stays in its language; the links work.
  }
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
