/**
 * fast-check, which only the properties need. Named here and not in deno.json, as in puppeteer.ts and for the same reason.
 *
 * @module
 */
export { default as fc } from "npm:fast-check@^4.10.2";
