/**
 * Firefox, if it is installed: unlike Chromium it is in no npm package, so its tests are skipped
 * where it is missing.
 *
 * @module
 */

/** Names of the program, Debian's first. */
const NAMES = ["firefox-esr", "firefox"];

/** Path of an installed Firefox, or `null`. */
export async function findFirefox(): Promise<string | null> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of NAMES) {
      const path = `${folder}/${name}`;
      try {
        if (folder !== "" && (await Deno.stat(path)).isFile) return path;
      } catch {
        // Not in this folder.
      }
    }
  }
  return null;
}
