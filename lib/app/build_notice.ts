/**
 * Reports that the page's code has changed since the last visit.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { shortBuild } from "../i18n/format.ts";

/** Storage key of the build that was used last; it is no secret. */
const KEY = "build";

const HASH = /^[0-9a-f]{64}$/;

/**
 * Compares the build in `<meta name="build">` with the one that was used last. If they differ,
 * shows the notice that the server put into the page, until it is dismissed. Without `remember`, a
 * first visit stores nothing.
 */
export function compareBuilds({ remember }: { readonly remember: boolean }): void {
  const now = document.querySelector<HTMLMetaElement>("meta[name=build]")?.content ?? "";
  const notice = document.querySelector<HTMLElement>("[data-field=code-changed]");
  if (!HASH.test(now) || notice === null) return;
  try {
    const before = localStorage.getItem(KEY) ?? "";
    const known = HASH.test(before);
    if (!known && remember) localStorage.setItem(KEY, now);
    if (known && before !== now) show(notice, { before, now });
  } catch {
    // A browser that stores nothing can't compare.
  }
}

function show(
  notice: HTMLElement,
  { before, now }: { readonly before: string; readonly now: string },
): void {
  for (const [name, hash] of [["build-before", before], ["build-now", now]] as const) {
    const field = notice.querySelector<HTMLElement>(`[data-field=${name}]`);
    if (field === null) continue;
    field.textContent = shortBuild(hash);
    field.title = hash;
  }
  notice.querySelector("[data-action=dismiss]")?.addEventListener("click", () => {
    localStorage.setItem(KEY, now);
    notice.hidden = true;
  });
  notice.hidden = false;
}
