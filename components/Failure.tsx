import type { ComponentChildren } from "preact";
import type { Why } from "../lib/i18n/texts.ts";
import { type Diagnose, Diagnostics } from "./Diagnostics.tsx";

interface Props {
  readonly why: Why;
  /** Whether anything was seen; empty if the other texts say so. */
  readonly seen: string;
  /** True if a session had begun: what was seen matters most, and is shown first. */
  readonly began?: boolean;
  /** Set if something went wrong that somebody may have to investigate. */
  readonly diagnose: Diagnose | null;
  readonly place: "card" | "result";
  /** Buttons for what to do now. */
  readonly children?: ComponentChildren;
}

/**
 * A session that ended, or never began: what happened, whether anything was seen, and what to do
 * now.
 */
export function Failure(
  { why: { title, happened, todo }, seen, began = false, diagnose, place, children }: Props,
) {
  const outcome = seen !== "" && <p class={began ? "lead" : ""} data-field="seen">{seen}</p>;
  return (
    <section class={place}>
      <h1>{title}</h1>
      {began && outcome}
      <p data-field="happened">{happened}</p>
      {!began && outcome}
      <p data-field="todo">{todo}</p>
      {children}
      {diagnose !== null && <Diagnostics diagnose={diagnose} />}
    </section>
  );
}
