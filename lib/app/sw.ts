/**
 * The service worker of the installed app. It keeps one page, the one that says that there is no
 * connection, and the sheet that dresses it. Nothing else is ever taken out of a cache, so whoever
 * has an old worker still gets the newest pages; and what this one does not answer, it does not
 * touch.
 *
 * Pictures from a share sheet come as a form that the system posts. It is answered here, so that no
 * byte of it goes to the server, and its files wait in this worker's memory until the page asks for
 * them.
 *
 * `dev.ts` makes `static/sw.js` of it. This module is browser compatible.
 *
 * @module
 */
import { MAX_IMAGES } from "../protocol/limits.ts";
import { OFFLINE_PAGE, OFFLINE_STYLES, SHARE_FIELD, SHARE_PATH, SHARED } from "./names.ts";

/** What TypeScript's library for pages lacks of a service worker. */
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

/** How long shared pictures wait for the page that the browser opens with them, in milliseconds. */
const WAIT_MS = 60_000;

/** Pictures that nobody asked for yet, and who is told that they are gone. */
let shared: { readonly files: readonly File[]; readonly gone: () => void } | null = null;

/** Takes the pictures, once. */
function takeShared(): readonly File[] {
  const files = shared?.files ?? [];
  shared?.gone();
  shared = null;
  return files;
}

/** Fetches the page anew: the one that is kept may be of another build or in another language. */
async function keepOffline(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([OFFLINE_PAGE, OFFLINE_STYLES]);
}

/** What is kept, also where the headers differ that it was asked for with. */
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
  // The browser ends a worker that has nothing to do, and the pictures with it.
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
  // There is nothing that an old page and a new worker could disagree about.
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
