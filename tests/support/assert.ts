/**
 * The assertions of the standard library, in one place for all tests.
 *
 * @module
 */
export { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
