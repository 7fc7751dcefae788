/**
 * What `deno task pictures` prints.
 *
 * @module
 */
import type { Finding } from "./bench.ts";
import type { Difference } from "./page.ts";

/** One file's line. */
export interface Row {
  readonly name: string;
  readonly finding: Finding;
  /** What the readers name in what would be sent, beyond what is allowed. */
  readonly left: readonly string[];
}

/** Colors count as equal up to this mean difference, of 255. */
const SAME = 1;
/** By how much formats with chroma subsampling may differ, depending on how it is interpolated. */
const SAME_CHROMA = 3;
const HALVES_CHROMA = /jpeg|webp|avif/;

/** Possible faults of a picture, in the order in which they are counted. */
const FAULTS = {
  lost: "the page did not answer",
  refused: "refused although shown by <img>",
  unseen: "taken, and then not decoded",
  colours: "other colours",
  left: "with something left",
} as const;

type Fault = keyof typeof FAULTS;

/** A line of the table before the readers were asked. */
export function rowOf(name: string, finding: Finding): Row {
  return { name, finding, left: [] };
}

/** What is wrong with it. */
export function faultsOf({ finding, left }: Row): Fault[] {
  if (finding.kind === "lost") return ["lost"];
  const { shown, outcome, difference } = finding.look;
  if (!outcome.ok) return shown !== null && outcome.reason !== "svg" ? ["refused"] : [];
  const faults: Fault[] = [];
  if (outcome.unseen !== null) faults.push("unseen");
  if (difference !== null && !isSame(difference, outcome.type)) faults.push("colours");
  if (left.length > 0) faults.push("left");
  return faults;
}

function isSame({ colours, luma }: Difference, type: string): boolean {
  return luma <= SAME && colours <= (HALVES_CHROMA.test(type) ? SAME_CHROMA : SAME);
}

/** One line: verdict, name, details. */
export function rowText(row: Row): string {
  const faults = faultsOf(row);
  const mark = faults.length === 0 ? "  " : "! ";
  return `${mark}${row.name}: ${details(row)}`;
}

function details({ finding, left }: Row): string {
  if (finding.kind === "lost") return `lost: ${finding.why}`;
  const { shown, outcome, difference, ms } = finding.look;
  const size = shown === null
    ? "<img> shows nothing"
    : `<img> ${shown.width}×${shown.height}${shown.whole ? "" : " in part"}`;
  if (!outcome.ok) {
    return shown === null && outcome.reason === "not_an_image"
      ? "not a picture, nor for <img>"
      : `refused: ${outcome.reason}; ${size}`;
  }
  const { type, width, height, unseen } = outcome;
  return [
    `taken: ${type} ${width}×${height} in ${ms} ms`,
    size,
    ...(unseen === null ? [] : [`not decoded: ${unseen}`]),
    `difference ${difference === null ? "–" : difference.colours.toFixed(2)}`,
    left.length === 0 ? "nothing left" : `left: ${left.join(", ")}`,
  ].join("; ");
}

/** The last lines: counts, and whether everything is as it should be. */
export function summary(rows: readonly Row[]): { text: string; good: boolean } {
  const looks = rows.flatMap(({ finding }) => finding.kind === "looked" ? [finding.look] : []);
  const counts = new Map<Fault, number>();
  for (const fault of rows.flatMap(faultsOf)) counts.set(fault, (counts.get(fault) ?? 0) + 1);
  const names: Fault[] = ["lost", "refused", "unseen", "colours", "left"];
  const reasons = Object.entries(
    Object.groupBy(
      looks.flatMap(({ shown, outcome }) =>
        outcome.ok ? [] : [
          `${outcome.reason}, ${
            shown === null ? "not shown" : shown.whole ? "shown" : "shown in part"
          }`,
        ]
      ),
      (reason) => reason,
    ),
  ).map(([reason, all]) => `  ${reason}: ${all?.length ?? 0}`);
  const lines = [
    "",
    `${rows.length} files, ${looks.filter(({ shown }) => shown !== null).length} shown by <img>, ` +
    `${looks.filter(({ outcome }) => outcome.ok).length} taken`,
    ...names.map((name) => `${counts.get(name) ?? 0} ${FAULTS[name]}`),
    "Refused:",
    ...reasons.sort(),
  ];
  return { text: lines.join("\n"), good: counts.size === 0 };
}
