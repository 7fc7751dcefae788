/**
 * The texts of a language, each with the path to it: `island.ended.viewer.done.title`.
 *
 * @module
 */
import { assert } from "../support/assert.ts";

/** Every text within `value`, by its path. */
export function textsOf(value: unknown, path = ""): Map<string, string> {
  const found = new Map<string, string>();
  if (typeof value === "string") return found.set(path, value);
  assert(typeof value === "object" && value !== null, `${path} is neither a text nor a group`);
  for (const [key, item] of Object.entries(value)) {
    for (const [at, text] of textsOf(item, path === "" ? key : `${path}.${key}`)) {
      found.set(at, text);
    }
  }
  return found;
}
