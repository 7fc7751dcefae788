import type { Ref } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Types that every file dialog offers. */
const PICTURES = "image/jpeg,image/png,image/webp,image/avif,image/gif,image/bmp";

/** Added where HEIC can be chosen. Many systems recognize HEIC only by the file's extension. */
const HEIC = ",image/heic,image/heif,.heic,.heif";

/**
 * iPhones and iPads convert HEIC to JPEG themselves if a page does not accept HEIC. iPads identify
 * themselves as Macs.
 */
function convertsHeic({ userAgent, maxTouchPoints }: Navigator): boolean {
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}

/** A file input that buttons open. */
export function PictureInput(
  { input, label, disabled, camera = false, onChoose }: {
    input: Ref<HTMLInputElement>;
    label: string;
    disabled: boolean;
    /** Opens the camera instead of the file dialog, on phones. */
    camera?: boolean;
    onChoose: (files: File[]) => void;
  },
) {
  const [accept, setAccept] = useState(PICTURES);
  // The server does not know the browser.
  useEffect(() => setAccept(convertsHeic(navigator) ? PICTURES : PICTURES + HEIC), []);
  return (
    <input
      ref={input}
      class="visually-hidden"
      type="file"
      accept={accept}
      multiple={!camera}
      capture={camera ? "environment" : undefined}
      data-input={camera ? "camera" : "files"}
      tabIndex={-1}
      aria-label={label}
      disabled={disabled}
      onChange={(event) => {
        const { currentTarget } = event;
        const files = [...currentTarget.files ?? []];
        // Lets choosing the same file again trigger a change event.
        currentTarget.value = "";
        onChoose(files);
      }}
    />
  );
}
