import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { en } from "../lib/i18n/en.ts";

/** How long "Copied" stands on the button, in milliseconds. */
const COPIED_MS = 2_500;

/** The link: to read, to copy, to scan. */
export function ShareLink({ link }: { link: string }) {
  const field = useRef<HTMLInputElement>(null);
  const said = useSignal<string | null>(null);
  async function copy() {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(link);
      said.value = en.send.copied;
      setTimeout(() => said.value = null, COPIED_MS);
    } catch {
      // Blocked by policy or by the person: the text is selected, so that a key press copies it.
      said.value = en.send.copyFailed;
    }
  }
  return (
    <section class="share" aria-label={en.send.linkLabel}>
      <div class="share-row">
        <input
          ref={field}
          class="link"
          data-field="share-link"
          aria-label={en.send.linkLabel}
          readOnly
          autocomplete="off"
          value={link}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="primary" data-action="copy" onClick={copy}>
          <span aria-live="polite">{said.value ?? en.send.copy}</span>
        </button>
      </div>
      <div class="share-foot">
        <QrCode text={link} label={en.send.qr} />
        <p class="hint">{en.send.linkHint}</p>
      </div>
    </section>
  );
}

/** Dark on light in both colour schemes: many scanners can't read it the other way round. */
function QrCode({ text, label }: { text: string; label: string }) {
  const code = useSignal<{ path: string; size: number } | null>(null);
  useEffect(() => {
    let current = true;
    import("uqr").then(({ encode }) => {
      const { data, size } = encode(text, { ecc: "M", border: 2 });
      const cells = data.flatMap((row, y) =>
        row.flatMap((on, x) => on ? [`M${x} ${y}h1v1h-1z`] : [])
      );
      if (current) code.value = { path: cells.join(""), size };
    }).catch(() => {
      // The server went away before this script came: the link itself can still be copied.
    });
    return () => {
      current = false;
    };
  }, [text]);
  if (code.value === null) return null;
  const { path, size } = code.value;
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <path d={path} shape-rendering="crispEdges" />
    </svg>
  );
}
