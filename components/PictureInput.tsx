import type { Ref } from "preact";
import { useEffect, useState } from "preact/hooks";

/** What every file dialog offers. */
const PICTURES = "image/jpeg,image/png,image/webp,image/avif,image/gif";

/** Where they can be chosen: many systems know them by the end of their names only. */
const HEIC = ",image/heic,image/heif,.heic,.heif";

/**
 * iPhones and iPads turn HEIC into JPEG themselves where a page does not ask for it. iPads call
 * themselves Macs.
 */
function convertsHeic({ userAgent, maxTouchPoints }: Navigator): boolean {
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}

/** A file input that buttons press. */
export function PictureInput(
  { input, label, disabled, camera = false, onChoose }: {
    input: Ref<HTMLInputElement>;
    label: string;
    disabled: boolean;
    /** Opens the camera in place of the file dialog, on phones. */
    camera?: boolean;
    onChoose: (files: File[]) => void;
  },
) {
  const [accept, setAccept] = useState(PICTURES);
  // The server does not know who asks.
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
        // So that choosing the same file again is a change again.
        currentTarget.value = "";
        onChoose(files);
      }}
    />
  );
}
