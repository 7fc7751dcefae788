import type { Ref } from "preact";

/** What the file dialog offers. Without HEIC, so that iPhones convert to JPEG when they are asked. */
const ACCEPT = "image/jpeg,image/png,image/webp,image/avif,image/gif";

/** The page's one file input; buttons press it. */
export function PictureInput(
  { input, label, disabled, onChoose }: {
    input: Ref<HTMLInputElement>;
    label: string;
    disabled: boolean;
    onChoose: (files: File[]) => void;
  },
) {
  return (
    <input
      ref={input}
      class="visually-hidden"
      type="file"
      accept={ACCEPT}
      multiple
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
