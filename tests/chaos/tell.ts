/**
 * Formats results as text.
 *
 * @module
 */
import type { Report, Sample } from "./runner.ts";
import type { Result } from "./session.ts";

/** One run: a line, with all details if something went wrong or `whole` is set. */
export function tell(
  result: Result,
  { progress, whole = false }: { readonly progress: string; readonly whole?: boolean },
): string {
  const { plan, outcome, said, ms, problems, log } = result;
  const line = `${progress} seed ${plan.seed}: ${outcome} (${said}) ${(ms / 1_000).toFixed(1)} s`;
  if (problems.length === 0 && !whole) return line;
  return [line, ...problems.map((problem) => `  BAD ${problem}`), ...log.map((at) => `    ${at}`)]
    .join("\n");
}

/** Summary of all runs. */
export function summary({ results, samples, leaks, ms }: Report): string {
  const count = (pick: (result: Result) => string) => {
    const counts = new Map<string, number>();
    for (const result of results) counts.set(pick(result), (counts.get(pick(result)) ?? 0) + 1);
    return [...counts].sort(([, a], [, b]) => b - a).map(([name, n]) => `  ${n} × ${name}`);
  };
  const times = results.map((result) => result.ms).sort((a, b) => a - b);
  const at = (share: number) => ((times[Math.floor(share * (times.length - 1))] ?? 0) / 1_000);
  const bad = results.filter(({ problems }) => problems.length > 0);
  return [
    `${results.length} runs in ${(ms / 60_000).toFixed(1)} min`,
    ...count(({ outcome }) => outcome),
    "what the pages say:",
    ...count(({ said }) => said),
    `seconds of a run: median ${at(.5).toFixed(1)}, 90 % within ${at(.9).toFixed(1)}, longest ${
      at(1).toFixed(1)
    }`,
    ...growth(samples),
    `leaks of servers: ${leaks.join("; ") || "none"}`,
    bad.length === 0
      ? "nothing was wrong"
      : `WRONG: seeds ${bad.map(({ plan }) => plan.seed).join(" ")}`,
  ].join("\n");
}

/** How the heap grows with the number of sessions in a document. */
function growth(samples: readonly Sample[]): string[] {
  return (["sender", "viewer"] as const).map((who) => {
    const own = samples.filter((sample) => sample.who === who);
    const most = Math.max(0, ...own.map(({ sessions }) => sessions));
    const mean = (part: readonly Sample[], pick: (sample: Sample) => number) =>
      part.reduce((sum, sample) => sum + pick(sample), 0) / Math.max(1, part.length);
    const megabytes = (part: readonly Sample[]) =>
      `${(mean(part, ({ heap }) => heap) / 1e6).toFixed(2)} MB and ${
        mean(part, ({ nodes }) => nodes).toFixed(0)
      } nodes (${part.length})`;
    const late = Math.max(3, Math.ceil(most / 2));
    const [early, later] = [
      own.filter(({ sessions }) => sessions <= 2),
      own.filter(({ sessions }) => sessions >= late),
    ];
    const peers = Math.max(0, ...own.map((sample) => sample.peers));
    const sockets = Math.max(0, ...own.map((sample) => sample.sockets));
    return `${who}'s page: after 1–2 sessions ${megabytes(early)}, after ${late}–${most} ${
      megabytes(later)
    }; never more than ${peers} connections and ${sockets} sockets in memory`;
  });
}
