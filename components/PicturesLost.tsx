import type { SenderModel } from "../lib/pages/sender_model.ts";
import { useTexts } from "./texts.ts";

/** Shown after a reload that lost pictures which nobody had opened. */
export function PicturesLost({ model, pick }: { model: SenderModel; pick: () => void }) {
  const t = useTexts();
  const preparing = model.picker.preparing.value;
  return (
    <section class="wish" data-field="forgot">
      <p>{t.send.forgot}</p>
      <div class="actions">
        <button
          type="button"
          class="primary"
          data-action="choose-again"
          disabled={preparing}
          onClick={pick}
        >
          {preparing ? t.send.preparing : t.send.choose}
        </button>
      </div>
    </section>
  );
}
