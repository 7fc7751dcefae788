import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useTexts } from "./texts.ts";

/** How long people wait before they are told why nobody may be there, in milliseconds. */
const PATIENCE_MS = 20_000;

/** Explains, after a while, why nobody may be there. This is not an error. */
export function NobodyHere() {
  const t = useTexts();
  const long = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => long.value = true, PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return <p class="hint" role="status" data-field="nobody">{long.value && t.why.nobody}</p>;
}
