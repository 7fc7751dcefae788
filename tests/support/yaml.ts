/**
 * YAML, for tests of the files that other programs read.
 *
 * @module
 */
export { parse } from "npm:yaml@^2.8.1";
