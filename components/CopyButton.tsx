import { useSignal } from "@preact/signals";
import { useTexts } from "./texts.ts";

/** How long the button says "Copied", in milliseconds. */
const COPIED_MS = 2_500;

/**
 * Copies `text`, or its result if it is a function, and shows `failed` if that is not possible.
 * `onPress` runs first, e.g. to select the text for copying by hand.
 */
export function CopyButton(
  { action, label, text, failed, primary = false, onPress }: {
    action: string;
    label: string;
    text: string | (() => string | null);
    failed: string;
    primary?: boolean;
    onPress?: () => void;
  },
) {
  const t = useTexts();
  const said = useSignal<string | null>(null);
  async function copy() {
    onPress?.();
    try {
      const copied = typeof text === "string" ? text : text();
      if (copied === null) throw new TypeError("Cannot copy: there is nothing");
      await navigator.clipboard.writeText(copied);
      said.value = t.send.copied;
      setTimeout(() => said.value = null, COPIED_MS);
    } catch {
      // Blocked by a policy or by the person.
      said.value = failed;
    }
  }
  return (
    <button type="button" class={primary ? "primary" : ""} data-action={action} onClick={copy}>
      <span aria-live="polite">{said.value ?? label}</span>
    </button>
  );
}
