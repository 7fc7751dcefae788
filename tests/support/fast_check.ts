/**
 * fast-check, which only the properties need. Named here and not in deno.json, as in puppeteer.ts
 * and for the same reason.
 *
 * @module
 */
import fc from "npm:fast-check@^4.10.2";

// By default a list "of at most 60" has ten items or fewer: a record's header would never be whole.
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

export { fc };
