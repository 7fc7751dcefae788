import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import {
  ABORT_CODES,
  CLOSED_REASONS,
  IMAGE_TYPES,
  parseControlMessage,
} from "../../lib/protocol/control.ts";
import {
  MAX_ALT_LENGTH,
  MAX_CAPTION_LENGTH,
  MAX_CONTROL_BYTES,
  MAX_IMAGE_BYTES,
  MAX_IMAGE_PIXELS,
  MAX_IMAGE_SIDE,
  MAX_IMAGES,
  MAX_MARK_LENGTH,
  MAX_NAME_LENGTH,
  MAX_VIEW_SECONDS,
} from "../../lib/protocol/limits.ts";
import { assert, assertEquals } from "../support/assert.ts";

type Message = Record<string, unknown>;

const B32 = toBase64Url(new Uint8Array(32).fill(0x5a));
const VIEW = DEFAULT_RULES;
const META: Message = { t: "meta", n: 0, type: "image/jpeg", size: 1, w: 1, h: 1, view: VIEW };
const FULL: Message = {
  ...META,
  name: "n".repeat(MAX_NAME_LENGTH),
  alt: "a".repeat(MAX_ALT_LENGTH),
};

const MESSAGES: Message[] = [
  META,
  { t: "end", n: 0, digest: B32 },
  { t: "got", n: 1 },
  { t: "open", n: 2 },
  { t: "key", n: 3, key: B32 },
  { t: "shown", n: MAX_IMAGES - 1 },
  { t: "closed", n: 0, why: "timer", ms: 7_000 },
  { t: "revoke", n: 0 },
  { t: "revoke", all: true },
  { t: "more", n: 0 },
  { t: "extend", n: 0, seconds: 1 },
  { t: "keep", on: false },
  { t: "bye", why: "done" },
  { t: "abort", code: "corrupt" },
];

function parse(message: unknown) {
  return parseControlMessage(JSON.stringify(message));
}

/** Fails if the parser accepts any of `messages`. */
function assertRefused(...messages: readonly unknown[]): void {
  for (const message of messages) {
    assertEquals({ message, parsed: parse(message) }, { message, parsed: null });
  }
}

Deno.test("parseControlMessage() returns each message with its own fields only", () => {
  for (const message of [...MESSAGES, FULL, { t: "abort", code: "corrupt", n: 3 }]) {
    assertEquals<unknown>(parse(message), message);
    assertEquals<unknown>(parse({ ...message, admin: true, toJSON: 1 }), message);
  }
});

Deno.test("parseControlMessage() refuses each message with any field missing or wrong", () => {
  const junk = [undefined, null, {}, [], -1, 0.5, 1e300, "x", "1", `${B32}=`, "__proto__"];
  for (const message of MESSAGES) {
    for (const field of Object.keys(message)) {
      for (const value of junk) assertRefused({ ...message, [field]: value });
    }
  }
});

Deno.test("parseControlMessage() refuses what is not an object, not JSON, or too long", () => {
  for (
    const raw of ["", "null", "[]", '"bye"', "{", '{"__proto__":{"t":"bye"}}', "[".repeat(4_000)]
  ) {
    assertEquals({ raw, parsed: parseControlMessage(raw) }, { raw, parsed: null });
  }
  const padded = JSON.stringify({ t: "bye", why: "left" }).padEnd(MAX_CONTROL_BYTES);
  assert(parseControlMessage(padded) !== null);
  assertEquals(parseControlMessage(`${padded} `), null);
});

Deno.test("parseControlMessage() numbers pictures from 0 up to the limit", () => {
  for (const t of ["got", "open", "shown", "more"]) {
    assert(parse({ t, n: MAX_IMAGES - 1 }) !== null);
    assertRefused({ t, n: MAX_IMAGES }, { t, n: -1 }, { t, n: "0" }, { t });
  }
});

Deno.test("meta bounds bytes, sides and pixels before anything is received", () => {
  const most = Math.floor(MAX_IMAGE_PIXELS / MAX_IMAGE_SIDE);
  assert(parse({ ...META, size: MAX_IMAGE_BYTES }) !== null);
  assert(parse({ ...META, w: MAX_IMAGE_SIDE, h: most }) !== null);
  assertRefused(
    { ...META, size: MAX_IMAGE_BYTES + 1 },
    { ...META, size: 0 },
    { ...META, w: 0 },
    { ...META, h: 0 },
    { ...META, w: MAX_IMAGE_SIDE + 1 },
    { ...META, h: MAX_IMAGE_SIDE + 1 },
    { ...META, w: MAX_IMAGE_SIDE, h: most + 1 },
    { ...META, w: 16_000, h: 16_000 },
  );
});

Deno.test("meta accepts only the known picture formats", () => {
  for (const type of IMAGE_TYPES) assert(parse({ ...META, type }) !== null);
  assertRefused(
    ...["image/svg+xml", "IMAGE/JPEG", "text/html", "image/bmp", ""]
      .map((type) => ({ ...META, type })),
  );
});

Deno.test("meta bounds its texts", () => {
  assertRefused(
    { ...META, name: "n".repeat(MAX_NAME_LENGTH + 1) },
    { ...META, alt: "a".repeat(MAX_ALT_LENGTH + 1) },
    { ...META, caption: "c".repeat(MAX_CAPTION_LENGTH + 1) },
    { ...META, caption: {} },
    { ...META, name: 7 },
    { ...META, alt: null },
  );
});

Deno.test("meta bounds the view rules, and keeps no other field of them", () => {
  const rules = { seconds: 0, hold: true, mark: "m".repeat(MAX_MARK_LENGTH), ask: false };
  assertEquals<unknown>(parse({ ...META, view: { ...rules, admin: true } }), {
    ...META,
    view: rules,
  });
  assertRefused(...[
    undefined,
    null,
    [],
    { ...VIEW, seconds: MAX_VIEW_SECONDS + 1 },
    { ...VIEW, seconds: -1 },
    { ...VIEW, seconds: 0.5 },
    { ...VIEW, hold: 1 },
    { ...VIEW, mark: "m".repeat(MAX_MARK_LENGTH + 1) },
    { ...VIEW, mark: undefined },
    { ...VIEW, ask: undefined },
    { ...VIEW, ask: "no" },
  ].map((view) => ({ ...META, view })));
});

Deno.test("shown may say that an animated picture is still, and nothing else of it", () => {
  assertEquals<unknown>(parse({ t: "shown", n: 0, still: true, moves: 1 }), {
    t: "shown",
    n: 0,
    still: true,
  });
  assertEquals<unknown>(parse({ t: "shown", n: 0 }), { t: "shown", n: 0 });
  assertRefused(
    ...[false, null, 1, 0, "true", {}, []].map((still) => ({ t: "shown", n: 0, still })),
  );
  // No other picture has this field.
  assertEquals<unknown>(parse({ t: "got", n: 0, still: true }), { t: "got", n: 0 });
});

Deno.test("revoke takes one picture or all, never both", () => {
  assertRefused(
    { t: "revoke" },
    { t: "revoke", n: 0, all: true },
    { t: "revoke", n: 0, all: false },
    { t: "revoke", all: false },
    { t: "revoke", all: 1 },
  );
});

Deno.test("extend grants from one second to the limit", () => {
  assert(parse({ t: "extend", n: 0, seconds: MAX_VIEW_SECONDS }) !== null);
  assertRefused(
    { t: "extend", n: 0, seconds: 0 },
    { t: "extend", n: 0, seconds: MAX_VIEW_SECONDS + 1 },
  );
});

Deno.test("closed, abort and bye take the reasons of their tables", () => {
  for (const why of ["done", "burned", "left", "mismatch"] as const) {
    assertEquals(parse({ t: "bye", why }), { t: "bye", why });
  }
  for (const why of CLOSED_REASONS) assert(parse({ t: "closed", n: 0, why, ms: 0 }) !== null);
  for (const code of ABORT_CODES) assert(parse({ t: "abort", code, n: 0 }) !== null);
  assertRefused(
    { t: "closed", n: 0, why: "destroyed", ms: 0 },
    { t: "closed", n: 0, why: "timer", ms: -1 },
    { t: "closed", n: 0, why: "timer", ms: 86_400_001 },
    { t: "bye" },
    { t: "bye", why: "timer" },
    { t: "abort", code: "toString" },
    { t: "abort", code: "corrupt", n: MAX_IMAGES },
    { t: "abort", code: "corrupt", n: null },
  );
});

Deno.test("the largest honest meta fits into a control record, in any script", () => {
  // Each text consists of characters that JSON escapes in six, and UTF-8 writes in three.
  const text = (length: number) => "\u4e16".repeat(length);
  const meta = {
    ...META,
    n: MAX_IMAGES - 1,
    size: MAX_IMAGE_BYTES,
    name: text(MAX_NAME_LENGTH),
    alt: text(MAX_ALT_LENGTH),
    caption: text(MAX_CAPTION_LENGTH),
    view: { ...VIEW, seconds: MAX_VIEW_SECONDS, mark: text(MAX_MARK_LENGTH) },
  };
  assert(new TextEncoder().encode(JSON.stringify(meta)).length <= MAX_CONTROL_BYTES);
  assert(parse(meta) !== null);
});
