import type { Attention } from "../lib/device/attention.ts";
import { useTexts } from "./texts.ts";

/** How a waiting person wants to be notified. */
export function Alerts({ attention }: { attention: Attention | null }) {
  const t = useTexts();
  if (attention === null) return null;
  const notifying = attention.notifying.value;
  return (
    <details class="more alerts">
      <summary>{t.invite.alerts}</summary>
      <label class="check">
        <input
          type="checkbox"
          name="sound"
          checked={attention.sound.value}
          onChange={(event) => attention.setSound(event.currentTarget.checked)}
        />
        <span>{t.invite.sound}</span>
      </label>
      <label class="check">
        <input
          type="checkbox"
          name="notify"
          checked={notifying === "on"}
          onChange={(event) => void attention.setNotifying(event.currentTarget.checked)}
        />
        <span>
          {t.invite.notify}
          {notifying === "refused" && <small role="status">{t.invite.notifyRefused}</small>}
        </span>
      </label>
    </details>
  );
}
