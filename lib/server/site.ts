/**
 * Whether pages are rendered for a static site, which has no server behind it.
 *
 * @module
 */

let exported = false;

/** From now on, pages are rendered for a static site. Only `lib/release` calls it. */
export function renderForExport(): void {
  exported = true;
}

/** True if pages are rendered for a static site. */
export function isExported(): boolean {
  return exported;
}
