/**
 * Puppeteer, which only tests need. It is named here (and `@sparticuz/chromium` in chromium.ts) and
 * not in deno.json: `deno task` fetches everything that deno.json imports, so just starting the app
 * would download a browser of 100 MB.
 *
 * @module
 */
export {
  type Browser,
  type BrowserContext,
  default,
  type ElementHandle,
  type EvaluateFunc,
  type Page,
} from "npm:puppeteer@^25.16.0";
