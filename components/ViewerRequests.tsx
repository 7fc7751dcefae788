import { plural } from "../lib/i18n/format.ts";
import type { Session } from "../lib/pages/session.ts";
import { useTexts } from "./texts.ts";

/** Extra time per press, in seconds. */
const MORE_SECONDS = 10;

/** The viewer's requests: to open a picture, or for more time. */
export function ViewerRequests({ session }: { session: Session }) {
  const t = useTexts();
  const pictures = session.outbox.pictures.value;
  const asked = pictures.find(({ state }) => state.at === "asked");
  const wanted = pictures.find(({ request }) => request === "more");
  if (asked !== undefined) {
    return (
      <section class="wish" role="status" data-field="asked">
        <h2>{t.send.asked}</h2>
        <div class="actions">
          <button
            type="button"
            class="primary"
            data-action="allow"
            onClick={() => session.outbox.allow(asked.id)}
          >
            {t.send.allow}
          </button>
          <button
            type="button"
            data-action="refuse"
            onClick={() => session.outbox.revoke(asked.id)}
          >
            {t.send.refuse}
          </button>
        </div>
      </section>
    );
  }
  if (wanted === undefined) return null;
  return (
    <section class="wish" role="status" data-field="wanted">
      <h2>{t.timeline.requests.more}</h2>
      <div class="actions">
        <button
          type="button"
          class="primary"
          data-action="grant"
          onClick={() => session.grant(wanted.id, MORE_SECONDS)}
        >
          {plural(t, t.send.grant, MORE_SECONDS)}
        </button>
      </div>
    </section>
  );
}
