/**
 * The one place that writes to the console: JSON lines on stderr, and the few lines that a person
 * who starts the program reads on stdout.
 */

const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
type Level = (typeof LEVELS)[number];

/** What is logged beside the message. Never keys, links, codes, addresses or names of rooms. */
export type Fields = Record<string, string | number | boolean | null | undefined>;

/** Parses LOG_LEVEL; undefined means "info". Throws a RangeError that names the variable. */
export function parseLevel(value: string | undefined): Level {
  if (value === undefined || value === "") return "info";
  const level = LEVELS.find((name) => name === value.toLowerCase());
  if (level === undefined) {
    throw new RangeError(
      `LOG_LEVEL is not valid: "${value}" is none of ${LEVELS.join(", ")}`,
    );
  }
  return level;
}

let threshold: Level | null = null;

function write(level: Level, message: string, fields: Fields): void {
  // Read on first use: importing this module must not need a permission.
  threshold ??= parseLevel(Deno.env.get("LOG_LEVEL"));
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
