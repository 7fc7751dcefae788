/**
 * Serves phones in the same Wi-Fi over HTTPS, with a certificate made here: `deno task lan` runs
 * this.
 */
import { renderUnicodeCompact } from "uqr";
import { tell } from "../ops/log.ts";
import { type LanCredentials, renew } from "./lan_certificate.ts";
import { lanNames } from "./lan_names.ts";

/** Where the credentials are kept; the server may read this folder. */
const FOLDER = "tls";

const FILES = {
  authority: { cert: `${FOLDER}/lan_ca.pem`, key: `${FOLDER}/lan_ca.key` },
  server: { cert: `${FOLDER}/lan.pem`, key: `${FOLDER}/lan.key` },
} as const;

/** The port if PORT is not set: another one than that for plain HTTP, so that both can run. */
const PORT = "8443";

/** Names by which this computer reaches itself. */
const OWN = ["localhost", "127.0.0.1", "::1"];

type Pair = keyof typeof FILES;

/** The credentials of the last time, as far as they are whole. */
function readCredentials(): Partial<LanCredentials> {
  const read = (pair: Pair) => {
    try {
      const [cert, key] = [FILES[pair].cert, FILES[pair].key].map((path) =>
        Deno.readTextFileSync(path)
      );
      return cert === undefined || key === undefined ? undefined : { cert, key };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };
  const [authority, server] = [read("authority"), read("server")];
  return {
    ...(authority === undefined ? {} : { authority }),
    ...(server === undefined ? {} : { server }),
  };
}

/** Only this user may read a key, from its first byte on. */
function write(path: string, text: string, mode: number): void {
  const fresh = `${path}.new`;
  Deno.writeTextFileSync(fresh, text, { mode });
  Deno.renameSync(fresh, path);
}

function writeCredentials(credentials: LanCredentials): void {
  Deno.mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  for (const pair of Object.keys(FILES) as Pair[]) {
    write(FILES[pair].key, credentials[pair].key, 0o600);
    write(FILES[pair].cert, credentials[pair].cert, 0o644);
  }
}

/** What to do on the phone, for whoever started it. */
export function instructions(urls: readonly string[]): string {
  const [first = ""] = urls;
  const code = renderUnicodeCompact(first, { ecc: "L", border: 2 });
  return [
    "",
    "On a phone in the same Wi-Fi, scan this, or open one of these:",
    ...urls.map((url) => `  ${url}`),
    "",
    code,
    "",
    "The phone says once that it does not know this certificate: open it all the same (“Advanced”,",
    `or “Show details”). To put that away for good, open ${first}ca on the phone and install what`,
    "it offers. If nothing opens, this computer's firewall has to let the port in.",
  ].join("\n");
}

async function main(): Promise<void> {
  const names = lanNames(Deno.networkInterfaces(), Deno.hostname());
  const before = readCredentials();
  const now = await renew(before, {
    names: [...names, ...OWN],
    computer: Deno.hostname(),
    now: new Date(),
  });
  if (before.server !== now.server) writeCredentials(now);
  // The server itself needs neither.
  Deno.permissions.revokeSync({ name: "write", path: FOLDER });
  Deno.permissions.revokeSync({ name: "sys" });
  const port = Deno.env.get("PORT") || PORT;
  Deno.env.set("PORT", port);
  Deno.env.set("TLS_CERT", FILES.server.cert);
  Deno.env.set("TLS_KEY", FILES.server.key);
  Deno.env.set("TLS_CA", FILES.authority.cert);
  // Loaded after that: it reads the environment once.
  const { serve } = await import("./serve.ts");
  await serve();
  const urls = names.map((name) => `https://${name}:${port}/`);
  tell(
    urls.length > 0 ? instructions(urls) : "This computer is in no network of its own: no Wi-Fi?",
  );
}

if (import.meta.main) await main();
