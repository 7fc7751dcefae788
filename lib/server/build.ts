/**
 * Which program browsers get from this server.
 *
 * @module
 */

/**
 * Written by `deno task build`: SHA-256 over every file that browsers get, see
 * docs/architecture.md.
 */
const FILE = new URL("../../_fresh/build.sha256", import.meta.url);

function readBuild(): string | null {
  try {
    return Deno.readTextFileSync(FILE).trim();
  } catch (error) {
    // Nothing is built while the app is being worked on.
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** In hexadecimal digits; `null` where nothing was built. */
export const build: string | null = readBuild();
