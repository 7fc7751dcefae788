import { useSignal } from "@preact/signals";
import { useTexts } from "./texts.ts";

/** How long "Copied" stands on the button, in milliseconds. */
const COPIED_MS = 2_500;

/**
 * Copies `text`, or what it returns at the press, or says `failed`. `onPress` comes first, e.g. to
 * select the same text for a copy by hand.
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
      // Blocked by policy or by the person.
      said.value = failed;
    }
  }
  return (
    <button type="button" class={primary ? "primary" : ""} data-action={action} onClick={copy}>
      <span aria-live="polite">{said.value ?? label}</span>
    </button>
  );
}
