/**
 * Identifies the build that this server delivers to browsers.
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
    // There is no build while the app is in development.
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The hash in hexadecimal digits; `null` if there is no build. */
export const build: string | null = readBuild();
