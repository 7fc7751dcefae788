import type { ComponentChildren } from "preact";
import type { Why } from "../lib/i18n/texts.ts";
import { type Diagnose, Diagnostics } from "./Diagnostics.tsx";

interface Props {
  readonly why: Why;
  /** Whether anything was seen; empty where the rest says so. */
  readonly seen: string;
  /** What was seen is the news, and comes first. */
  readonly began?: boolean;
  /** Where something went wrong, and somebody may have to find out why. */
  readonly diagnose: Diagnose | null;
  readonly place: "card" | "result";
  /** What can be pressed now. */
  readonly children?: ComponentChildren;
}

/**
 * A session that is over, or never began: what happened, whether anything was seen, what to do now.
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
