import type { ComponentChild } from "preact";

/** A text whose `{names}` are elements, e.g. one that must not break or that runs left to right. */
export function Filled(
  { text, values }: { text: string; values: Readonly<Record<string, ComponentChild>> },
) {
  // Splitting at a group puts every name at an odd place.
  return <>{text.split(/\{(\w+)\}/).map((part, index) => index % 2 === 0 ? part : values[part])}</>;
}
