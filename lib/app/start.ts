/**
 * What makes an app of the pages, none of it needed for their first paint: the service worker,
 * pictures that the system hands over, and a word when the program has changed.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { trusted } from "../device/environment.ts";
import { compareBuilds } from "./build_notice.ts";
import { SHARED, WORKER_PATH } from "./names.ts";

/** What is done with pictures from outside of the page. */
export type Take = (files: readonly File[]) => void;

/**
 * What is needed of the Launch Handler API, which TypeScript's library lacks; Chromium alone has
 * it.
 */
interface LaunchQueue {
  setConsumer(
    consumer: (launch: { readonly files?: readonly FileSystemFileHandle[] }) => void,
  ): void;
}

/**
 * Starts all of it. `take` gets pictures from the share sheet and from the file manager; without it
 * the page stays a guest, which leaves nothing in this browser: no worker, and no note of the
 * build.
 */
export async function startApp(take: Take | null): Promise<void> {
  // Fresh's own client marks the entry that it finds, and loads the page again when somebody comes
  // back to it, as after a jump to the content. Nothing in here needs a mark.
  if (history.state !== null) history.replaceState(null, "");
  compareBuilds({ remember: take !== null });
  if (take === null) return;
  launchQueue()?.setConsumer(async ({ files = [] }) => {
    if (files.length > 0) take(await Promise.all(files.map((handle) => handle.getFile())));
  });
  // Not there without HTTPS.
  const workers: ServiceWorkerContainer | undefined = navigator.serviceWorker;
  if (workers === undefined) return;
  const { controller } = workers;
  if (controller !== null && isInstalled()) {
    const files = await askShared(controller);
    if (files.length > 0) take(files);
  }
  await register(workers);
}

function launchQueue(): LaunchQueue | undefined {
  return Reflect.get(globalThis, "launchQueue");
}

/**
 * True in the window of an installed app. Systems share into no other, but any site can post a form
 * to our address from a tab, and what it puts there nobody has chosen.
 */
function isInstalled(): boolean {
  return !globalThis.matchMedia("(display-mode: browser)").matches;
}

/** Pictures that came from the share sheet before this page. */
function askShared(worker: ServiceWorker): Promise<readonly File[]> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<readonly File[]>) => {
      port1.close();
      resolve(data);
    };
    worker.postMessage(SHARED, [port2]);
  });
}

/**
 * With build and language in its address: another one of either is another worker, which fetches
 * its page anew.
 */
async function register(workers: ServiceWorkerContainer): Promise<void> {
  const build = document.querySelector<HTMLMetaElement>("meta[name=build]")?.content ?? "";
  const query = new URLSearchParams({ build, language: document.documentElement.lang });
  try {
    await workers.register(trusted(`${WORKER_PATH}?${query}`), { updateViaCache: "none" });
  } catch {
    // Switched off, or the server is away: then it is a page like any other.
  }
}
