import { useMemo, useRef } from "preact/hooks";
import { CopyButton } from "./CopyButton.tsx";
import { ShareCode } from "./ShareCode.tsx";
import { useTexts } from "./texts.ts";
import { useLazy } from "./use_lazy.ts";

/** Light modules around a QR code, without which readers may not find it (ISO/IEC 18004). */
const QUIET = 4;

interface Props {
  readonly link: string;
  /**
   * The code that can be used instead; `null` until the server assigned its digits, and if there is
   * none.
   */
  readonly code: string | null;
  /** Why there is no code. */
  readonly codeless: "withdrawn" | "unavailable" | null;
}

/** The link, to share, read, copy or scan, and the code that can be read out instead. */
export function ShareLink({ link, code, codeless }: Props) {
  const t = useTexts();
  const field = useRef<HTMLInputElement>(null);
  const data = { text: t.invite.message, url: link };
  // This renders only in a browser: there is no link on the server.
  const sheet = "share" in navigator && navigator.canShare?.(data) === true;
  return (
    <section class="share" aria-label={t.send.linkLabel}>
      {sheet && <ShareButton data={data} />}
      <div class="share-row">
        <input
          ref={field}
          class="link"
          dir="ltr"
          data-field="share-link"
          aria-label={t.send.linkLabel}
          readOnly
          autocomplete="off"
          value={link}
          onFocus={(event) => event.currentTarget.select()}
        />
        <CopyButton
          action="copy"
          label={t.send.copy}
          text={link}
          failed={t.send.copyFailed}
          primary={!sheet}
          onPress={() => field.current?.select()}
        />
      </div>
      {codeless !== null
        ? <p class="hint" data-field={`code-${codeless}`}>{t.code[codeless]}</p>
        : code !== null && <ShareCode code={code} host={new URL(link).host} />}
      <div class="share-foot">
        <QrCode text={link} label={t.send.qr} />
        <p class="hint">{t.send.linkHint}</p>
      </div>
    </section>
  );
}

/** Opens the system's share sheet. */
function ShareButton({ data }: { data: ShareData }) {
  const t = useTexts();
  async function share() {
    try {
      await navigator.share(data);
    } catch {
      // Dismissed, or refused: the link can be copied right below.
    }
  }
  return (
    <button type="button" class="primary large" data-action="share" onClick={share}>
      {t.invite.share}
    </button>
  );
}

/** Dark on light in both color schemes: many scanners can't read inverted codes. */
function QrCode({ text, label }: { text: string; label: string }) {
  const encoder = useLazy(() => import("uqr"), true);
  const code = useMemo(() => encoder === null ? null : draw(encoder, text), [encoder, text]);
  // The encoder is not loaded yet, or the server does not answer; the link can still be copied. The
  // code's place is kept, so that nothing below moves under a finger.
  if (code === null) return <div class="qr pending" aria-hidden="true" />;
  const { path, size } = code;
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <path d={path} shape-rendering="crispEdges" />
    </svg>
  );
}

/** The SVG path of the dark modules, and the width of the whole code. */
function draw({ encode }: typeof import("uqr"), text: string): { path: string; size: number } {
  const { data, size } = encode(text, { ecc: "M", border: QUIET });
  const cells = data.flatMap((row, y) => row.flatMap((on, x) => on ? [`M${x} ${y}h1v1h-1z`] : []));
  return { path: cells.join(""), size };
}
