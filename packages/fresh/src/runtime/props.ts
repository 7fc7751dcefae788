/**
 * Serializes islands' props into the page as JSON, where an object with the key "$" represents what
 * JSON lacks. This module is browser compatible.
 */
import { computed, type ReadonlySignal, Signal, signal } from "@preact/signals";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Encodes the props of all islands of a page; a signal used by several islands stays shared. */
export function encodeProps(all: readonly unknown[]): string {
  const signals = new Map<Signal, number>();
  const encode = (value: unknown): Json => {
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (value === undefined) return { $: "undefined" };
    if (typeof value === "number") {
      return Number.isFinite(value) && !Object.is(value, -0) ? value : {
        $: "number",
        v: Object.is(value, -0) ? "-0" : String(value),
      };
    }
    if (value instanceof Signal) {
      const known = signals.get(value);
      if (known !== undefined) return { $: "signal", i: known };
      signals.set(value, signals.size);
      // A signal without a setter is computed; the browser gets its current value.
      const property = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(value), "value");
      const kind = property?.set === undefined ? "computed" : "signal";
      return { $: kind, i: signals.size - 1, v: encode(value.peek()) };
    }
    if (Array.isArray(value)) return value.map(encode);
    if (value instanceof Uint8Array) return { $: "bytes", v: value.toBase64() };
    if (typeof value === "object" && isPlain(value)) {
      const entries = Object.entries(value).map(([key, item]) => [key, encode(item)] as const);
      const plain: { [key: string]: Json } = Object.fromEntries(entries);
      return Object.hasOwn(plain, "$") ? { $: "object", v: plain } : plain;
    }
    const kind = typeof value === "object" ? value.constructor?.name : typeof value;
    throw new TypeError(`Cannot pass a prop to an island: ${kind} can't be serialised`);
  };
  return JSON.stringify(all.map(encode));
}

/** The reverse of {@link encodeProps}. */
export function decodeProps(json: string): unknown[] {
  const signals = new Map<unknown, ReadonlySignal<unknown>>();
  const fields = (value: object) =>
    Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
  const decode = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(decode);
    if (typeof value !== "object" || value === null) return value;
    if (!("$" in value)) return fields(value);
    const { $, i, v }: { $: unknown; i?: unknown; v?: unknown } = value;
    if ($ === "undefined") return undefined;
    if ($ === "number") return Number(v);
    if ($ === "bytes") {
      return Uint8Array.from(atob(String(v)), (c) => c.charCodeAt(0));
    }
    if ($ === "object") return fields(v ?? {});
    const known = signals.get(i);
    if (known !== undefined) return known;
    const inner = decode(v);
    const made = $ === "signal" ? signal(inner) : computed(() => inner);
    signals.set(i, made);
    return made;
  };
  const all: unknown = JSON.parse(json);
  return Array.isArray(all) ? all.map(decode) : [];
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
