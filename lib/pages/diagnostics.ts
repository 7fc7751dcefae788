/**
 * Diagnostics as a text to copy, for somebody who is asked for help. It holds no link, code, room,
 * key, name or address. It is in English whatever the page's language, because whoever runs the
 * server reads it.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Trace } from "../connection/trace.ts";

/** What happened on a page so far. */
export interface Course {
  readonly page: "send" | "join";
  /** Names of the phases, in order. */
  readonly phases: readonly string[];
  readonly reason: string | null;
  /** False while the server can't be reached; `null` if it was not contacted. */
  readonly contact: boolean | null;
  /** What was tried to connect; `null` before the first attempt. */
  readonly trace: Trace | null;
}

/** Only the last phases are listed, because a session can be kept open for long. */
const MAX_PHASES = 40;

/** Browser features that a session needs, or uses where available. */
const FEATURES: readonly (readonly [name: string, has: () => boolean])[] = [
  ["WebRTC", () => "RTCPeerConnection" in globalThis],
  ["WebCrypto", () => globalThis.crypto?.subtle !== undefined],
  ["ML-KEM", () => "encapsulateBits" in (globalThis.crypto?.subtle ?? {})],
  ["workers", () => "Worker" in globalThis],
  ["OffscreenCanvas", () => "OffscreenCanvas" in globalThis],
  ["createImageBitmap", () => "createImageBitmap" in globalThis],
  ["ImageDecoder", () => "ImageDecoder" in globalThis],
  ["WebAssembly", () => "WebAssembly" in globalThis],
  ["wake lock", () => "wakeLock" in navigator],
  ["share sheet", () => "share" in navigator],
  ["service worker", () => "serviceWorker" in navigator],
];

/** The text, one line per item. */
export function diagnose(course: Course): string {
  const { trace } = course;
  const build = document.querySelector<HTMLMetaElement>("meta[name=build]")?.content;
  const phases = course.phases.slice(-MAX_PHASES);
  const lines: readonly (readonly [string, string])[] = [
    ["app", build ?? "no build"],
    ["time", new Date().toISOString()],
    ["page", course.page],
    ["phases", `${phases.length < course.phases.length ? "… " : ""}${phases.join(" > ")}`],
    ["reason", course.reason ?? "none"],
    ["browser", navigator.userAgent],
    ["secure", yes(globalThis.isSecureContext)],
    ["online", yes(navigator.onLine)],
    ["server reachable", course.contact === null ? "not asked" : yes(course.contact)],
    ["has", FEATURES.filter(([, has]) => has()).map(([name]) => name).join(", ")],
    ["lacks", FEATURES.filter(([, has]) => !has()).map(([name]) => name).join(", ") || "nothing"],
    ["own candidates", counted(trace?.own)],
    ["other's candidates", counted(trace?.other)],
    ["TURN relay offered", offered(trace?.turn)],
    ["server's relay offered", offered(trace?.server)],
    ["ICE errors", counted(trace?.iceErrors)],
    ["last ICE state", trace?.ice ?? "none"],
    ["way", trace?.route ?? "unknown"],
    ["TURN relay used over", trace?.relayProtocol ?? "none"],
  ];
  return lines.map(([name, value]) => `${name}: ${value}`).join("\n");
}

function yes(value: boolean): string {
  return value ? "yes" : "no";
}

function offered(value: boolean | null = null): string {
  return value === null ? "not asked" : yes(value);
}

/** `kind n` for each; an ICE error's kind is its code. */
function counted(counts: Readonly<Record<string, number>> = {}): string {
  return Object.entries(counts).map(([kind, n]) => `${kind} ${n}`).join(", ") || "none";
}
