/**
 * Identifies the client of a request: the address that limits are counted by. Deno reports the
 * address of the socket's peer and ignores proxies.
 *
 * @module
 */
import { config, type Network } from "./config.ts";

/**
 * Bytes of an IPv6 address that identify a subscriber. The rest of the /64, 2^64 addresses, is the
 * subscriber's to choose.
 */
const SUBSCRIBER_BYTES = 8;

/** The key shared by all clients whose socket has no IP address. */
const UNKNOWN = "unknown";

/** 4 bytes (IPv4) or 16 bytes (IPv6). */
type AddressBytes = readonly number[];

/**
 * Parses an IP address in any notation; returns `null` for anything else. An IPv4 address mapped
 * into IPv6 (`::ffff:192.0.2.1`) becomes that IPv4 address; a zone (`fe80::1%eth0`) is ignored.
 */
export function parseAddress(text: string): AddressBytes | null {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) {
    const bytes = text.split(".").map(Number);
    return bytes.every((byte) => byte < 256) ? bytes : null;
  }
  const bytes = parseIpv6(text.replace(/%[\w.-]{1,32}$/, ""));
  return bytes !== null && isMapped(bytes) ? bytes.slice(12) : bytes;
}

function parseIpv6(text: string): AddressBytes | null {
  // At most the length of the longest address, and no character that a URL would interpret
  // differently.
  if (!/^[\da-f:.]{2,45}$/i.test(text) || !text.includes(":")) return null;
  const url = `http://[${text}]`;
  if (!URL.canParse(url)) return null;
  const [head = "", tail] = new URL(url).hostname.slice(1, -1).split("::");
  const groups = (part: string) =>
    part === "" ? [] : part.split(":").map((hex) => parseInt(hex, 16));
  const [left, right] = [groups(head), groups(tail ?? "")];
  const zeros = new Array<number>(8 - left.length - right.length).fill(0);
  return [...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 255]);
}

function isMapped(bytes: AddressBytes): boolean {
  return bytes.slice(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 255));
}

/** True if an address, as {@linkcode parseAddress} returns it, is in the network. */
export function isInside(bytes: AddressBytes, { address, prefix }: Network): boolean {
  const network = parseAddress(address);
  if (network === null || network.length !== bytes.length) return false;
  // A network of IPv4 addresses written as IPv6 has its prefix counted from the start of the IPv6
  // address.
  const bits = network.length === 4 && address.includes(":") ? Math.max(0, prefix - 96) : prefix;
  return bytes.every((byte, i) => {
    const mask = 0xff00 >> Math.min(8, Math.max(0, bits - i * 8)) & 255;
    return ((byte ^ network[i]!) & mask) === 0;
  });
}

/**
 * The key that a client's limits are counted by: an IPv4 address, or the /64 of an IPv6 address.
 *
 * `peer` is the address of the socket. The header X-Forwarded-For (`forwarded`) is used only if
 * `peer` is one of `trusted`. It is read from the right, where the nearest proxy wrote: the first
 * address that is not a trusted proxy is the client. Anything to the left of it may be forged.
 * Where an entry is not an address, the proxy that forwarded it is the client.
 */
export function clientKey(
  peer: string,
  forwarded: string | null,
  trusted: readonly Network[],
): string {
  let client = parseAddress(peer);
  if (client === null) return UNKNOWN;
  const isProxy = (bytes: AddressBytes) => trusted.some((network) => isInside(bytes, network));
  const hops = forwarded?.split(",") ?? [];
  while (isProxy(client)) {
    const hop = parseAddress(hops.pop()?.trim() ?? "");
    if (hop === null) break;
    client = hop;
  }
  return keyOf(client);
}

const LOOPBACK = /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/i;

/** True if `host`, a name or an address, is this machine for itself. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);
}

/** The {@linkcode clientKey} of a request, using TRUSTED_PROXIES. */
export function clientOf(req: Request, { remoteAddr }: Deno.ServeHandlerInfo): string {
  const peer = "hostname" in remoteAddr ? remoteAddr.hostname : "";
  return clientKey(peer, req.headers.get("x-forwarded-for"), config().TRUSTED_PROXIES);
}

/**
 * How many clients a network counts as, narrowest first: a /64, /56 and /48 of IPv6. A site is
 * given one of these to choose addresses from; by /64 alone, one /48 would be 65,536 clients.
 */
export const NETWORK_CLIENTS: readonly number[] = [1, 2, 4];

/**
 * The networks of a client's key, in the order of {@linkcode NETWORK_CLIENTS}: its /64, /56 and
 * /48, or an IPv4 address alone.
 */
export function networksOf(client: string): readonly string[] {
  const [, hex] = /^([\da-f]{16})\/64$/.exec(client) ?? [];
  return hex === undefined
    ? [client]
    : [client, `${hex.slice(0, 14)}/56`, `${hex.slice(0, 12)}/48`];
}

/** True if a connection comes from this machine itself. */
export function isLocal({ remoteAddr }: Deno.ServeHandlerInfo): boolean {
  return "hostname" in remoteAddr && isLoopback(remoteAddr.hostname);
}

function keyOf(bytes: AddressBytes): string {
  if (bytes.length === 4) return bytes.join(".");
  const hex = bytes.slice(0, SUBSCRIBER_BYTES).map((byte) => byte.toString(16).padStart(2, "0"));
  return `${hex.join("")}/64`;
}
