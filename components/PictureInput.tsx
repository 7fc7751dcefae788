import type { Ref } from "preact";

/** What the file dialog offers. Without HEIC, so that iPhones convert to JPEG when they are asked. */
const ACCEPT = "image/jpeg,image/png,image/webp,image/avif,image/gif";

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
  return (
    <input
      ref={input}
      class="visually-hidden"
      type="file"
      accept={ACCEPT}
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
