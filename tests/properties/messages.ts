/**
 * Every message that an honest side may send, and the texts that a dishonest one may send instead.
 *
 * @module
 */
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import {
  ABORT_CODES,
  BYE_REASONS,
  CLOSED_REASONS,
  type ControlMessage,
  IMAGE_TYPES,
} from "../../lib/protocol/control.ts";
import {
  MAX_ALT_LENGTH,
  MAX_CAPTION_LENGTH,
  MAX_IMAGE_BYTES,
  MAX_IMAGE_PIXELS,
  MAX_IMAGE_SIDE,
  MAX_IMAGES,
  MAX_NAME_LENGTH,
  MAX_REPORT_MS,
  MAX_RETRY_S,
  MAX_TTL_S,
  MAX_VIEW_SECONDS,
  MIN_TTL_S,
} from "../../lib/protocol/limits.ts";
import type { RepairMessage } from "../../lib/protocol/repair.ts";
import {
  DISPLAY_OPTIONS,
  type DisplayOption,
  type ViewRules,
} from "../../lib/protocol/display_options.ts";
import type { ClientMessage, ServerMessage } from "../../lib/protocol/signaling.ts";
import { fc } from "../support/fast_check.ts";

/** Canonical base64url of `length` bytes. */
function token(length: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: length, maxLength: length }).map(toBase64Url);
}

/** Pieces that decoders, trimmers and normalizers change. */
const FRAGILE = ["e\u0301", "\u212b", " ", "\n", "\0", "\ufeff", "\ud800", "\udc00", "%41", "&lt;"];

const unit = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(...FRAGILE) },
);

/** Any text of at most `max` UTF-16 units: all planes, controls, halves of surrogate pairs. */
export function anyText(max: number): fc.Arbitrary<string> {
  return fc.string({ unit, maxLength: max }).map((text) => text.slice(0, max));
}

const PLAIN = { noNullPrototype: true } as const;

const imageNumber = fc.nat(MAX_IMAGES - 1);

/** Any value of a display option. */
function optionValue(option: DisplayOption): fc.Arbitrary<boolean | number | string> {
  switch (option.kind) {
    case "flag":
      return fc.boolean();
    case "count":
      return fc.nat(option.max);
    case "text":
      return anyText(option.max);
    default:
      return option satisfies never;
  }
}

const viewRules = fc.record(
  Object.fromEntries(
    Object.entries(DISPLAY_OPTIONS).map(([name, option]) => [name, optionValue(option)]),
  ),
  PLAIN,
) as fc.Arbitrary<ViewRules>;

/** Width and height within the limits. */
const imageSize = fc.tuple(
  fc.integer({ min: 1, max: MAX_IMAGE_SIDE }),
  fc.nat(MAX_IMAGE_SIDE - 1),
).map(([w, h]) => ({ w, h: 1 + h % Math.min(MAX_IMAGE_SIDE, Math.floor(MAX_IMAGE_PIXELS / w)) }));

const meta = fc.tuple(
  imageSize,
  fc.record({
    t: fc.constant("meta" as const),
    n: imageNumber,
    type: fc.constantFrom(...IMAGE_TYPES),
    size: fc.integer({ min: 1, max: MAX_IMAGE_BYTES }),
    name: anyText(MAX_NAME_LENGTH),
    alt: anyText(MAX_ALT_LENGTH),
    caption: anyText(MAX_CAPTION_LENGTH),
    view: viewRules,
  }, { ...PLAIN, requiredKeys: ["t", "n", "type", "size", "view"] }),
).map(([size, rest]) => ({ ...rest, ...size }));

function record<T extends object>(
  model: { readonly [K in keyof T]: fc.Arbitrary<T[K]> },
): fc.Arbitrary<T> {
  return fc.record<T>(model, PLAIN);
}

/** Every message of the control channel. */
export const controlMessage: fc.Arbitrary<ControlMessage> = fc.oneof(
  { weight: 6, arbitrary: meta },
  record({ t: fc.constant("end" as const), n: imageNumber, digest: token(32) }),
  record({ t: fc.constant("key" as const), n: imageNumber, key: token(32) }),
  record({ t: fc.constantFrom("got", "open", "shown", "more"), n: imageNumber }),
  record({
    t: fc.constant("closed" as const),
    n: imageNumber,
    why: fc.constantFrom(...CLOSED_REASONS),
    ms: fc.nat(MAX_REPORT_MS),
  }),
  record({ t: fc.constant("back" as const), next: fc.nat(MAX_IMAGES) }),
  record({
    t: fc.constant("back" as const),
    next: fc.nat(MAX_IMAGES),
    last: record({
      n: imageNumber,
      why: fc.constantFrom(...CLOSED_REASONS),
      ms: fc.nat(MAX_REPORT_MS),
    }),
  }),
  record({ t: fc.constant("revoke" as const), n: imageNumber }),
  record({ t: fc.constant("revoke" as const), all: fc.constant(true as const) }),
  record({
    t: fc.constant("extend" as const),
    n: imageNumber,
    seconds: fc.integer({ min: 1, max: MAX_VIEW_SECONDS }),
  }),
  record({ t: fc.constant("keep" as const), on: fc.boolean() }),
  record({ t: fc.constant("bye" as const), why: fc.constantFrom(...BYE_REASONS) }),
  record({ t: fc.constant("abort" as const), code: fc.constantFrom(...ABORT_CODES) }),
  record({
    t: fc.constant("abort" as const),
    code: fc.constantFrom(...ABORT_CODES),
    n: imageNumber,
  }),
);

const relayed = fc.stringMatching(/^[A-Za-z0-9_-]{1,80}$/);

/** Every message of a client. */
export const clientMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  record({
    t: fc.constant("create" as const),
    own: token(32),
    join: token(32),
    ttl: fc.integer({ min: MIN_TTL_S, max: MAX_TTL_S }),
  }),
  record({ t: fc.constant("join" as const), tok: token(16) }),
  record({ t: fc.constant("join" as const) }),
  record({ t: fc.constant("resume" as const), rtok: token(32) }),
  record({ t: fc.constant("relay" as const), d: relayed }),
  record({ t: fc.constant("data" as const), d: relayed }),
  record({ t: fc.constant("delete" as const), otok: token(32) }),
  record({
    t: fc.constant("outcome" as const),
    way: fc.constantFrom("direct", "relayed", "server", "failed"),
  }),
  record({ t: fc.constantFrom("leave", "dismiss", "withdraw", "pong") }),
);

const url = fc.tuple(fc.constantFrom("stun:", "stuns:", "turn:", "turns:"), anyText(60))
  .map((parts) => parts.join(""));
const urls = fc.array(url, { minLength: 1, maxLength: 8 });
const iceServer = fc.oneof(
  record({ urls }),
  record({ urls, username: anyText(40), credential: anyText(40) }),
);
const exp = fc.nat(MAX_TTL_S);

const k = fc.integer({ min: 1, max: 2 ** 32 - 1 });

/** All signaling between two browsers about their connection. */
export const repairMessage: fc.Arbitrary<RepairMessage> = fc.oneof(
  record({ t: fc.constant("ask" as const) }),
  record({ t: fc.constantFrom("offer", "answer"), k, sdp: anyText(60) }),
  record({ t: fc.constant("candidate" as const), c: anyText(60) }),
  record({ t: fc.constant("relay" as const), k }),
);

/** Every message of the server. */
export const serverMessage: fc.Arbitrary<ServerMessage> = fc.oneof(
  record({ t: fc.constant("created" as const), exp, rtok: token(32) }),
  record({
    t: fc.constant("created" as const),
    exp,
    rtok: token(32),
    salt: token(32),
    code: fc.stringMatching(/^[0-9]{4,8}$/),
  }),
  record({ t: fc.constant("joined" as const), rtok: token(32) }),
  record({ t: fc.constant("joined" as const), rtok: token(32), salt: token(32) }),
  record({
    t: fc.constant("peer" as const),
    up: fc.boolean(),
    by: fc.constantFrom("join", "resume", "lost", "leave"),
  }),
  record({ t: fc.constant("relay" as const), d: relayed }),
  record({ t: fc.constant("data" as const), d: relayed }),
  {
    weight: 6,
    arbitrary: record({
      t: fc.constant("ice" as const),
      servers: fc.array(iceServer, { maxLength: 2 }),
      exp,
    }),
  },
  record({
    t: fc.constant("ice" as const),
    servers: fc.array(iceServer, { maxLength: 2 }),
    exp,
    relay: fc.constant(true as const),
  }),
  record({
    t: fc.constant("gone" as const),
    why: fc.constantFrom("deleted", "expired", "lost"),
  }),
  record({ t: fc.constant("err" as const), code: fc.constantFrom("refused", "busy", "no_peer") }),
  record({
    t: fc.constant("err" as const),
    code: fc.constant("busy" as const),
    retry: fc.integer({ min: 1, max: MAX_RETRY_S }),
  }),
  record({ t: fc.constant("ping" as const) }),
);
