/**
 * fast-check, which only the property tests need. Named here and not in deno.json, for the same
 * reason as in puppeteer.ts.
 *
 * @module
 */
import fc from "npm:fast-check@^4.10.2";

// By default a list “of at most 60” has ten items or fewer: a record's header would never be
// complete.
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

export { fc };
