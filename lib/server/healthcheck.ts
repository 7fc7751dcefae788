/**
 * What the container asks to know whether its server lives: ends with 0 where it does, 1 where it
 * does not.
 */

/** Without an answer for so long, in milliseconds, it is not alive. */
const PATIENCE_MS = 4_000;

/**
 * Where a server with these settings answers. A certificate is not for this name, so whoever asks
 * there must not look at it.
 */
export function healthUrl(env: Readonly<Record<string, string>>): string {
  const host = env["HOST"] || "127.0.0.1";
  const scheme = env["TLS_CERT"] ? "https" : "http";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${env["PORT"] || "3000"}/healthz`;
}

async function main(): Promise<void> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { ok } = await fetch(healthUrl(Deno.env.toObject()), { signal });
    Deno.exit(ok ? 0 : 1);
  } catch {
    Deno.exit(1);
  }
}

if (import.meta.main) await main();
