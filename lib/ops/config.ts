/**
 * The environment, read once: every setting with its default, its limits, and what it can't be
 * combined with.
 *
 * @module
 */
import * as v from "valibot";
import { LEVELS } from "./log.ts";

/**
 * Lists all problems at once, one sentence each. Each names its variable, and never the value of a
 * secret one.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** A network of addresses: `192.0.2.0/24`, `2001:db8::/32`, or a single address. */
export interface Network {
  readonly address: string;
  /** Number of leading bits that are compared. */
  readonly prefix: number;
}

const MAX_PORT = 65_535;

function required(condition: (text: string) => boolean, what: string) {
  return v.pipe(v.string(), v.check(condition, what));
}

/** A whole number. `LIMIT_…=0` would lock everybody out, so limits pass a minimum of 1 or more. */
function whole(min: number, max: number) {
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,10}$/, `is not a number from ${min} to ${max}`),
    v.transform(Number),
    v.minValue(min, `is not a number from ${min} to ${max}`),
    v.maxValue(max, `is not a number from ${min} to ${max}`),
  );
}

function list<T extends v.GenericSchema<string, unknown>>(item: T) {
  return v.pipe(
    v.string(),
    v.transform((text) => text.split(",").map((part) => part.trim()).filter((part) => part !== "")),
    v.array(item),
  );
}

function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}

function isRedisUrl(text: string): boolean {
  return URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol);
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** 4 or 6, or 0 if `address` is not an IP address. */
function family(address: string): 4 | 6 | 0 {
  if (IPV4.test(address)) return 4;
  return address.includes(":") && URL.canParse(`http://[${address}]`) ? 6 : 0;
}

function parseNetwork(text: string): Network | null {
  const [address = "", bits, ...rest] = text.split("/");
  const version = family(address);
  const longest = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : Number(bits);
  const valid = version !== 0 && rest.length === 0 &&
    (bits === undefined || /^\d{1,3}$/.test(bits)) &&
    prefix <= longest;
  return valid ? { address, prefix } : null;
}

const network = v.pipe(
  required((text) => parseNetwork(text) !== null, "is not an address or network like 10.0.0.0/8"),
  v.transform((text) => parseNetwork(text) ?? { address: text, prefix: 0 }),
);

/**
 * As RFC 7064 and 7065 define them: browsers refuse to connect at all if one URL is anything else.
 */
const ICE_URL = /^(?:stuns?:HOST|turns?:HOST(?:\?transport=(?:udp|tcp))?)$/.source.replaceAll(
  "HOST",
  "(?:[\\w.-]{1,200}|\\[[\\da-f:.]{2,45}\\])(?::\\d{1,5})?",
);

const iceUrl = v.pipe(
  v.string(),
  v.regex(
    new RegExp(ICE_URL, "i"),
    "has a URL that is none like stun:host:3478, stuns:host, turn:host?transport=udp, " +
      "turns:host:443?transport=tcp",
  ),
);

const iceServers = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      const value: unknown = JSON.parse(dataset.value);
      return value;
    } catch {
      addIssue({ message: 'is not JSON like [{"urls":["stun:stun.example.org"]}]' });
      return NEVER;
    }
  }),
  v.array(
    v.strictObject({
      urls: v.pipe(v.array(iceUrl), v.minLength(1), v.maxLength(8)),
      username: v.exactOptional(v.string()),
      credential: v.exactOptional(v.string()),
    }, "is not a list of ICE servers with urls, username and credential"),
    "is not a list of ICE servers",
  ),
  v.maxLength(7, "has more than 7 servers"),
);

function secret(length: number) {
  return v.pipe(
    v.string(),
    v.minLength(length, `is shorter than ${length} characters`),
    v.maxLength(512, "is longer than 512 characters"),
  );
}

/**
 * Nothing but its length stands between a key and whoever guesses from very many networks, so it
 * has to have some, and not of one sign.
 */
const accessKey = v.pipe(
  v.string(),
  v.minLength(12, "has a key that is shorter than 12 characters"),
  v.maxLength(512, "has a key that is longer than 512 characters"),
  v.check(
    (text) => new Set(text).size >= 6,
    "has a key of fewer than 6 different characters, which is easy to guess",
  ),
);

/**
 * Each variable with its default (as text) and its schema. This is the only list: tests compare
 * .env.example and docs/operations.md with it.
 */
const VARIABLES = {
  PORT: ["3000", whole(0, MAX_PORT)],
  HOST: [
    "",
    required((text) => /^[\w.:%-]*$/.test(text), "is not a host name or an IP address"),
  ],
  PUBLIC_ORIGIN: ["", list(required(isOrigin, "is not an origin like https://example.org"))],
  ALLOWED_ORIGINS: ["", list(required(isOrigin, "is not an origin like https://example.org"))],
  SIGNALING_ORIGIN: [
    "",
    required(
      (text) => text === "" || isOrigin(text),
      "is not a single origin like https://example.org",
    ),
  ],
  TRUSTED_PROXIES: ["", list(network)],
  TLS_CERT: ["", v.string()],
  TLS_KEY: ["", v.string()],
  TLS_CA: ["", v.string()],
  LOG_LEVEL: [
    "info",
    v.pipe(v.string(), v.toLowerCase(), v.picklist(LEVELS, `is none of ${LEVELS.join(", ")}`)),
  ],
  METRICS_PORT: [
    "",
    v.union([v.literal(""), whole(1, MAX_PORT)], `is not a number from 1 to ${MAX_PORT}`),
  ],
  METRICS_HOST: [
    "127.0.0.1",
    required((text) => /^[\w.:%-]+$/.test(text), "is not a host name or an IP address"),
  ],
  METRICS_TOKEN: ["", v.union([v.literal(""), secret(16)], "is shorter than 16 characters")],
  ACCESS_KEY: ["", v.pipe(list(accessKey), v.maxLength(8, "has more than 8 keys"))],
  REDIS_URL: [
    "",
    required((text) => text === "" || isRedisUrl(text), "is not a redis:// or rediss:// URL"),
  ],
  ICE_SERVERS: ["[]", iceServers],
  TURN_URLS: ["", v.pipe(list(iceUrl), v.maxLength(8, "has more than 8 URLs"))],
  TURN_SECRET: ["", v.union([v.literal(""), secret(16)], "is shorter than 16 characters")],
  STUN: [
    "on",
    v.pipe(v.string(), v.toLowerCase(), v.picklist(["on", "off"], "is neither on nor off")),
  ],
  STUN_PORT: [
    "",
    v.union([v.literal(""), whole(1, MAX_PORT)], `is not a number from 1 to ${MAX_PORT}`),
  ],
  STUN_HOST: [
    "",
    required(
      (text) => text === "" || /^(?:[\w.-]{1,200}|\[[\da-f:.]{2,45}\])$/i.test(text),
      "is not a host name, nor an address like 192.0.2.1 or [2001:db8::1]",
    ),
  ],
  RELAY: [
    "off",
    v.pipe(v.string(), v.toLowerCase(), v.picklist(["on", "off"], "is neither on nor off")),
  ],
  LIMIT_ROOMS: ["10000", whole(1, 10_000_000)],
  LIMIT_SOCKETS: ["25000", whole(1, 10_000_000)],
  LIMIT_SOCKETS_PER_IP: ["100", whole(1, 1_000_000)],
  LIMIT_UPGRADES_PER_MINUTE: ["60000", whole(1, 10_000_000)],
  LIMIT_UPGRADES_PER_MINUTE_PER_IP: ["240", whole(1, 1_000_000)],
  LIMIT_CREATIONS_PER_MINUTE: ["6000", whole(1, 10_000_000)],
  LIMIT_CREATIONS_PER_MINUTE_PER_IP: ["30", whole(1, 1_000_000)],
  LIMIT_FAILED_JOINS_PER_MINUTE: ["3000", whole(1, 10_000_000)],
  LIMIT_FAILED_JOINS_PER_MINUTE_PER_IP: ["20", whole(1, 1_000_000)],
  LIMIT_TURN_PER_MINUTE: ["6000", whole(1, 10_000_000)],
  LIMIT_TURN_PER_MINUTE_PER_IP: ["120", whole(1, 1_000_000)],
  LIMIT_MESSAGES_PER_SECOND: ["50", whole(10, 100_000)],
  LIMIT_SESSION_BYTES: ["2097152", whole(65_536, 1_000_000_000)],
  LIMIT_STUN_PER_MINUTE: ["120000", whole(1, 10_000_000)],
  LIMIT_STUN_PER_MINUTE_PER_IP: ["600", whole(1, 1_000_000)],
  LIMIT_RELAY_BYTES: ["268435456", whole(1_048_576, 9_000_000_000)],
  LIMIT_RELAY_BYTES_PER_SECOND: ["4194304", whole(65_536, 1_000_000_000)],
  LIMIT_RELAY_SECONDS: ["3600", whole(10, 3_600)],
  LIMIT_RELAY_BYTES_PER_MINUTE: ["4294967296", whole(1_048_576, 9_000_000_000)],
  LIMIT_RELAY_BYTES_PER_MINUTE_PER_IP: ["268435456", whole(1_048_576, 9_000_000_000)],
} as const satisfies Record<
  string,
  readonly [fallback: string, schema: v.GenericSchema<string, unknown>]
>;

/** Name of a setting. */
export type Variable = keyof typeof VARIABLES;

/** The parsed values of all settings. */
export type Config = { readonly [K in Variable]: v.InferOutput<(typeof VARIABLES)[K][1]> };

/** Names of all settings, with their defaults in the form in which they would be written. */
export const DEFAULTS: Readonly<Record<Variable, string>> = mapValues(([fallback]) => fallback);

/**
 * Maximum length of the configured servers in one `ice` message, in characters, not counting the
 * credentials.
 */
const MAX_ICE_LENGTH = 6_000;

/** Settings of a server that has rooms: with SIGNALING_ORIGIN this one has none. */
const OF_ROOMS = ["ALLOWED_ORIGINS", "ACCESS_KEY", "REDIS_URL", "TURN_URLS"] as const;

/** Settings whose values no error message may repeat. */
const SECRETS: readonly string[] = [
  "METRICS_TOKEN",
  "ACCESS_KEY",
  "REDIS_URL",
  "TURN_SECRET",
  "ICE_SERVERS",
];

function mapValues<T>(map: (entry: readonly [string, v.GenericSchema]) => T): Record<Variable, T> {
  const result = {} as Record<Variable, T>;
  for (const name of Object.keys(VARIABLES) as Variable[]) result[name] = map(VARIABLES[name]);
  return result;
}

/**
 * Parses an environment. An empty variable counts as not set. Throws {@linkcode ConfigError} that
 * lists all invalid values, and unknown names that differ from one of ours by at most two letters
 * or begin with `LIMIT_`. If there are none, it lists all invalid combinations.
 */
export function parseConfig(env: Readonly<Record<string, string>>): Config {
  const problems: string[] = unknownNames(Object.keys(env));
  const values = mapValues<unknown>(() => undefined);
  for (const name of Object.keys(VARIABLES) as Variable[]) {
    const [fallback, schema] = VARIABLES[name];
    const given = env[name]?.trim() ?? "";
    const result = v.safeParse(schema as v.GenericSchema<string, unknown>, given || fallback);
    if (result.success) values[name] = result.output;
    else problems.push(describe(name, given, result.issues[0].message));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const config = values as Config;
  const contradictions = findContradictions(config);
  if (contradictions.length > 0) throw new ConfigError(contradictions);
  return config;
}

function describe(name: string, value: string, what: string): string {
  return SECRETS.includes(name)
    ? `${name} is not valid: it ${what}`
    : `${name} is not valid: "${value}" ${what}`;
}

function findContradictions(config: Config): string[] {
  const problems: string[] = [];
  const together = (a: Variable, b: Variable) => {
    const [hasA, hasB] = [a, b].map((name) => String(config[name as Variable]) !== "");
    if (hasA && !hasB) problems.push(`${a} is set and ${b} is not: they go together`);
    if (hasB && !hasA) problems.push(`${b} is set and ${a} is not: they go together`);
  };
  together("TLS_CERT", "TLS_KEY");
  together("TURN_URLS", "TURN_SECRET");
  together("METRICS_PORT", "METRICS_TOKEN");
  if (config.TURN_URLS.some((url) => url.startsWith("stun"))) {
    problems.push("TURN_URLS is not valid: STUN needs no secret; its URLs belong into ICE_SERVERS");
  }
  for (const { urls, username, credential } of config.ICE_SERVERS) {
    const relay = urls.some((url) => /^turn/i.test(url));
    if ((username === undefined) !== (credential === undefined) || (relay && !username)) {
      problems.push(
        "ICE_SERVERS is not valid: TURN needs username and credential, " +
          "and neither goes without the other",
      );
      break;
    }
  }
  const iceLength = JSON.stringify([config.ICE_SERVERS, config.TURN_URLS]).length;
  if (iceLength > MAX_ICE_LENGTH) {
    problems.push("ICE_SERVERS and TURN_URLS are not valid: together they are too long");
  }
  if (config.TLS_CERT !== "" && config.PUBLIC_ORIGIN.some((origin) => origin.startsWith("http:"))) {
    problems.push(
      "PUBLIC_ORIGIN begins with http: and TLS_CERT is set: with it there is only https:",
    );
  }
  if (config.SIGNALING_ORIGIN !== "") {
    for (const name of OF_ROOMS) {
      if (config[name].length > 0) {
        problems.push(
          `${name} and SIGNALING_ORIGIN are set: the rooms are there, and so is ${name}`,
        );
      }
    }
    if (config.PUBLIC_ORIGIN.includes(config.SIGNALING_ORIGIN)) {
      problems.push("SIGNALING_ORIGIN is one of PUBLIC_ORIGIN: without it the rooms are here");
    }
  }
  for (
    const [part, all] of [
      ["LIMIT_SOCKETS_PER_IP", "LIMIT_SOCKETS"],
      ["LIMIT_UPGRADES_PER_MINUTE_PER_IP", "LIMIT_UPGRADES_PER_MINUTE"],
      ["LIMIT_CREATIONS_PER_MINUTE_PER_IP", "LIMIT_CREATIONS_PER_MINUTE"],
      ["LIMIT_FAILED_JOINS_PER_MINUTE_PER_IP", "LIMIT_FAILED_JOINS_PER_MINUTE"],
      ["LIMIT_TURN_PER_MINUTE_PER_IP", "LIMIT_TURN_PER_MINUTE"],
      ["LIMIT_RELAY_BYTES_PER_MINUTE_PER_IP", "LIMIT_RELAY_BYTES_PER_MINUTE"],
      ["LIMIT_STUN_PER_MINUTE_PER_IP", "LIMIT_STUN_PER_MINUTE"],
    ] as const
  ) {
    if (config[part] > config[all]) {
      problems.push(`${part} is greater than ${all}: nobody could reach it`);
    }
  }
  return problems;
}

/**
 * Names that look like a typo: they differ from one of ours by at most two letters, or have our
 * prefix.
 */
function unknownNames(names: readonly string[]): string[] {
  const known: readonly string[] = Object.keys(VARIABLES);
  return names.filter((name) => !known.includes(name)).flatMap((name) => {
    const meant = known.find((other) => other.length > 6 && distance(name, other) <= 2);
    if (meant !== undefined) return [`${name} is not a setting: ${meant} is meant, it seems`];
    return name.startsWith("LIMIT_") ? [`${name} is not a setting`] : [];
  });
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(
        Math.min(
          (next[j] ?? 0) + 1,
          (row[j + 1] ?? 0) + 1,
          (row[j] ?? 0) + (letter === other ? 0 : 1),
        ),
      );
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

let current: Config | null = null;

/**
 * The settings of this process. The first call throws {@linkcode ConfigError} if the environment is
 * invalid.
 */
export function config(): Config {
  return current ??= parseConfig(Deno.env.toObject());
}
