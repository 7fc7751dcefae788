import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** Pause before a server that did not answer is asked again. */
const RETRY_MS = 3_000;

/**
 * What `load` imports, once it is `wanted`; `null` before. For what a page does not need at first.
 * Where the server does not answer `onFail` hears it, and it is asked for again as long as it is
 * wanted.
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
