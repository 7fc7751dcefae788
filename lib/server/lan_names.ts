/**
 * By which names and addresses the other devices of a home reach this computer.
 *
 * @module
 */
import { isInside, parseAddress } from "../ops/client_address.ts";
import type { Network } from "../ops/config.ts";

/** Addresses of one's own networks and of this machine: RFC 1918, 3927, 4193, 4291. */
export const PRIVATE_NETWORKS: readonly Network[] = [
  { address: "10.0.0.0", prefix: 8 },
  { address: "172.16.0.0", prefix: 12 },
  { address: "192.168.0.0", prefix: 16 },
  { address: "169.254.0.0", prefix: 16 },
  { address: "127.0.0.0", prefix: 8 },
  { address: "fc00::", prefix: 7 },
  { address: "fe80::", prefix: 10 },
  { address: "::1", prefix: 128 },
];

/** Interfaces of containers, virtual machines and tunnels, which no phone in the Wi-Fi reaches. */
const VIRTUAL = /docker|^br-|veth|virbr|vmnet|vbox|^utun|^tun|^tap|^wg|tailscale|^zt/i;

/** An interface, as far as {@linkcode lanNames} needs what `Deno.networkInterfaces()` returns. */
export interface Interface {
  readonly name: string;
  readonly address: string;
}

/** True for an address of one's own network. */
export function isPrivate(address: string): boolean {
  const bytes = parseAddress(address);
  return bytes !== null && PRIVATE_NETWORKS.some((network) => isInside(bytes, network));
}

/** True for an address or name by which only this computer reaches itself. */
function isOwn(address: string): boolean {
  return /^127\.|^::1$/.test(address);
}

/**
 * IPv4 addresses in private networks, those of real networks first, then the computer's name in
 * multicast DNS. A network with other addresses is not one's own: anybody could be in it.
 */
export function lanNames(interfaces: readonly Interface[], hostname: string): readonly string[] {
  const addresses = interfaces
    .filter(({ address }) => !address.includes(":") && isPrivate(address) && !isOwn(address))
    .toSorted((a, b) => Number(VIRTUAL.test(a.name)) - Number(VIRTUAL.test(b.name)))
    .map(({ address }) => address);
  const [label = ""] = hostname.toLowerCase().split(".");
  const named = /^[a-z\d-]{1,63}$/.test(label) && label !== "localhost" ? [`${label}.local`] : [];
  return [...new Set([...addresses, ...named])];
}
