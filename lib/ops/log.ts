/**
 * The one place that writes to the console: JSON lines on stderr, and the few lines that a person
 * who starts the program reads on stdout.
 */

/** Names of the levels, least first. */
export const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** How much is written. */
export type Level = (typeof LEVELS)[number];

/** What is logged beside the message. Never keys, links, codes, addresses or names of rooms. */
export type Fields = Record<string, string | number | boolean | null | undefined>;

let threshold: Level = "info";

/** Chooses how much is written; `info` until then. */
export function setLevel(level: Level): void {
  threshold = level;
}

function write(level: Level, message: string, fields: Fields): void {
  if (LEVELS.indexOf(level) < LEVELS.indexOf(threshold)) return;
  const line = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
  // deno-lint-ignore no-console -- this is the logger
  console.error(line);
}

/** Writes one JSON line to stderr when LOG_LEVEL lets it through. */
export const log = {
  debug: (message: string, fields: Fields = {}): void => write("debug", message, fields),
  info: (message: string, fields: Fields = {}): void => write("info", message, fields),
  warn: (message: string, fields: Fields = {}): void => write("warn", message, fields),
  error: (message: string, fields: Fields = {}): void => write("error", message, fields),
};

/** A line for the person at the terminal, on stdout, whatever LOG_LEVEL says. */
export function tell(line: string): void {
  // deno-lint-ignore no-console -- this is the logger
  console.log(line);
}

/** The sentence that a program ends with when it can't go on, on stderr. */
export function complain(line: string): void {
  // deno-lint-ignore no-console -- this is the logger
  console.error(line);
}
