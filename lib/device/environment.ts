/**
 * What this browser has to have before anything starts.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { loadKem } from "../e2e/kem.ts";

/**
 * Says what is missing: `insecure` without WebCrypto (the page did not come over HTTPS),
 * `no_webrtc`, `old_browser` without what decodes pictures off the page, or `null`. Asked before
 * anything starts: a picture whose key was released to a browser that can't show it would be spent.
 */
export function findObstacle(): "insecure" | "no_webrtc" | "old_browser" | null {
  if (globalThis.crypto?.subtle === undefined) return "insecure";
  if (typeof globalThis.RTCPeerConnection === "undefined" && !relayOffered()) return "no_webrtc";
  const needed = ["Worker", "OffscreenCanvas", "createImageBitmap"];
  return needed.some((name) => !(name in globalThis)) ? "old_browser" : null;
}

/** Whether this server passes encrypted records on, where no other way leads through. */
export function relayOffered(): boolean {
  const document: Document | undefined = globalThis.document;
  return (document?.querySelector("meta[name=relay]") ?? null) !== null;
}

/** Fetches what this browser lacks, while the server that it comes from is there. */
export function warmUp(): void {
  loadKem().catch(() => {
    // Asked for again, and answered for, when a session begins.
  });
}

/** Makes the worker of a URL of our own; Trusted Types let nobody else make one. */
export function workerMaker(url: string): () => Worker {
  return () => new Worker(trusted(url));
}

/** Makes the worker that decodes HEIC, which lies beside the picture worker. */
export function heicWorkerMaker(pictureWorker: string): () => Worker {
  return workerMaker(pictureWorker.replace("/picture_worker.js", "/heic_worker.js"));
}

/** What is needed of Trusted Types, which TypeScript's library lacks; Safari before 26 as well. */
interface PolicyFactory {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): URL };
}

let policy: ReturnType<PolicyFactory["createPolicy"]> | null = null;

/**
 * A string that a worker may be made of: `static/workers/`, the service worker, and nothing else.
 * The policy can be created once. Throws a `TypeError` for any other script, in browsers that know
 * Trusted Types.
 */
export function trusted(url: string): string | URL {
  const factory: PolicyFactory | undefined = Reflect.get(globalThis, "trustedTypes");
  if (factory === undefined) return url;
  policy ??= factory.createPolicy("worker", {
    createScriptURL(text) {
      const { origin, pathname } = new URL(text, globalThis.location.href);
      const ours = pathname.startsWith("/workers/") || pathname === "/sw.js";
      if (origin === globalThis.location.origin && ours) return text;
      throw new TypeError("Cannot start worker: not a script of this site");
    },
  });
  return policy.createScriptURL(url);
}

/** The signaling server of this page: `ws(s)://host`. */
export function signalingServer(location: Location): string {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}`;
}
