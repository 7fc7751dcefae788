/**
 * Parsers accept any input: they throw only the documented error, and return a part of their input,
 * in a fresh object with known fields.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { type Bytes, concat, fromBase64Url, toBase64Url } from "../../lib/protocol/bytes.ts";
import {
  type ControlMessage,
  IMAGE_TYPES,
  parseControlMessage,
} from "../../lib/protocol/control.ts";
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from "../../lib/protocol/limits.ts";
import {
  CHUNK_SIZE,
  chunkCount,
  chunkLength,
  encodeHeader,
  HEADER_LENGTH,
  parseHeader,
  TAG_LENGTH,
} from "../../lib/protocol/record.ts";
import { parseRepairMessage, type RepairMessage } from "../../lib/protocol/repair.ts";
import {
  type ClientMessage,
  parseClientMessage,
  parseServerMessage,
  type ServerMessage,
} from "../../lib/protocol/signaling.ts";
import { formatLink, parseFragment } from "../../lib/e2e/link.ts";
import { ProtocolError } from "../../lib/e2e/suite.ts";
import { IMAGE_PROBLEMS, ImageError } from "../../lib/image/errors.ts";
import {
  parseAvif,
  parseGif,
  parseJpeg,
  parsePng,
  type Parser,
  parseWebp,
} from "../../lib/image/headers.ts";
import { neutralProfile } from "../../lib/image/icc.ts";
import { inspectBlob, inspectImage } from "../../lib/image/inspect.ts";
import { type Cleaned, stripMetadata } from "../../lib/image/strip.ts";
import {
  checkSdp,
  decodeCandidate,
  parseFingerprint,
  sdpFingerprint,
} from "../../lib/connection/sdp.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import { animatedGif, avif, flatPng, svg, withExif } from "../support/image_bytes.ts";
import { PLANTED } from "../support/notes.ts";
import { PROFILES } from "../support/profiles.ts";
import {
  anyText,
  clientMessage,
  controlMessage,
  repairMessage,
  serverMessage,
} from "./messages.ts";
import type { Property } from "./property.ts";

// JSON messages

/** True if a value is valid in a field. */
type Shape = (value: unknown) => boolean;

type Fields = Readonly<Record<string, Shape>>;

/** A parser of one direction. */
interface MessageParser<T extends { readonly t: string }> {
  readonly parse: (raw: string) => T | null;
  readonly valid: fc.Arbitrary<T>;
  /** The fields of each message without `t`; those that end in "?" are optional. */
  readonly fields: Readonly<Record<T["t"], Fields>>;
  /** Constraints between the fields of a message. */
  readonly sound?: (message: T) => boolean;
}

function matching(pattern: RegExp): Shape {
  return (value) => typeof value === "string" && pattern.test(value);
}

function whole(min: number, max: number): Shape {
  return (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
}

function oneOf(...values: readonly unknown[]): Shape {
  return (value) => values.includes(value);
}

function text(max: number): Shape {
  return (value) => typeof value === "string" && value.length <= max;
}

function listOf(shape: Shape, min: number, max: number): Shape {
  return (value) =>
    Array.isArray(value) && value.length >= min && value.length <= max && value.every(shape);
}

/** A plain object with these fields and no others. */
function object(fields: Fields): Shape {
  return (value) => {
    if (typeof value !== "object" || value === null) return false;
    if (Object.getPrototypeOf(value) !== Object.prototype) return false;
    const names = Object.keys(fields).map((name) => name.replace("?", ""));
    return Reflect.ownKeys(value).every((name) =>
      typeof name === "string" && names.includes(name)
    ) &&
      Object.entries(fields).every(([name, shape]) => {
        const key = name.replace("?", "");
        return Object.hasOwn(value, key) ? shape(Reflect.get(value, key)) : name.endsWith("?");
      });
  };
}

const TOKEN_16 = matching(/^[A-Za-z0-9_-]{21}[AQgw]$/);
const TOKEN_32 = matching(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/);
const RELAYED = matching(/^[A-Za-z0-9_-]{1,6144}$/);
const DATA: Shape = (value) =>
  typeof value === "string" && value.length <= 87_388 && /^[A-Za-z0-9_-]+$/.test(value);

const CLIENT: MessageParser<ClientMessage> = {
  parse: parseClientMessage,
  valid: clientMessage,
  fields: {
    create: { own: TOKEN_32, join: TOKEN_32, ttl: whole(60, 3_600) },
    join: { "tok?": TOKEN_16 },
    resume: { rtok: TOKEN_32 },
    relay: { d: RELAYED },
    data: { d: DATA },
    delete: { otok: TOKEN_32 },
    leave: {},
    dismiss: {},
    withdraw: {},
    outcome: { way: oneOf("direct", "relayed", "server", "failed") },
    pong: {},
  },
};

const URLS = listOf(matching(/^(stun|turn)s?:/), 1, 8);
const ICE_SERVER: Shape = (value) =>
  object({ urls: URLS })(value) ||
  object({ urls: URLS, username: text(8_192), credential: text(8_192) })(value);

const SERVER: MessageParser<ServerMessage> = {
  parse: parseServerMessage,
  valid: serverMessage,
  fields: {
    created: {
      exp: whole(0, 3_600),
      rtok: TOKEN_32,
      "salt?": TOKEN_32,
      "code?": matching(/^[0-9]{4,8}$/),
    },
    joined: { rtok: TOKEN_32, "salt?": TOKEN_32 },
    peer: { up: oneOf(true, false), by: oneOf("join", "resume", "lost", "leave") },
    relay: { d: RELAYED },
    data: { d: DATA },
    ice: { servers: listOf(ICE_SERVER, 0, 8), exp: whole(0, 86_400), "relay?": oneOf(true) },
    gone: { why: oneOf("deleted", "expired", "lost") },
    err: { code: oneOf("refused", "busy", "no_peer"), "retry?": whole(1, 3_600) },
    ping: {},
  },
};

const K = whole(1, 2 ** 32 - 1);

const REPAIR: MessageParser<RepairMessage> = {
  parse: parseRepairMessage,
  valid: repairMessage,
  fields: {
    ask: {},
    offer: { k: K, sdp: text(6_144) },
    answer: { k: K, sdp: text(6_144) },
    candidate: { c: text(6_144) },
    relay: { k: K },
  },
};

const NUMBER = whole(0, 19);

const CONTROL: MessageParser<ControlMessage> = {
  parse: parseControlMessage,
  valid: controlMessage,
  fields: {
    meta: {
      n: NUMBER,
      type: oneOf("image/jpeg", "image/png", "image/webp", "image/avif", "image/gif"),
      size: whole(1, 2 ** 26),
      w: whole(1, 16_384),
      h: whole(1, 16_384),
      "name?": text(255),
      "alt?": text(500),
      "caption?": text(300),
      view: object({
        seconds: whole(0, 600),
        hold: oneOf(true, false),
        mark: text(80),
        ask: oneOf(true, false),
      }),
    },
    end: { n: NUMBER, digest: TOKEN_32 },
    got: { n: NUMBER },
    open: { n: NUMBER },
    key: { n: NUMBER, key: TOKEN_32 },
    shown: { n: NUMBER },
    back: {
      next: whole(0, 20),
      "last?": object({
        n: whole(0, 19),
        why: oneOf("timer", "user", "hidden", "revoked", "left"),
        ms: whole(0, 86_400_000),
      }),
    },
    closed: {
      n: NUMBER,
      why: oneOf("timer", "user", "hidden", "revoked", "left"),
      ms: whole(0, 86_400_000),
    },
    revoke: { "n?": NUMBER, "all?": oneOf(true) },
    more: { n: NUMBER },
    extend: { n: NUMBER, seconds: whole(1, 600) },
    keep: { on: oneOf(true, false) },
    bye: { why: oneOf("done", "burned", "left", "mismatch") },
    abort: {
      code: oneOf("protocol", "corrupt", "undecodable", "too_large", "timeout"),
      "n?": NUMBER,
    },
  },
  sound: (message) => {
    switch (message.t) {
      case "meta":
        return message.w * message.h <= 40_000_000;
      case "revoke":
        return "n" in message !== "all" in message;
      default:
        return true;
    }
  },
};

/** Names of all fields of all messages. */
function namesIn(fields: Readonly<Record<string, Fields>>): string[] {
  const names = Object.values(fields).flatMap((item) => Object.keys(item));
  return [...new Set(["t", ...names.map((name) => name.replace("?", ""))])];
}

/** Fields of objects inside of a message: `view`, and each of `servers`. */
const INNER_FIELDS = ["seconds", "hold", "mark", "urls", "username", "credential"];

/** Names that every object has, and that no parser reads. */
const STRANGE_NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "then", ""];

type Entry = readonly [name: string, value: unknown];

/** JSON with these fields in this order; names may repeat, which no object can express. */
function jsonOf(entries: readonly Entry[]): string {
  const fields = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${fields.join(",")}}`;
}

/**
 * Puts `value` next to something inside of `whole`, or in its place; the digits of `way` select
 * where.
 */
function replacedIn(whole: unknown, way: number, value: unknown): unknown {
  if (typeof whole !== "object" || whole === null) return value;
  if (way % 13 === 0 && !Array.isArray(whole)) return { ...whole, foreign: value };
  const names = Object.keys(whole);
  const name = names[way % Math.max(1, names.length)];
  if (name === undefined) return value;
  const inside: unknown = Reflect.get(whole, name);
  const deeper = typeof inside === "object" && inside !== null && Math.floor(way / 100) % 3 > 0;
  const next = deeper ? replacedIn(inside, Math.floor(way / 300), value) : value;
  if (Array.isArray(whole)) return whole.with(Number(name), next);
  return { ...whole, [name]: next };
}

/** Texts from valid to hopeless. */
function rawMessage<T extends { readonly t: string }>(
  { valid, fields }: MessageParser<T>,
): fc.Arbitrary<string> {
  const known = [...namesIn(fields), ...INNER_FIELDS];
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(null, {}, [], "", true),
    fc.constantFrom<unknown>(-1, -0, 0.5, 16_384, 16_385, 40_000_000, 2 ** 53, 1e300),
    valid.map((message) => Object.values(message).at(-1)),
  );
  const extra: fc.Arbitrary<Entry> = fc.tuple(fc.constantFrom(...known, ...STRANGE_NAMES), value);
  // A valid message, some of whose fields are repeated with another value, before or after the
  // right one.
  const disturbed = fc.tuple(valid, fc.array(extra, { maxLength: 4 }), fc.nat(12)).map(
    ([message, extras, at]) => {
      const entries: Entry[] = Object.entries(message);
      entries.splice(at % (entries.length + 1), 0, ...extras);
      return jsonOf(entries);
    },
  );
  const replaced = fc.tuple(
    valid,
    fc.array(fc.tuple(fc.nat(), value), { minLength: 1, maxLength: 2 }),
  )
    .map(([message, changes]) =>
      JSON.stringify(
        changes.reduce<unknown>((whole, [way, value]) => replacedIn(whole, way, value), message),
      )
    );
  const cut = fc.tuple(disturbed, fc.nat(), fc.nat(3), anyText(3)).map(
    ([raw, at, length, text]) => {
      const start = at % (raw.length + 1);
      return raw.slice(0, start) + text + raw.slice(start + length);
    },
  );
  return fc.oneof(
    { weight: 2, arbitrary: valid.map((message) => JSON.stringify(message)) },
    { weight: 6, arbitrary: replaced },
    { weight: 4, arbitrary: disturbed },
    { weight: 2, arbitrary: cut },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: anyText(40) },
  );
}

/** Fails if `part` contains anything that `whole` does not contain in the same place. */
function assertPart(part: unknown, whole: unknown, path: string): void {
  if (typeof part !== "object" || part === null) {
    return assert(Object.is(part, whole), `${path} was not in the input`);
  }
  assert(typeof whole === "object" && whole !== null, `${path} was not in the input`);
  if (Array.isArray(part)) {
    assert(Array.isArray(whole) && whole.length === part.length, `${path} has another length`);
  }
  for (const [name, value] of Object.entries(part)) {
    assert(Object.hasOwn(whole, name), `${path}.${name} was not in the input`);
    assertPart(value, Reflect.get(whole, name), `${path}.${name}`);
  }
}

function parserProperty<T extends { readonly t: string }>(
  parser: MessageParser<T>,
): fc.IRawProperty<unknown> {
  const { parse, fields, sound } = parser;
  const known: Readonly<Record<string, Fields>> = fields;
  return fc.property(rawMessage(parser), (raw) => {
    const message = parse(raw);
    if (message === null) return;
    assertPart(message, JSON.parse(raw), "message");
    const expected = known[message.t];
    assert(expected !== undefined, `there is no message ${message.t}`);
    assert(object({ t: oneOf(message.t), ...expected })(message), "a field is not as it has to be");
    assert(sound?.(message) ?? true, "its fields don't go together");
    const again = JSON.stringify(message);
    assertEquals(JSON.stringify(parse(again)), again);
    assertEquals(Object.keys(Object.prototype), []);
  });
}

/** Unknown fields change nothing; their names are not those of a message or a nested object. */
function acceptsProperty<T extends { readonly t: string }>(
  { parse, valid, fields }: MessageParser<T>,
): fc.IRawProperty<unknown> {
  const known = namesIn(fields);
  const name = fc.oneof(fc.constantFrom(...STRANGE_NAMES), fc.string({ maxLength: 6 }))
    .filter((text) => !known.includes(text));
  const extras = fc.array(fc.tuple(name, fc.jsonValue({ maxDepth: 1 })), { maxLength: 3 });
  return fc.property(valid, extras, (message, extra) => {
    const raw = jsonOf([...extra, ...Object.entries(message)]);
    assertEquals<unknown>(parse(raw), { ...message });
  });
}

// Bytes and links

const base64Url = fc.property(
  fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_-]{0,50}$/),
    fc.tuple(fc.stringMatching(/^[A-Za-z0-9_-]{0,20}$/), anyText(2)).map((parts) => parts.join("")),
    anyText(20),
  ),
  fc.uint8Array({ maxLength: 70 }),
  (text, bytes) => {
    const read = fromBase64Url(text);
    if (read !== null) assertEquals(toBase64Url(read), text);
    assertEquals(fromBase64Url(toBase64Url(bytes)), concat(bytes));
  },
);

const fragments = fc.property(
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  fc.oneof(
    fc.tuple(fc.constantFrom("#", "", "#1.", "1."), fc.stringMatching(/^[A-Za-z0-9_-]{41,45}$/))
      .map((parts) => parts.join("")),
    fc.tuple(
      fc.constantFrom("#1.", "1."),
      fc.stringMatching(/^[A-Za-z0-9_-]{42}[AEIM]$/),
      anyText(1),
    )
      .map((parts) => parts.join("")),
    anyText(50),
  ),
  (secret, text) => {
    const { hash } = new URL(formatLink("https://example.org", concat(secret)));
    assertEquals(parseFragment(hash), concat(secret));
    const read = parseFragment(text);
    if (read === null) return;
    assertEquals(read.length, 32);
    assertEquals(`1.${toBase64Url(read)}`, text.replace(/^#/, ""));
  },
);

const recordHeaders = fc.property(
  fc.uint8Array({ maxLength: 60 }),
  fc.nat(20),
  (bytes, offset) => {
    // A view of something larger: only its own bytes may count.
    const record = bytes.subarray(Math.min(offset, bytes.length));
    const header = parseHeader(record);
    assertEquals(header === null, record.length < HEADER_LENGTH + TAG_LENGTH);
    if (header !== null) assertEquals(encodeHeader(header), record.slice(0, HEADER_LENGTH));
  },
);

const chunks = fc.property(fc.integer({ min: 1, max: 20 * CHUNK_SIZE }), (size) => {
  const lengths = Array.from({ length: chunkCount(size) }, (_, index) => chunkLength(size, index));
  assertEquals(lengths.reduce((sum, length) => sum + length, 0), size);
  for (const [i, length] of lengths.entries()) {
    assert(i === lengths.length - 1 ? length > 0 && length <= CHUNK_SIZE : length === CHUNK_SIZE);
  }
});

// SDP and candidates

/** `AB:CD:…` */
function fingerprintText(bytes: Uint8Array): string {
  return (encodeHex(bytes).toUpperCase().match(/../g) ?? []).join(":");
}

const fingerprint = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => concat(bytes));

/** An SDP as Chromium writes it. */
function honestSdp(own: Bytes, newline: string): string {
  return [
    "v=0",
    "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    "a=ice-ufrag:abcd",
    `a=fingerprint:sha-256 ${fingerprintText(own)}`,
    "a=setup:actpass",
    "a=sctp-port:5000",
    "",
  ].join(newline);
}

/** What an attacker may put into an SDP, as a line of its own or into the middle of one. */
const sdpPiece = fc.oneof(
  fingerprint.map((bytes) => `a=fingerprint:sha-256 ${fingerprintText(bytes)}`),
  fingerprint.map((bytes) => `A=Fingerprint:SHA-256 ${fingerprintText(bytes)}`),
  fingerprint.map((bytes) => `a=fingerprint:sha-512 ${fingerprintText(bytes)}`),
  fc.constantFrom(
    "a=fingerprint:",
    "a=fingerprint:sha-256 00:11",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "M=video",
    "a=setup:active",
  ),
  anyText(30),
);

const sdps = fc.property(
  fingerprint,
  fc.constantFrom("\r\n", "\n", "\r"),
  fc.array(
    fc.record({
      at: fc.nat(),
      length: fc.oneof(fc.constant(0), fc.nat(90)),
      piece: sdpPiece,
      newline: fc.constantFrom("\r\n", "\n", "\r", "", " "),
    }),
    { maxLength: 4 },
  ),
  fc.nat(255),
  (own, newline, edits, bit) => {
    checkSdp(honestSdp(own, newline), own);
    const foreign = own.with(bit >> 3, (own[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
    assertThrowsNothingElse(() => checkSdp(honestSdp(own, newline), foreign), false);
    let sdp = honestSdp(own, newline);
    for (const { at, length, piece, newline } of edits) {
      const start = at % (sdp.length + 1);
      sdp = sdp.slice(0, start) + newline + piece + newline + sdp.slice(start + length);
    }
    const accepted = assertThrowsNothingElse(() => checkSdp(sdp, own), true);
    // However a parser of SDP breaks lines, it finds one fingerprint, ours, and one m-line.
    const named = sdp.split(/[\r\n]+/).filter((line) => /^a=fingerprint/i.test(line));
    const media = sdp.split(/[\r\n]+/).filter((line) => /^m=/i.test(line));
    if (!accepted) return;
    assertEquals(named.map((line) => line.toLowerCase()), [
      `a=fingerprint:sha-256 ${fingerprintText(own).toLowerCase()}`,
    ]);
    assert(media.length === 1 && media[0]?.startsWith("m=application ") === true, media.join());
    assertEquals(sdpFingerprint(sdp), own);
  },
);

/**
 * Runs `check`: true if it returns, false if it throws a ProtocolError; fails otherwise, and if it
 * may not return.
 */
function assertThrowsNothingElse(check: () => unknown, mayReturn: boolean): boolean {
  try {
    check();
  } catch (error) {
    assert(error instanceof ProtocolError, String(error));
    return false;
  }
  assert(mayReturn, "it was accepted");
  return true;
}

const fingerprints = fc.property(
  fingerprint,
  fc.oneof(
    fc.stringMatching(/^([0-9a-fA-F]{2}:){30,32}[0-9a-fA-F]{2}$/),
    fc.stringMatching(/^([0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2}.?$/s),
    anyText(100),
  ),
  (bytes, text) => {
    assertEquals(parseFingerprint(fingerprintText(bytes)), bytes);
    const read = parseFingerprint(text);
    if (read === null) return;
    assertEquals(read.length, 32);
    assertEquals(fingerprintText(read), text.toUpperCase());
  },
);

const candidates = fc.property(
  fc.oneof(
    fc.constant(""),
    fc.string({ maxLength: 1_100 }).map((text) => `candidate:${text}`),
    fc.tuple(fc.string({ maxLength: 60 }), anyText(3)).map(([a, b]) => `candidate:${a}${b}`),
    anyText(40),
  ),
  (text) => {
    let read: RTCIceCandidateInit | null = null;
    if (!assertThrowsNothingElse(() => read = decodeCandidate(text), true)) return;
    if (text === "") return assertEquals(read, null);
    assertEquals<RTCIceCandidateInit | null>(read, { candidate: text, sdpMLineIndex: 0 });
    assert(!/[\r\n]/.test(text), "a candidate of two lines");
  },
);

// Pictures

function u16(value: number): number[] {
  return [value >>> 8, value & 0xff];
}

function chars(text: string): number[] {
  return Array.from(text, (char) => char.charCodeAt(0));
}

/** A JPEG of one scan, as far as headers go. */
const JPEG = new Uint8Array([
  ...[0xff, 0xd8, 0xff, 0xe2, ...u16(4), 1, 2],
  ...[0xff, 0xc0, ...u16(11), 8, ...u16(480), ...u16(640), 1, 1, 0x11, 0],
  ...[0xff, 0xda, ...u16(8), 1, 1, 0, 0, 63, 0, 1, 2, 0xff, 0, 3, 0xff, 0xd9],
]);

function webp(kind: string, payload: readonly number[]): Uint8Array {
  const size = (length: number) => [length & 0xff, length >>> 8, 0, 0];
  const body = [...chars(`WEBP${kind}`), ...size(payload.length), ...payload];
  return new Uint8Array([...chars("RIFF"), ...size(body.length), ...body]);
}

/** Real headers of every known format. */
const PICTURES: readonly Bytes[] = [
  JPEG,
  withExif(JPEG, { orientation: 6, latitude: 1, longitude: 2 }),
  flatPng(64, 48),
  animatedGif(64, 48, 1),
  avif(),
  webp("VP8 ", [0, 0, 0, 0x9d, 1, 0x2a, 64, 0, 48, 0, ...new Array<number>(20).fill(1)]),
  webp("VP8L", [0x2f, 63, 0xc0, 0x0b, 0, 0, 0, 0, 0, 0]),
  webp("VP8X", [0, 0, 0, 0, 63, 0, 0, 47, 0, 0]),
  svg(),
].map((bytes) => concat(bytes));

/** Segments, boxes and blocks that are too short, and bytes that break loops. */
const PIECES = [
  [0xff, 0xe1, 0, 0],
  [0xff, 0xe1, 0, 1],
  [0xff, 0xe1, 0, 8],
  [0xff, 0xff],
  [0, 0, 0, 0],
  [0, 0, 0, 1],
  [0, 0, 0, 7],
  [0xff, 0xff, 0xff, 0xff],
  [0x21, 0xfe, 0],
  [0xff],
].map((bytes) => new Uint8Array(bytes));

/**
 * Changes in the first bytes are those that headers care about; 0, 0xff and lengths have the most
 * effect.
 */
const damaged = fc.tuple(
  fc.constantFrom(...PICTURES),
  fc.array(
    fc.record({
      at: fc.oneof(fc.nat(64), fc.nat(400)),
      remove: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20)),
      put: fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        fc.constantFrom(...PIECES),
        fc.constantFrom(...PICTURES).map((bytes) => bytes.subarray(0, 40)),
      ),
      over: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
  fc.option(fc.nat(700), { nil: Infinity }),
).map(([picture, edits, end]) => {
  let bytes = picture;
  for (const { at, remove, put, over } of edits) {
    const start = at % (bytes.length + 1);
    const next = start + (over ? put.length : remove);
    bytes = concat(bytes.subarray(0, start), put, bytes.subarray(next));
  }
  return bytes.slice(0, end);
});

const fileBytes = fc.oneof(
  { weight: 6, arbitrary: damaged },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => concat(bytes)) },
);

const inspections = fc.asyncProperty(fileBytes, async (bytes) => {
  const before = bytes.slice();
  const info = inspectImage(bytes);
  const whole = await inspectBlob(new Blob([bytes]));
  assertEquals(bytes, before);
  assertEquals(inspectImage(bytes), info);
  if (!info.ok) {
    assertEquals(Object.keys(info), ["ok", "reason"]);
    assert(IMAGE_PROBLEMS.includes(info.reason), info.reason);
    return assertEquals(whole, info);
  }
  // The whole file may be truncated where its header is not.
  if (whole.ok) assertEquals(whole, info);
  else assertEquals(whole.reason, "truncated");
  const { ok: _, type, width, height, orientation, ...rest } = info;
  assertEquals(rest, {});
  assert(IMAGE_TYPES.includes(type), type);
  for (const side of [width, height]) {
    assert(Number.isInteger(side) && side >= 1 && side <= MAX_IMAGE_SIDE, String(side));
  }
  assert(width * height <= MAX_IMAGE_PIXELS);
  const turns = orientation === undefined ||
    (type === "image/jpeg" && [1, 2, 3, 4, 5, 6, 7, 8].includes(orientation));
  assert(turns, String(orientation));
});

/** More steps than any of them may take on a few bytes. */
const MAX_STEPS = 70_000;

const HEADER_PARSERS: readonly (() => Parser<unknown>)[] = [
  parseJpeg,
  parsePng,
  parseWebp,
  parseGif,
  parseAvif,
];

const headerSteps = fc.property(fileBytes, (bytes) => {
  for (const parse of HEADER_PARSERS) {
    const parser = parse();
    let step = parser.next();
    for (let steps = 0; !step.done; steps++) {
      const { at, length } = step.value;
      assert(at >= 0 && length >= 0 && Number.isInteger(length), `${length} bytes at ${at}`);
      assert(steps < MAX_STEPS, "it does not end");
      step = parser.next(bytes.subarray(at, at + length));
    }
  }
});

const cleanings = fc.asyncProperty(fileBytes, async (bytes) => {
  const before = bytes.slice();
  for (const type of IMAGE_TYPES) {
    let cleaned: Cleaned;
    try {
      cleaned = await stripMetadata(bytes, { type });
    } catch (error) {
      assert(error instanceof ImageError, String(error));
      continue;
    }
    let size = 0;
    for (const part of cleaned.parts) {
      if ("start" in part) {
        assert(part.start >= 0 && part.start <= part.end && part.end <= bytes.length, "outside");
      }
      size += "start" in part ? part.end - part.start : part.length;
    }
    // Headers and ends are rewritten; of an AVIF, all of its boxes.
    assert(size <= 4 * bytes.length + 4_096, `${size} of ${bytes.length}`);
  }
  assertEquals(bytes, before);
});

/** Profiles of every kind, with some bytes changed. */
const profileBytes = fc.tuple(
  fc.constantFrom(...Object.values(PROFILES)),
  fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { maxLength: 4 }),
  fc.option(fc.nat(900), { nil: Infinity }),
).map(([profile, changes, end]) => {
  const bytes = profile.slice(0, end);
  for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
  return bytes;
});

const profiles = fc.property(profileBytes, (bytes) => {
  const neutral = neutralProfile(bytes);
  if (neutral === null) return;
  assert(!latin1Of(neutral).includes(PLANTED), "a name is left");
  assertEquals(neutralProfile(neutral), neutral);
});

function latin1Of(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** The properties of everything that reads foreign data. */
export const PARSER_PROPERTIES: readonly Property[] = [
  {
    name: "parseClientMessage() returns a part of its input, or null",
    runs: 4_000,
    property: parserProperty(CLIENT),
  },
  {
    name: "parseServerMessage() returns a part of its input, or null",
    runs: 4_000,
    property: parserProperty(SERVER),
  },
  {
    name: "parseControlMessage() returns a part of its input, or null",
    runs: 4_000,
    property: parserProperty(CONTROL),
  },
  {
    name: "parseRepairMessage() returns a part of its input, or null",
    runs: 2_000,
    property: parserProperty(REPAIR),
  },
  {
    name: "parseClientMessage() accepts every message of a client with extra fields",
    runs: 500,
    property: acceptsProperty(CLIENT),
  },
  {
    name: "parseServerMessage() accepts every message of the server with extra fields",
    runs: 500,
    property: acceptsProperty(SERVER),
  },
  {
    name: "parseControlMessage() accepts every message of the other side with extra fields",
    runs: 500,
    property: acceptsProperty(CONTROL),
  },
  {
    name: "base64url has one encoding of bytes, and only that one is accepted",
    runs: 2_000,
    property: base64Url,
  },
  { name: "parseFragment() accepts complete links only", runs: 2_000, property: fragments },
  {
    name: "parseHeader() reads exactly what encodeHeader() writes",
    runs: 1_000,
    property: recordHeaders,
  },
  { name: "the chunks of a picture have all of its bytes", runs: 500, property: chunks },
  {
    name: "checkSdp() accepts one fingerprint, the handshake's, and one m-line only",
    runs: 2_000,
    property: sdps,
  },
  { name: "parseFingerprint() reads 32 pairs of digits", runs: 1_000, property: fingerprints },
  {
    name: "decodeCandidate() returns its input line, or refuses it",
    runs: 1_000,
    property: candidates,
  },
  {
    name: "inspectImage() finds a picture within the limits or an error, as inspectBlob() does",
    runs: 4_000,
    property: inspections,
  },
  {
    name: "the header parsers request bytes that can exist, and terminate",
    runs: 6_000,
    property: headerSteps,
  },
  {
    name: "stripMetadata() keeps existing parts of the file, or throws ImageError",
    runs: 1_500,
    property: cleanings,
  },
  {
    name: "neutralProfile() leaves no name, and is idempotent",
    runs: 2_000,
    property: profiles,
  },
];
