import type { Texts } from "../lib/i18n/en.ts";
import { fill, seconds } from "../lib/i18n/format.ts";
import type { PickProblem } from "../lib/session/picker.ts";

/** Headline and explanation of a server that said for how many seconds it is busy. */
export function busyFor(t: Texts, retry: number): readonly [title: string, text: string] {
  const [title, text] = t.busyFor;
  return [title, fill(text, { duration: seconds(t, retry) })];
}

/** What is wrong with a file, which is named where it has a name. */
export function nameProblem(t: Texts, { name, reason }: PickProblem): string {
  const text = t.picture[reason];
  return name === "" ? text : fill(t.pictureNamed, { name, text });
}
