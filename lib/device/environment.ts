/**
 * What a browser must support before anything starts.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { loadKem } from "../e2e/kem.ts";

/**
 * Returns what is missing: `insecure` without WebCrypto (the page was not served over HTTPS),
 * `no_webrtc`, `old_browser` without the means to decode pictures off the main thread, or `null`.
 * Called before anything starts: if a picture's key were released to a browser that can't show it,
 * the picture would be lost.
 */
export function findObstacle(): "insecure" | "no_webrtc" | "old_browser" | null {
  if (globalThis.crypto?.subtle === undefined) return "insecure";
  if (typeof globalThis.RTCPeerConnection === "undefined" && !relayOffered()) return "no_webrtc";
  const needed = ["Worker", "OffscreenCanvas", "createImageBitmap"];
  return needed.some((name) => !(name in globalThis)) ? "old_browser" : null;
}

/** The language in which the page is written, which may differ from the browser's. */
export function pageLanguage(): string {
  const document: Document | undefined = globalThis.document;
  return document?.documentElement.lang ?? navigator.language;
}

/** Whether this server offers its encrypted relay, for when no other route works. */
export function relayOffered(): boolean {
  return metaContent("relay") !== null;
}

/** Loads a replacement for ML-KEM if this browser lacks it, while the server is reachable. */
export function warmUp(): void {
  loadKem().catch(() => {
    // Retried, with error handling, when a session starts.
  });
}

/**
 * Returns a function that starts the worker at `url`, which must be on this site; Trusted Types
 * forbid any other way.
 */
export function workerMaker(url: string): () => Worker {
  return () => new Worker(trusted(url));
}

/** Returns a function that starts the HEIC worker, whose file is next to the picture worker's. */
export function heicWorkerMaker(pictureWorker: string): () => Worker {
  return workerMaker(pictureWorker.replace("/picture_worker.js", "/heic_worker.js"));
}

/**
 * The part of Trusted Types that is used. TypeScript's library lacks it, and so does Safari before
 * 26.
 */
interface PolicyFactory {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): URL };
}

let policy: ReturnType<PolicyFactory["createPolicy"]> | null = null;

/**
 * Marks `url` as a script that a worker may run: only `static/workers/` and the service worker are
 * allowed. The policy can be created only once. Throws `TypeError` for any other script, in
 * browsers that support Trusted Types.
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

/** The `content` of a `<meta>` that the server put into this page; `null` if there is none. */
function metaContent(name: string): string | null {
  const document: Document | undefined = globalThis.document;
  return document?.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content ?? null;
}

/** The host that has the rooms if it is another one than this page's (SIGNALING_ORIGIN). */
export function otherSignalingHost(): string | null {
  const elsewhere = metaContent("signaling");
  return elsewhere === null ? null : new URL(elsewhere).host;
}

/** The signaling server of this page: `ws(s)://host`. */
export function signalingServer(location: Location): string {
  const elsewhere = metaContent("signaling");
  if (elsewhere !== null) return elsewhere.replace(/^http/, "ws");
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}`;
}
