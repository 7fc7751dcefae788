import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/**
 * What `load` imports, once it is `wanted`; `null` before, and where the server did not answer, which `onFail` hears. For what a
 * page does not need at first; asked for again each time that it is wanted anew.
 */
export function useLazy<Module>(
  load: () => Promise<Module>,
  wanted: boolean,
  onFail?: () => void,
): Module | null {
  const module = useSignal<Module | null>(null);
  useEffect(() => {
    if (!wanted || module.peek() !== null) return;
    load().then((loaded) => module.value = loaded, () => {
      // Offline: what it belongs to stays closed.
      onFail?.();
    });
  }, [wanted]);
  return wanted ? module.value : null;
}
