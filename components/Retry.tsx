import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { plural } from "../lib/i18n/format.ts";
import { useTexts } from "./texts.ts";

const SECOND_MS = 1_000;

interface Props {
  readonly action: string;
  readonly label: string;
  /** Seconds until it can be pressed, if the server asked for a delay. */
  readonly wait: number | undefined;
  readonly primary: boolean;
  readonly onPress: () => void;
}

/**
 * A button that retries. It can be pressed at once, or after the delay that a busy server asked
 * for. It never retries by itself: people who left the page open and went away don't want that.
 */
export function Retry({ action, label, wait = 0, primary, onPress }: Props) {
  const t = useTexts();
  const left = useSignal(wait);
  useEffect(() => {
    const until = performance.now() + wait * SECOND_MS;
    const count = () => {
      left.value = Math.max(0, Math.ceil((until - performance.now()) / SECOND_MS));
      if (left.value === 0) clearInterval(ticking);
    };
    const ticking = setInterval(count, SECOND_MS);
    count();
    return () => clearInterval(ticking);
  }, [wait]);
  return (
    <button
      type="button"
      class={primary ? "primary" : ""}
      data-action={action}
      disabled={left.value > 0}
      onClick={onPress}
    >
      {left.value > 0 ? plural(t, t.why.retryIn, left.value) : label}
    </button>
  );
}
