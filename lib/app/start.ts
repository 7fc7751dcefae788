/**
 * What turns the pages into an app: the service worker, pictures that the system hands over, and
 * the notice that the code has changed. None of it is needed for the first paint.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { trusted } from "../device/environment.ts";
import { compareBuilds } from "./build_notice.ts";
import { SHARED, WORKER_PATH } from "./names.ts";

/** Receives pictures from outside of the page. */
export type Take = (files: readonly File[]) => void;

/**
 * The part of the Launch Handler API that is used. TypeScript's library lacks it; only Chromium has
 * it.
 */
interface LaunchQueue {
  setConsumer(
    consumer: (launch: { readonly files?: readonly FileSystemFileHandle[] }) => void,
  ): void;
}

/**
 * Starts the service worker, the hand-over of pictures and the notice. `take` receives pictures
 * from the share sheet and from the file manager. Without `take`, the page leaves nothing in this
 * browser: no worker, and no record of the build.
 */
export async function startApp(take: Take | null): Promise<void> {
  // Fresh's client marks the history entry that it finds, and reloads the page when somebody
  // returns to that entry, for example after a jump to the content. This app needs no such mark.
  if (history.state !== null) history.replaceState(null, "");
  compareBuilds({ remember: take !== null });
  if (take === null) return;
  launchQueue()?.setConsumer(async ({ files = [] }) => {
    if (files.length > 0) take(await Promise.all(files.map((handle) => handle.getFile())));
  });
  // Undefined without HTTPS.
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
 * True in the window of an installed app. The share sheet opens only such windows. In a tab, any
 * site may have posted the form, with pictures that nobody chose.
 */
function isInstalled(): boolean {
  return !globalThis.matchMedia("(display-mode: browser)").matches;
}

/** Asks for pictures that the share sheet sent before this page was loaded. */
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
 * The URL contains build and language: a change of either is a new worker, which fetches the
 * offline page anew.
 */
async function register(workers: ServiceWorkerContainer): Promise<void> {
  const build = document.querySelector<HTMLMetaElement>("meta[name=build]")?.content ?? "";
  const query = new URLSearchParams({ build, language: document.documentElement.lang });
  try {
    await workers.register(trusted(`${WORKER_PATH}?${query}`), { updateViaCache: "none" });
  } catch {
    // Service workers are disabled, or the server does not answer. The page works without one.
  }
}
