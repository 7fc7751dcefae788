import { ConfigError, DEFAULTS, parseConfig } from "../../lib/ops/config.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";

function problems(env: Record<string, string>): readonly string[] {
  return assertThrows(() => parseConfig(env), ConfigError).problems;
}

Deno.test("parseConfig() uses defaults for an empty environment and empty variables", () => {
  const config = parseConfig({});
  assertEquals(
    parseConfig(Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, " "]))),
    config,
  );
  assertEquals([config.PORT, config.HOST, config.LOG_LEVEL], [3000, "", "info"]);
  assertEquals([config.PUBLIC_ORIGIN, config.TRUSTED_PROXIES, config.TURN_URLS], [[], [], []]);
  assertEquals([config.ICE_SERVERS, config.REDIS_URL, config.ACCESS_KEY], [[], "", []]);
  assert(config.LIMIT_ROOMS > 0);
});

Deno.test("parseConfig() ignores variables of other programs", () => {
  const env = { PATH: "/bin", REDIS_PORT: "tcp://10.0.0.1:6379", NODE_ENV: "x", HOSTNAME: "h" };
  assertEquals(parseConfig(env), parseConfig({}));
});

const GOOD: readonly (readonly [string, string, unknown])[] = [
  ["PORT", "0", 0],
  ["PORT", "65535", 65_535],
  ["HOST", "::1", "::1"],
  ["HOST", "fe80::1%eth0", "fe80::1%eth0"],
  ["HOST", "a-b.example", "a-b.example"],
  ["LOG_LEVEL", "WARN", "warn"],
  ["PUBLIC_ORIGIN", "https://a.example, http://b.example:8080", [
    "https://a.example",
    "http://b.example:8080",
  ]],
  ["TRUSTED_PROXIES", "10.0.0.0/8, ::1 ,192.0.2.7", [
    { address: "10.0.0.0", prefix: 8 },
    { address: "::1", prefix: 128 },
    { address: "192.0.2.7", prefix: 32 },
  ]],
  ["REDIS_URL", "rediss://user:pw@h.example:6380/1", "rediss://user:pw@h.example:6380/1"],
  ["ICE_SERVERS", '[{"urls":["stun:a.example"]}]', [{ urls: ["stun:a.example"] }]],
  ["ICE_SERVERS", '[{"urls":["turn:[::1]:3478"],"username":"u","credential":"c"}]', [
    { urls: ["turn:[::1]:3478"], username: "u", credential: "c" },
  ]],
  ["ACCESS_KEY", "a long enough key, the next key", ["a long enough key", "the next key"]],
  ["ALLOWED_ORIGINS", "https://a.example,https://b.example", [
    "https://a.example",
    "https://b.example",
  ]],
  ["SIGNALING_ORIGIN", "https://signal.example", "https://signal.example"],
  ["LIMIT_ROOMS", "7", 7],
];

for (const [name, value, parsed] of GOOD) {
  Deno.test(`parseConfig() accepts ${name}=${value}`, () => {
    const config: Record<string, unknown> = { ...parseConfig({ [name]: value }) };
    assertEquals(config[name], parsed);
  });
}

const LONG_URL = `stun:${"a".repeat(190)}`;

const BAD: readonly (readonly [string, string])[] = [
  ...["65536", "-1", "80.5", "http", "0x50", "1e3"].map((port) => ["PORT", port] as const),
  ...["http://x", "a b", "x/y"].map((host) => ["HOST", host] as const),
  ["LOG_LEVEL", "loud"],
  ...["a.example", "https://a.example/", "https://A.example", "ftp://a.example", "*"].map((o) =>
    ["PUBLIC_ORIGIN", o] as const
  ),
  ["PUBLIC_ORIGIN", "https://a.example:443"],
  ...["10.0.0.0/33", "10.0.0", "256.0.0.1", "::1/129", "proxy.example", "10.0.0.0/8/8", "1.2.3.4."]
    .map((network) => ["TRUSTED_PROXIES", network] as const),
  ["ALLOWED_ORIGINS", "https://p.example/"],
  ["SIGNALING_ORIGIN", "https://s.example/"],
  ["SIGNALING_ORIGIN", "https://s.example,https://t.example"],
  ["SIGNALING_ORIGIN", "wss://s.example"],
  ["REDIS_URL", "http://h.example"],
  ["REDIS_URL", "h.example:6379"],
  ...[
    "{}",
    "[",
    '[{"urls":"stun:a"}]',
    '[{"urls":[]}]',
    '[{"urls":["http://a"]}]',
    '[{"url":["stun:a"]}]',
    '[{"urls":["turn:a?transport=sctp"],"username":"u","credential":"c"}]',
    '[{"urls":["stun:a?transport=udp"]}]',
    '[{"urls":["turn://a"],"username":"u","credential":"c"}]',
    JSON.stringify(Array(8).fill({ urls: ["stun:a"] })),
  ]
    .map((servers) => ["ICE_SERVERS", servers] as const),
  ["ACCESS_KEY", "eleven sign"],
  ["ACCESS_KEY", "a long enough key,short"],
  ["ACCESS_KEY", "111111111111"],
  ["ACCESS_KEY", "abababababababab"],
  ["METRICS_TOKEN", "short"],
  ["LIMIT_ROOMS", "0"],
  ["LIMIT_ROOMS", "many"],
];

for (const [name, value] of BAD) {
  Deno.test(`parseConfig() refuses ${name}=${value}, and names it`, () => {
    const [problem, ...more] = problems({ [name]: value });
    assertEquals(more, []);
    assert(problem?.startsWith(`${name} is not valid: `) === true, problem);
  });
}

Deno.test("parseConfig() reports everything that is wrong at once", () => {
  assertEquals(problems({ PORT: "x", LOG_LEVEL: "loud", LIMIT_ROOM: "1" }).length, 3);
});

Deno.test("parseConfig() refuses what contradicts itself", () => {
  for (
    const env of [
      { TLS_CERT: "tls/cert.pem" },
      { TLS_KEY: "tls/key.pem" },
      { TURN_URLS: "turn:a.example" },
      { TURN_SECRET: "0123456789abcdef" },
      { TURN_URLS: "stun:a.example", TURN_SECRET: "0123456789abcdef" },
      { ICE_SERVERS: '[{"urls":["turn:a.example"]}]' },
      { ICE_SERVERS: '[{"urls":["turn:a.example"],"username":"u"}]' },
      { ICE_SERVERS: '[{"urls":["stun:a.example"],"credential":"c"}]' },
      { ICE_SERVERS: JSON.stringify(Array(7).fill({ urls: Array(8).fill(LONG_URL) })) },
      { TLS_CERT: "c", TLS_KEY: "k", PUBLIC_ORIGIN: "http://a.example" },
      { LIMIT_SOCKETS: "10", LIMIT_SOCKETS_PER_IP: "11" },
      { METRICS_PORT: "9464" },
      { METRICS_TOKEN: "0123456789abcdef" },
      { SIGNALING_ORIGIN: "https://s.example", ALLOWED_ORIGINS: "https://p.example" },
      { SIGNALING_ORIGIN: "https://s.example", ACCESS_KEY: "a key that is long enough" },
      { SIGNALING_ORIGIN: "https://s.example", REDIS_URL: "redis://h.example" },
      { SIGNALING_ORIGIN: "https://s.example", PUBLIC_ORIGIN: "https://s.example" },
    ]
  ) assertEquals({ env, count: problems(env).length }, { env, count: 1 });
});

Deno.test("parseConfig() finds typing errors", () => {
  for (
    const [slip, meant] of [
      ["TURN_URL", "TURN_URLS"],
      ["PUBLIC_ORIGINS", "PUBLIC_ORIGIN"],
      ["TRUSTED_PROXY", null],
      ["ACCES_KEY", "ACCESS_KEY"],
      ["LIMIT_SOCKET", "LIMIT_SOCKETS"],
      ["LIMIT_EVERYTHING", ""],
    ] as const
  ) {
    if (meant === null) {
      assertEquals(parseConfig({ [slip]: "1" }), parseConfig({}));
      continue;
    }
    const [problem] = problems({ [slip]: "1" });
    assert(problem?.startsWith(`${slip} is not a setting`) === true, problem);
    assert(problem?.includes(meant) === true, problem);
  }
});

Deno.test("no message repeats a secret", () => {
  const secrets = {
    ACCESS_KEY: "hunter2",
    METRICS_TOKEN: "hunter2",
    TURN_SECRET: "hunter2",
    REDIS_URL: "http://u:hunter2@h",
    ICE_SERVERS: '[{"credential":"hunter2"}]',
  };
  const told = problems(secrets);
  assertEquals(told.length, 5);
  assert(!told.join().includes("hunter2"), told.join());
});
