/**
 * Accessibility problems of a page, as far as a program can find them.
 *
 * @module
 */
import axe from "npm:axe-core@^4.11.1";
import type { Page } from "./puppeteer.ts";

/**
 * Accessibility rules that a page breaks, as `rule: where it is`. Rules of WCAG 2.2 A and AA, and
 * best practices.
 */
export async function violations(page: Page): Promise<string[]> {
  // Evaluated through DevTools, to which the page's CSP does not apply.
  if (await page.evaluate("typeof globalThis.axe") === "undefined") {
    await page.evaluate(axe.source);
  }
  const json: unknown = await page.evaluate(
    `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      JSON.stringify(violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => id + ": " + target + " " + failureSummary))))`,
  );
  const found: unknown = JSON.parse(String(json));
  return Array.isArray(found) ? found.map(String) : [];
}
