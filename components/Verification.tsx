import { useRef } from "preact/hooks";
import type { Session } from "../lib/pages/session.ts";
import { Filled } from "./Filled.tsx";
import { useTexts } from "./texts.ts";

/**
 * One line on how a live session is verified; expanded, it shows what two people can compare by
 * voice. Comparing is optional.
 */
export function Verification({ session }: { session: Session }) {
  const t = useTexts();
  const verification = session.verification.value;
  const compared = session.compared.value;
  const route = session.route.value;
  const details = useRef<HTMLDetailsElement>(null);
  const summary = useRef<HTMLElement>(null);
  if (verification === null || session.life.value.at !== "live") return null;
  const { by, emoji: seven, digits } = verification;
  const way = compared ? "compared" : by;
  function same() {
    session.same();
    // The button disappears: the focus moves to where the result is shown.
    if (details.current !== null) details.current.open = false;
    summary.current?.focus();
  }
  return (
    <details class="verification" data-field="verification" data-verified={way} ref={details}>
      <summary ref={summary}>
        <span class="verified">{t.verification.way[way]}</span>
        {route !== null && <span class="way" data-field="way">{t.way[route]}</span>}
        <span class="sas" aria-hidden="true">
          {seven.map(([emoji], index) => <span key={index}>{emoji}</span>)}
        </span>
        <span class="compare">{t.verification.compare}</span>
      </summary>
      <h2>{t.verification.title}</h2>
      <p>{t.verification.explanation}</p>
      <ol role="list" data-field="sas">
        {seven.map(([emoji, name], index) => (
          <li key={index}>
            <span aria-hidden="true">{emoji}</span>
            {t.sas[name] ?? name}
          </li>
        ))}
      </ol>
      <p class="small">
        <Filled
          text={t.verification.numbers}
          values={{ digits: <span data-field="sas-digits" dir="ltr">{digits}</span> }}
        />
      </p>
      <div class="actions">
        {!compared && (
          <button type="button" data-action="same" onClick={same}>
            {t.verification.same}
          </button>
        )}
        <button type="button" data-action="different" onClick={() => session.different()}>
          {t.verification.different}
        </button>
      </div>
    </details>
  );
}
