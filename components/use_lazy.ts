import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** Delay before a retry if the server did not answer. */
const RETRY_MS = 3_000;

/**
 * Imports a module with `load` once it is `wanted`; `null` before. For code that a page does not
 * need at first. If the server does not answer, calls `onFail` and retries as long as it is wanted.
 */
export function useLazy<Module>(
  load: () => Promise<Module>,
  wanted: boolean,
  onFail?: () => void,
): Module | null {
  const module = useSignal<Module | null>(null);
  useEffect(() => {
    if (!wanted || module.peek() !== null) return;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const ask = () =>
      load().then((loaded) => module.value = loaded, () => {
        if (over) return;
        retry = setTimeout(ask, RETRY_MS);
        onFail?.();
      });
    void ask();
    return () => {
      over = true;
      clearTimeout(retry);
    };
  }, [wanted]);
  return wanted ? module.value : null;
}
