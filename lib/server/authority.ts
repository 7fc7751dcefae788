/**
 * The certificate authority that issued this server's certificate, for phones that are to trust it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { config, ConfigError } from "../ops/config.ts";

const PEM = /-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/;

function readAuthority(path: string): Buffer | null {
  if (path === "") return null;
  const [, base64 = ""] = PEM.exec(Deno.readTextFileSync(path)) ?? [];
  if (base64 === "") throw new ConfigError([`TLS_CA is not valid: ${path} has no certificate`]);
  return Buffer.from(base64, "base64");
}

/** The certificate in DER, as systems install it; `null` if none is offered. */
export const authority: Buffer | null = readAuthority(config().TLS_CA);
