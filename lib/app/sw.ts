/**
 * The service worker of the installed app. It caches one page, which says that there is no
 * connection, and that page's style sheet. Nothing else is ever served from a cache, so people with
 * an old worker still get the newest pages. Requests that it does not answer go to the network
 * untouched.
 *
 * The share sheet posts pictures as a form. This worker answers it, so that no byte of it reaches
 * the server, and keeps the files in memory until the page asks for them.
 *
 * `dev.ts` bundles it into `static/sw.js`. This module is browser compatible.
 *
 * @module
 */
import { MAX_IMAGES } from "../protocol/limits.ts";
import { OFFLINE_PAGE, OFFLINE_STYLES, SHARE_FIELD, SHARE_PATH, SHARED } from "./names.ts";

/** The part of a service worker's API that TypeScript's library for pages lacks. */
interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

interface Events {
  install: ExtendableEvent;
  fetch: FetchEvent;
  message: MessageEvent<unknown>;
}

declare const self: {
  addEventListener<Name extends keyof Events>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): void;
  skipWaiting(): Promise<void>;
};

/** Name of the only cache. */
const CACHE = "offline";

/**
 * How long shared pictures are kept for the page that the browser opens with them, in milliseconds.
 */
const WAIT_MS = 60_000;

/** Pictures that no page has asked for yet; `gone` is called once they are dropped or taken. */
let shared: { readonly files: readonly File[]; readonly gone: () => void } | null = null;

/** Returns the pictures, once. */
function takeShared(): readonly File[] {
  const files = shared?.files ?? [];
  shared?.gone();
  shared = null;
  return files;
}

/**
 * Fetches the offline page again: the cached one may be of another build or in another language.
 */
async function keepOffline(): Promise<void> {
  const cache = await caches.open(CACHE);
  const page = await fetch(OFFLINE_PAGE);
  if (!page.ok) throw new TypeError(`Cannot keep ${OFFLINE_PAGE}: status ${page.status}`);
  // A copy: static hosts redirect to a folder, and a browser refuses the redirected response as the
  // answer to a navigation.
  await cache.put(OFFLINE_PAGE, new Response(page.body, { headers: page.headers }));
  await cache.add(OFFLINE_STYLES);
}

/**
 * Returns the cached response, even if the headers of this request differ from those of the request
 * that filled the cache.
 */
async function kept(path: string): Promise<Response> {
  return await caches.match(path, { ignoreVary: true }) ?? Response.error();
}

async function receive(event: FetchEvent): Promise<Response> {
  let form: FormData;
  try {
    form = await event.request.formData();
  } catch {
    return Response.redirect(SHARE_PATH, 303);
  }
  const files = form.getAll(SHARE_FIELD).filter((entry) => entry instanceof File);
  takeShared();
  // Keeps this worker alive: the browser stops an idle one, and the pictures would be lost.
  event.waitUntil(
    new Promise<void>((resolve) => {
      const mine = { files: files.slice(0, MAX_IMAGES), gone: resolve };
      shared = mine;
      setTimeout(() => shared === mine && takeShared(), WAIT_MS);
    }),
  );
  return Response.redirect("/", 303);
}

self.addEventListener("install", (event) => {
  // Replaces the old worker at once: old pages share nothing with a worker that could conflict.
  event.waitUntil(keepOffline().then(() => self.skipWaiting()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, search } = new URL(request.url);
  if (request.mode === "navigate") {
    if (request.method === "GET") {
      event.respondWith(fetch(request).catch(() => kept(OFFLINE_PAGE)));
    } else if (request.method === "POST" && pathname === SHARE_PATH) {
      event.respondWith(receive(event));
    }
  } else if (pathname + search === OFFLINE_STYLES) {
    event.respondWith(kept(OFFLINE_STYLES));
  }
});

self.addEventListener("message", ({ data, ports }) => {
  if (data === SHARED) ports[0]?.postMessage(takeShared());
});
