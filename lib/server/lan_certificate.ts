/**
 * A certificate authority for one's own network, and certificates by it. Phones that trust it trust
 * nothing else by that: it may speak only for private addresses and names that end in `.local`.
 *
 * @module
 */
// Needed by @peculiar/x509, and before it.
import "reflect-metadata";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from "@peculiar/asn1-x509";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { parseAddress } from "../ops/client_address.ts";
import { PRIVATE_NETWORKS } from "./lan_names.ts";

const DAY_MS = 86_400_000;

/**
 * Validity, in days. Apple's systems accept at most 825 for a server; an authority is installed by
 * hand, so it should last.
 */
const SERVER_DAYS = 397;
const AUTHORITY_DAYS = 3_650;

/** Certificates are renewed this many days before they expire. */
const SERVER_SPARE_DAYS = 30;
const AUTHORITY_SPARE_DAYS = SERVER_DAYS + SERVER_SPARE_DAYS;

const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;

/** A certificate with its private key, both in PEM. */
export interface Credential {
  readonly cert: string;
  readonly key: string;
}

/** What {@linkcode renew} keeps or makes. */
export interface LanCredentials {
  readonly authority: Credential;
  readonly server: Credential;
}

/** Settings of {@linkcode renew}. */
export interface RenewOptions {
  /** Names and addresses by which the server is reached. */
  readonly names: readonly string[];
  /** How people call this computer; it becomes part of the authority's name. */
  readonly computer: string;
  readonly now: Date;
}

/**
 * Makes what is missing or expires soon, and keeps the rest: the same authority for as long as it
 * is valid, and the same certificate for as long as it has all names.
 */
export async function renew(
  before: Partial<LanCredentials>,
  { names, computer, now }: RenewOptions,
): Promise<LanCredentials> {
  const kept = before.authority;
  const authority = kept !== undefined && lasts(kept, AUTHORITY_SPARE_DAYS, now)
    ? kept
    : await makeAuthority(computer, now);
  const { server } = before;
  if (
    authority === kept && server !== undefined && lasts(server, SERVER_SPARE_DAYS, now) &&
    hasNames(server, names) && await isBy(server, authority)
  ) return { authority, server };
  return { authority, server: await makeServer(authority, names, now) };
}

function lasts({ cert }: Credential, days: number, now: Date): boolean {
  try {
    const { notBefore, notAfter } = new X509Certificate(cert);
    return notBefore <= now && notAfter.getTime() > now.getTime() + days * DAY_MS;
  } catch {
    // Not a certificate, whatever happened to the file.
    return false;
  }
}

function hasNames({ cert }: Credential, names: readonly string[]): boolean {
  const extension = new X509Certificate(cert).getExtension(SubjectAlternativeNameExtension);
  const named = extension?.names.toJSON().map(({ value }) => value) ?? [];
  return names.every((name) => named.includes(name));
}

async function isBy({ cert }: Credential, authority: Credential): Promise<boolean> {
  const { publicKey } = new X509Certificate(authority.cert);
  return await new X509Certificate(cert).verify({ publicKey, signatureOnly: true });
}

async function makeAuthority(computer: string, now: Date): Promise<Credential> {
  const keys = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // Without signs that have a meaning in such names.
    name: `CN=Ephemeral P2P Image on ${computer.replaceAll(/[^\w.-]/g, "")}`,
    keys,
    signingAlgorithm: SIGNING,
    ...validity(now, AUTHORITY_DAYS),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      onlyPrivate(),
    ],
  });
  return { cert: certificate.toString("pem"), key: await exportKey(keys.privateKey) };
}

/**
 * Whoever steals the authority's key can't speak for a site of the internet (RFC 5280,
 * 4.2.1.10).
 */
function onlyPrivate(): Extension {
  const permitted = [
    ...["local", "localhost"].map((dNSName) => new GeneralName({ dNSName })),
    ...PRIVATE_NETWORKS.map(({ address, prefix }) =>
      new GeneralName({ iPAddress: `${address}/${prefix}` })
    ),
  ].map((base) => new GeneralSubtree({ base }));
  const constraints = new NameConstraints({ permittedSubtrees: new GeneralSubtrees(permitted) });
  return new Extension(id_ce_nameConstraints, true, AsnConvert.serialize(constraints));
}

async function makeServer(
  authority: Credential,
  names: readonly string[],
  now: Date,
): Promise<Credential> {
  const issuer = new X509Certificate(authority.cert);
  const keys = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.create({
    subject: "CN=Ephemeral P2P Image",
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: SIGNING,
    ...validity(now, SERVER_DAYS),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map(toGeneralName)),
    ],
  });
  return { cert: certificate.toString("pem"), key: await exportKey(keys.privateKey) };
}

function toGeneralName(name: string): JsonGeneralNames[number] {
  return { type: parseAddress(name) === null ? "dns" : "ip", value: name };
}

/** From an hour ago: clocks differ. */
function validity(now: Date, days: number) {
  return {
    notBefore: new Date(now.getTime() - 3_600_000),
    notAfter: new Date(now.getTime() + days * DAY_MS),
  };
}

async function exportKey(key: CryptoKey): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

async function importKey(pem: string): Promise<CryptoKey> {
  const der = PemConverter.decodeFirst(pem);
  return await crypto.subtle.importKey("pkcs8", der, KEY, false, ["sign"]);
}
