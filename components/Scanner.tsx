import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ScanOptions, ScanProblem } from "../lib/device/scanner.ts";
import type { Texts } from "../lib/i18n/texts.ts";
import { useTexts } from "./texts.ts";

interface Props {
  /** Receives the text of a QR code; true if it is a link of this site. */
  readonly take: (text: string) => boolean;
  readonly onClose: () => void;
}

async function scan(options: ScanOptions): Promise<ScanProblem | null> {
  const module = await import("../lib/device/scanner.ts").catch(() => null);
  return module === null ? "unloaded" : await module.scan(options);
}

function problemText(t: Texts, problem: ScanProblem): string {
  return problem === "unloaded" ? t.code.problem.unavailable_words : t.scan.problem[problem];
}

/** What the camera sees, in a sheet over the page, until it has seen a link. */
export function Scanner({ take, onClose }: Props) {
  const t = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const problem = useSignal<ScanProblem | null>(null);
  const wrong = useSignal(false);
  /** How often it was begun. */
  const tries = useSignal(1);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    const over = new AbortController();
    const { signal } = over;
    // Nobody holds a code before a page that is out of sight.
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") dialog.current?.close();
    }, { signal });
    const begin = async (screen: HTMLVideoElement) => {
      const found = await scan({
        video: screen,
        signal,
        take: (text) => {
          const taken = take(text);
          wrong.value = !taken;
          return taken;
        },
      });
      if (signal.aborted) return;
      if (found === null) dialog.current?.close();
      else problem.value = found;
    };
    if (video.current !== null) void begin(video.current);
    return () => over.abort();
  }, [tries.value]);

  function retry() {
    problem.value = null;
    wrong.value = false;
    tries.value++;
  }

  return (
    <dialog class="sheet scanner" ref={dialog} aria-labelledby="scan-title" onClose={onClose}>
      <h2 id="scan-title">{t.scan.title}</h2>
      <video ref={video} muted playsInline hidden={problem.value !== null} />
      <p role="status" data-field="scan-problem">
        {problem.value !== null ? problemText(t, problem.value) : wrong.value ? t.scan.wrong : ""}
      </p>
      <p class="small">{t.scan.hint}</p>
      <div class="actions">
        {problem.value !== null && (
          <button type="button" class="primary" data-action="scan-again" onClick={retry}>
            {t.view.retry}
          </button>
        )}
        <button type="button" data-action="scan-cancel" onClick={() => dialog.current?.close()}>
          {t.edit.cancel}
        </button>
      </div>
    </dialog>
  );
}
