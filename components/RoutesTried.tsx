import type { Trace } from "../lib/connection/trace.ts";
import { useTexts } from "./texts.ts";

/** Which routes were tried, and which ones the server does not offer. */
export function RoutesTried({ trace }: { trace: Pick<Trace, "turn" | "server"> | null }) {
  const t = useTexts();
  if (trace === null) return null;
  const ways = [
    t.tried.direct,
    trace.turn === true ? t.tried.turn : t.tried.noTurn,
    trace.server === true ? t.tried.server : t.tried.noServer,
  ];
  return (
    <section class="tried" data-field="tried" aria-label={t.tried.title}>
      <h2>{t.tried.title}</h2>
      <ul>
        {ways.map((way) => <li key={way}>{way}</li>)}
      </ul>
    </section>
  );
}
