/**
 * The only module that writes to the console: JSON lines on stderr, and on stdout the few lines for
 * the person who starts the program.
 */

/** Names of the levels, most verbose first. */
export const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** The least severe level that is written. */
export type Level = (typeof LEVELS)[number];

/** What is logged besides the message. Never keys, links, codes, addresses or names of rooms. */
export type Fields = Record<string, string | number | boolean | null | undefined>;

let threshold: Level = "info";

/** Sets the least severe level that is written; `info` until then. */
export function setLevel(level: Level): void {
  threshold = level;
}

function write(level: Level, message: string, fields: Fields): void {
  if (LEVELS.indexOf(level) < LEVELS.indexOf(threshold)) return;
  const line = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
  // deno-lint-ignore no-console -- this is the logger
  console.error(line);
}

/** Writes one JSON line to stderr if LOG_LEVEL allows it. */
export const log = {
  debug: (message: string, fields: Fields = {}): void => write("debug", message, fields),
  info: (message: string, fields: Fields = {}): void => write("info", message, fields),
  warn: (message: string, fields: Fields = {}): void => write("warn", message, fields),
  error: (message: string, fields: Fields = {}): void => write("error", message, fields),
};

/** Writes a line for the person at the terminal to stdout, whatever LOG_LEVEL is. */
export function tell(line: string): void {
  // deno-lint-ignore no-console -- this is the logger
  console.log(line);
}

/** Writes the sentence that explains why a program can't continue to stderr. */
export function complain(line: string): void {
  // deno-lint-ignore no-console -- this is the logger
  console.error(line);
}
