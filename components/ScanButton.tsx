import { useSignal } from "@preact/signals";
import { useTexts } from "./texts.ts";
import { useLazy } from "./use_lazy.ts";

/**
 * Opens the camera to read a QR code; nothing of that is loaded before it is pressed. `take`
 * receives the text of a code, and returns true if it is a link of this site.
 */
export function ScanButton({ take }: { readonly take: ((text: string) => boolean) | undefined }) {
  const t = useTexts();
  const open = useSignal(false);
  const module = useLazy(() => import("./Scanner.tsx"), open.value);
  return (
    <>
      <button
        type="button"
        class="scan"
        data-action="scan"
        disabled={take === undefined}
        onClick={() => open.value = true}
      >
        {t.scan.open}
      </button>
      {module !== null && take !== undefined && (
        <module.Scanner
          take={take}
          onClose={() => open.value = false}
        />
      )}
    </>
  );
}
