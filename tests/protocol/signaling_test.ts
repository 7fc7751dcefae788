import { toBase64Url } from "../../lib/protocol/bytes.ts";
import {
  MAX_RELAY_LENGTH,
  MAX_RETRY_S,
  MAX_SIGNAL_LENGTH,
  MAX_TTL_S,
  MIN_TTL_S,
} from "../../lib/protocol/limits.ts";
import {
  CODE_PATTERN,
  parseClientMessage,
  parseObject,
  parseServerMessage,
  ROOM_PATTERN,
} from "../../lib/protocol/signaling.ts";
import { assert, assertEquals } from "../support/assert.ts";

const B16 = toBase64Url(new Uint8Array(16).fill(0xa5));
const B32 = toBase64Url(new Uint8Array(32).fill(0x5a));
const LONGEST = "x".repeat(MAX_RELAY_LENGTH);

type Message = Record<string, unknown>;

const CLIENT: Record<string, Message> = {
  create: { t: "create", own: B32, join: B32, ttl: 600 },
  join: { t: "join", tok: B16 },
  joinByCode: { t: "join" },
  resume: { t: "resume", rtok: B32 },
  relay: { t: "relay", d: "abc" },
  delete: { t: "delete", otok: B32 },
  leave: { t: "leave" },
  dismiss: { t: "dismiss" },
  withdraw: { t: "withdraw" },
  outcome: { t: "outcome", way: "relayed" },
  pong: { t: "pong" },
};

const SERVERS = [{ urls: ["stun:a.example"] }, {
  urls: ["turns:b.example:443?transport=tcp", "turn:b.example"],
  username: "u",
  credential: "c",
}];

const SERVER: Record<string, Message> = {
  created: { t: "created", exp: 600, rtok: B32 },
  createdWithCode: { t: "created", exp: 600, rtok: B32, code: "4821" },
  createdWithSalt: { t: "created", exp: 600, rtok: B32, salt: B32 },
  joined: { t: "joined", rtok: B32 },
  joinedWithSalt: { t: "joined", rtok: B32, salt: B32 },
  peer: { t: "peer", up: true, by: "join" },
  relay: { t: "relay", d: "abc" },
  ice: { t: "ice", servers: SERVERS, exp: 3600 },
  gone: { t: "gone", why: "expired" },
  err: { t: "err", code: "no_peer" },
  ping: { t: "ping" },
};

/** Values that no field of any message may have. */
const JUNK: unknown[] = [
  undefined,
  null,
  {},
  [],
  [B32],
  -1,
  0.5,
  "",
  " ",
  "é",
  `${B32}=`,
  "a.b",
];

const PARSERS = [
  ["parseClientMessage", parseClientMessage, CLIENT],
  ["parseServerMessage", parseServerMessage, SERVER],
] as const;

for (const [name, parse, messages] of PARSERS) {
  Deno.test(`${name}() returns each of its messages`, () => {
    for (const message of Object.values(messages)) {
      assertEquals<unknown>(parse(JSON.stringify(message)), message);
    }
  });

  Deno.test(`${name}() drops fields that the message does not have`, () => {
    for (const message of Object.values(messages)) {
      const extra = JSON.stringify({ ...message, admin: true, constructor: 1, toJSON: 2 });
      assertEquals<unknown>(parse(extra), message);
      const polluted = JSON.stringify(message).replace("{", '{"__proto__":{"admin":true},');
      const parsed = parse(polluted);
      assertEquals<unknown>(parsed, message);
      assertEquals(Object.getPrototypeOf(parsed), Object.prototype);
    }
  });

  Deno.test(`${name}() refuses each message with any field missing or wrong`, () => {
    for (const message of Object.values(messages)) {
      for (const field of Object.keys(message)) {
        for (const value of JUNK) {
          // No ICE servers at all is a valid list.
          if (field === "servers" && Array.isArray(value) && value.length === 0) continue;
          // JSON drops these fields, and without them the message is another valid one.
          if (["tok", "code", "salt"].includes(field) && value === undefined) continue;
          const raw = JSON.stringify({ ...message, [field]: value });
          assertEquals({ raw, parsed: parse(raw) }, { raw, parsed: null });
        }
      }
    }
  });

  Deno.test(`${name}() refuses what is not an object, not JSON, or too long`, () => {
    const wrong = [
      "",
      " ",
      "null",
      "1",
      '"leave"',
      "[]",
      '[{"t":"leave"}]',
      "{",
      "{}",
      '{"t":"leave"}{"t":"leave"}',
      '{t:"leave"}',
      "{'t':'leave'}",
      '{"__proto__":{"t":"leave"}}',
      '{"__proto__":{"t":"ping"}}',
      '{"t":"LEAVE"}',
      '{"t":"toString"}',
      '{"t":["leave"]}',
      "[".repeat(8_000),
    ];
    for (const raw of wrong) assertEquals({ raw, parsed: parse(raw) }, { raw, parsed: null });
    const [message] = Object.values(messages);
    const padded = JSON.stringify(message).padEnd(MAX_SIGNAL_LENGTH);
    assert(parse(padded) !== null);
    assertEquals(parse(`${padded} `), null);
  });

  Deno.test(`${name}() bounds what is relayed`, () => {
    assertEquals<unknown>(parse(JSON.stringify({ t: "relay", d: LONGEST })), {
      t: "relay",
      d: LONGEST,
    });
    for (const d of [`${LONGEST}x`, "a b", "a+b", "a/b", "a=", "a\n", "\0"]) {
      assertEquals(parse(JSON.stringify({ t: "relay", d })), null);
    }
  });
}

Deno.test("neither parser accepts a message of the other direction", () => {
  for (const [type, message] of Object.entries(CLIENT)) {
    if (type !== "relay") assertEquals(parseServerMessage(JSON.stringify(message)), null);
  }
  for (const [type, message] of Object.entries(SERVER)) {
    if (type !== "relay") assertEquals(parseClientMessage(JSON.stringify(message)), null);
  }
});

Deno.test("parseClientMessage() accepts a ttl from a minute to an hour", () => {
  const create = (ttl: number) => parseClientMessage(JSON.stringify({ ...CLIENT["create"], ttl }));
  for (const ttl of [MIN_TTL_S, MAX_TTL_S]) assert(create(ttl) !== null);
  for (const ttl of [MIN_TTL_S - 1, MAX_TTL_S + 1, 1e9]) assertEquals(create(ttl), null);
});

Deno.test("parseClientMessage() accepts only tokens of their own length", () => {
  const wrong: Message[] = [
    { t: "join", tok: B32 },
    { t: "resume", rtok: B16 },
    { t: "delete", otok: B16 },
    { t: "create", own: B16, join: B32, ttl: 60 },
    { t: "create", own: B32, join: B16, ttl: 60 },
  ];
  for (const message of wrong) assertEquals(parseClientMessage(JSON.stringify(message)), null);
});

Deno.test("parseServerMessage() accepts 4 to 8 digits as a code", () => {
  const created = (code: string) =>
    parseServerMessage(JSON.stringify({ ...SERVER["createdWithCode"], code }));
  for (const code of ["0000", "4821", "12345678"]) assert(created(code) !== null, code);
  for (const code of ["482", "123456789", "48 21", "4821\n", "٤٨٢١", "48a1", "-482"]) {
    assertEquals(created(code), null);
  }
});

Deno.test("no room of a link has the address of a code", () => {
  assert(!CODE_PATTERN.test("12345678901234567890Aw") && !ROOM_PATTERN.test("12345678"));
});

Deno.test("parseServerMessage() accepts ICE servers of known schemes, few and short", () => {
  const ice = (...servers: unknown[]) =>
    parseServerMessage(JSON.stringify({ t: "ice", servers, exp: 60 }));
  const [stun] = SERVERS;
  assert(ice() !== null && ice(...Array(8).fill(stun)) !== null);
  const wrong: unknown[][] = [
    Array(9).fill(stun),
    [null],
    ["stun:a.example"],
    [{}],
    [{ urls: "stun:a.example" }],
    [{ urls: [] }],
    [{ urls: Array(9).fill("stun:a.example") }],
    [{ urls: ["http://a.example"] }],
    [{ urls: ["javascript:1"] }],
    [{ urls: [" stun:a.example"] }],
    [{ urls: [7] }],
    [{ urls: [`stun:${"a".repeat(252)}`] }],
    [{ urls: ["turn:a.example"], username: "u" }],
    [{ urls: ["turn:a.example"], credential: "c" }],
    [{ urls: ["turn:a.example"], username: 1, credential: "c" }],
  ];
  for (const servers of wrong) assertEquals(ice(...servers), null);
});

Deno.test("parseServerMessage() accepts each known cause, reason and code", () => {
  const valid: Message[] = [
    ...["join", "resume", "lost", "leave"].map((by) => ({ t: "peer", up: false, by })),
    ...["deleted", "expired", "lost"].map((why) => ({ t: "gone", why })),
    ...["refused", "busy", "no_peer"].map((code) => ({ t: "err", code })),
    ...[1, MAX_RETRY_S].map((retry) => ({ t: "err", code: "busy", retry })),
  ];
  for (const message of valid) {
    assertEquals<unknown>(parseServerMessage(JSON.stringify(message)), message);
  }
  for (const retry of [0, -1, 1.5, MAX_RETRY_S + 1, "1", null]) {
    assertEquals(parseServerMessage(JSON.stringify({ t: "err", code: "busy", retry })), null);
  }
});

Deno.test("parseObject() checks the length before it parses", () => {
  assertEquals(parseObject('{"a":1}', 7), { a: 1 });
  assertEquals(parseObject('{"a":1}', 6), null);
});

Deno.test("ROOM_PATTERN accepts the canonical base64url of 16 bytes and nothing else", () => {
  for (let last = 0; last < 256; last++) {
    assert(ROOM_PATTERN.test(toBase64Url(new Uint8Array(16).fill(last))));
  }
  const stem = "A".repeat(21);
  const wrong = [
    "",
    stem,
    `${stem}AA`,
    `${stem}B`,
    `${stem}A\n`,
    ` ${stem}A`,
    `${stem.slice(1)}/A`,
  ];
  for (const room of wrong) {
    assertEquals({ room, ok: ROOM_PATTERN.test(room) }, { room, ok: false });
  }
});
