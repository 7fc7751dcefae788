/** The container's health check: exits with 0 if the server responds, otherwise with 1. */

/** How long to wait for a response, in milliseconds. */
const PATIENCE_MS = 4_000;

/**
 * URL of the health check of a server with these settings. A TLS certificate is not issued for this
 * host name, so the caller must not verify it.
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
