/**
 * The messages of the control channel between the two browsers, inside control records: JSON, one
 * union, and one parser that trusts nothing. Each direction numbers its own pictures.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { isBase64Url } from "./bytes.ts";
import { parseRules, type ViewRules } from "./display_options.ts";
import {
  MAX_ALT_LENGTH,
  MAX_CAPTION_LENGTH,
  MAX_CONTROL_BYTES,
  MAX_IMAGE_BYTES,
  MAX_IMAGE_PIXELS,
  MAX_IMAGE_SIDE,
  MAX_IMAGES,
  MAX_NAME_LENGTH,
  MAX_REPORT_MS,
  MAX_VIEW_SECONDS,
} from "./limits.ts";
import { parseObject } from "./signaling.ts";

/** The picture formats that may be announced, by their magic bytes. */
export const IMAGE_TYPES = [
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/avif",
  "image/gif",
] as const;

/** One of {@linkcode IMAGE_TYPES}. */
export type ImageType = typeof IMAGE_TYPES[number];

/**
 * Why a picture was closed: its time was over, the viewer closed it, the page was hidden, the owner
 * burned it, or the viewer left.
 */
export const CLOSED_REASONS = ["timer", "user", "hidden", "revoked", "left"] as const;

/** One of {@linkcode CLOSED_REASONS}. */
export type ClosedReason = typeof CLOSED_REASONS[number];

/** Why a side gave up on one picture or on the session. */
export const ABORT_CODES = ["protocol", "corrupt", "undecodable", "too_large", "timeout"] as const;

/** One of {@linkcode ABORT_CODES}. */
export type AbortCode = typeof ABORT_CODES[number];

/**
 * Why a side closes the session: everything was seen, it burned everything, it left, or the two
 * people compared their SAS and saw different ones.
 */
export const BYE_REASONS = ["done", "burned", "left", "mismatch"] as const;

/** One of {@linkcode BYE_REASONS}. */
export type ByeReason = typeof BYE_REASONS[number];

/**
 * Announces picture `n`: coded size in bytes, coded width and height in pixels (before any
 * orientation).
 */
export interface MetaMessage {
  readonly t: "meta";
  readonly n: number;
  readonly type: ImageType;
  readonly size: number;
  readonly w: number;
  readonly h: number;
  readonly name?: string;
  readonly alt?: string;
  readonly caption?: string;
  readonly view: ViewRules;
}

/**
 * What a viewer may ask for while a picture is on their screen: `more` is more time. It changes
 * nothing until the owner grants it.
 */
export type ViewerRequest = "more";

/** How long a picture was on this side's screen, and why it was closed. */
export interface LastSeen {
  readonly n: number;
  readonly why: ClosedReason;
  readonly ms: number;
}

/** The messages that either browser may send. */
export type ControlMessage =
  | MetaMessage
  /** All chunks of `n` were sent; `digest` as in docs/protocol.md §6. */
  | { readonly t: "end"; readonly n: number; readonly digest: string }
  /** All chunks have arrived, still unreadable. */
  | { readonly t: "got"; readonly n: number }
  /** The viewer asked to see it. */
  | { readonly t: "open"; readonly n: number }
  /** The image key, 32 bytes. */
  | { readonly t: "key"; readonly n: number; readonly key: string }
  /**
   * The first frame was painted; the countdown runs from here. `still`: the picture is animated,
   * but this browser shows only its first frame.
   */
  | { readonly t: "shown"; readonly n: number; readonly still?: true }
  /** Closed after `ms` milliseconds on screen. */
  | { readonly t: "closed"; readonly n: number; readonly why: ClosedReason; readonly ms: number }
  /** The owner takes one picture back, or all. */
  | { readonly t: "revoke"; readonly n: number }
  | { readonly t: "revoke"; readonly all: true }
  | { readonly t: ViewerRequest; readonly n: number }
  | { readonly t: "extend"; readonly n: number; readonly seconds: number }
  /**
   * The first message on a connection after one of the pages was reloaded. `next` is the number of
   * the picture that this side announces next, `last` what became of the one that it opened last.
   */
  | { readonly t: "back"; readonly next: number; readonly last?: LastSeen }
  /** Whether the sender keeps the session open after the last picture. */
  | { readonly t: "keep"; readonly on: boolean }
  | { readonly t: "bye"; readonly why: ByeReason }
  /**
   * The receiver can't use picture `n` (`corrupt`, `undecodable` …); without `n` the session ends.
   */
  | { readonly t: "abort"; readonly code: AbortCode; readonly n?: number };

function isInteger(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

function isText(value: unknown, max: number): value is string {
  return typeof value === "string" && value.length <= max;
}

function isImageNumber(value: unknown): value is number {
  return isInteger(value, 0, MAX_IMAGES - 1);
}

function parseMeta(value: Record<string, unknown>): MetaMessage | null {
  const { n, type, size, w, h, name, alt, caption } = value;
  const known = IMAGE_TYPES.find((item) => item === type);
  const view = parseRules(value["view"]);
  if (known === undefined || view === null || !isImageNumber(n)) return null;
  if (!isInteger(size, 1, MAX_IMAGE_BYTES)) return null;
  if (!isInteger(w, 1, MAX_IMAGE_SIDE) || !isInteger(h, 1, MAX_IMAGE_SIDE)) return null;
  if (w * h > MAX_IMAGE_PIXELS) return null;
  if (name !== undefined && !isText(name, MAX_NAME_LENGTH)) return null;
  if (alt !== undefined && !isText(alt, MAX_ALT_LENGTH)) return null;
  if (caption !== undefined && !isText(caption, MAX_CAPTION_LENGTH)) return null;
  return {
    t: "meta",
    n,
    type: known,
    size,
    w,
    h,
    view,
    ...(name === undefined ? {} : { name }),
    ...(alt === undefined ? {} : { alt }),
    ...(caption === undefined ? {} : { caption }),
  };
}

function parseSeen({ n, why, ms }: Record<string, unknown>): LastSeen | null {
  const reason = CLOSED_REASONS.find((item) => item === why);
  return isImageNumber(n) && reason !== undefined && isInteger(ms, 0, MAX_REPORT_MS)
    ? { n, why: reason, ms }
    : null;
}

/**
 * Parses the plaintext of a control record, including its padding: JSON ignores the spaces. Returns
 * a fresh object with only the fields of the union, or `null`.
 */
export function parseControlMessage(raw: string): ControlMessage | null {
  const value = parseObject(raw, MAX_CONTROL_BYTES);
  if (value === null) return null;
  const { t, n, digest, key, why, ms, all, seconds, on, code, next, last, still } = value;
  switch (t) {
    case "meta":
      return parseMeta(value);
    case "end":
      return isImageNumber(n) && isBase64Url(digest, 32) ? { t, n, digest } : null;
    case "key":
      return isImageNumber(n) && isBase64Url(key, 32) ? { t, n, key } : null;
    case "got":
    case "open":
    case "more":
      return isImageNumber(n) ? { t, n } : null;
    case "shown":
      if (!isImageNumber(n) || (still !== undefined && still !== true)) return null;
      return still === undefined ? { t, n } : { t, n, still };
    case "closed": {
      const seen = parseSeen({ n, why, ms });
      return seen === null ? null : { t, ...seen };
    }
    case "back": {
      if (!isInteger(next, 0, MAX_IMAGES)) return null;
      if (last === undefined) return { t, next };
      const seen = typeof last === "object" && last !== null ? parseSeen({ ...last }) : null;
      return seen === null ? null : { t, next, last: seen };
    }
    case "revoke":
      if (all === true) return n === undefined ? { t, all } : null;
      return all === undefined && isImageNumber(n) ? { t, n } : null;
    case "extend":
      return isImageNumber(n) && isInteger(seconds, 1, MAX_VIEW_SECONDS) ? { t, n, seconds } : null;
    case "keep":
      return typeof on === "boolean" ? { t, on } : null;
    case "bye": {
      const reason = BYE_REASONS.find((item) => item === why);
      return reason === undefined ? null : { t, why: reason };
    }
    case "abort": {
      const known = ABORT_CODES.find((item) => item === code);
      if (known === undefined) return null;
      if (n === undefined) return { t, code: known };
      return isImageNumber(n) ? { t, code: known, n } : null;
    }
    default:
      return null;
  }
}
