/**
 * Links as they arrive: chat apps, mail programs and people put signs, spaces, invisible
 * characters and trackers around them, encode parts of them, or cut them.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import { EXPOSED, parseFragment } from "./link.ts";

/** What was found in a text in which a link was expected. */
export type FoundLink =
  /** `exposed`: the server was sent the secret, because an app had encoded the link's `#`. */
  | { readonly at: "whole"; readonly secret: Bytes; readonly exposed: boolean }
  /** Some of the link's characters are missing. */
  | { readonly at: "incomplete" }
  /** Not a link of this site: it has other characters, another version, or another host. */
  | { readonly at: "foreign" };

/** Characters of a link's secret, see {@linkcode parseFragment}. */
const SECRET_LENGTH = 43;

/** Longest text that is read, in UTF-16 units: far more than a message with a link in it. */
const MAX_TEXT = 8_000;

/** How often a text may be percent-encoded: `%2523` is `#`, encoded twice. */
const MAX_DECODINGS = 4;

/**
 * A secret with its version, and whatever is before and behind it; dashes and underscores behind it
 * may be a messenger's markup.
 */
const WHOLE = new RegExp(
  String.raw`(?:^|[^\w-]|join)(1\s?\.\s?[\w-]{${SECRET_LENGTH}})[-_]*(?![\w-])`,
  "g",
);

/** The same, broken over lines as mail programs do. */
const BROKEN = /(?:^|[^\w-])1\.([\w-]+(?:=?[\r\n]+[> ]*[\w-]+)+)/g;

/** The beginning of a link, up to where its secret begins, with the host if it is there. */
const BEGINNING = /(?:([^\s/<>()"'=]+)\/join[^\w]{0,8}|#\s*|join[^\w\s]{1,8})(\d*)\.?(\S*)/i;

/** Signs of a link: the version behind `#`, or an address at the end of the text. */
const VERSION = /#\W*\d{1,2}(?:\D|$)/;
const ADDRESS = /(?:\/\/|\/join)\S*\s*$/i;

/**
 * Finds the link in a text, which may be a whole message. Returns `null` if nothing in it looks
 * like one. `host` is the one of this page: a link to another one is `foreign`.
 */
export function findLink(text: string, host: string): FoundLink | null {
  const plain = plainText(text);
  const [, named = /:\/\/([^\s/?#]+)/.exec(plain)?.[1]] = BEGINNING.exec(plain) ?? [];
  const away = host !== "" && named !== undefined && !isHost(named, host);
  const secret = away ? null : findSecret(plain);
  if (secret !== null) return { at: "whole", secret, exposed: plain.endsWith(EXPOSED) };
  if (!VERSION.test(plain) && !ADDRESS.test(plain)) return null;
  return { at: away ? "foreign" : whatIsWrong(plain) };
}

/** Finds the link in a page's fragment; `null` if the fragment is something else. */
export function readFragment(fragment: string): FoundLink | null {
  if (!/^#\W*\d/.test(plainText(fragment))) return null;
  return findLink(fragment, "") ?? { at: "foreign" };
}

/** True if `named`, which may have signs or words before it without a space, is `host`. */
function isHost(named: string, host: string): boolean {
  const lower = named.toLowerCase();
  if (lower.endsWith(host) && !/[\w.-]$/.test(lower.slice(0, -host.length))) return true;
  try {
    // Other alphabets and the usual port are written in more than one way.
    return new URL(`https://${named}`).host === host;
  } catch {
    return false;
  }
}

/**
 * A text without percent-encoding and invisible characters, and with the plain forms of characters:
 * `＃` is `#`.
 */
export function plainText(text: string): string {
  let plain = text.slice(0, MAX_TEXT);
  for (let i = 0; i < MAX_DECODINGS; i++) {
    plain = plain.replace(/(?:%[\da-f]{2})+/gi, decode);
  }
  return plain.normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    // Hyphens that typesetting makes of the one on the keyboard.
    .replace(/[\u2010-\u2012\u2212]/g, "-");
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

function findSecret(plain: string): Bytes | null {
  for (const [, link = ""] of plain.matchAll(WHOLE)) {
    const secret = parseFragment(link.replace(/\s/g, ""));
    if (secret !== null) return secret;
  }
  for (const [, lines = ""] of plain.matchAll(BROKEN)) {
    let joined = "";
    for (const line of lines.split(/=?[\r\n]+[> ]*/)) {
      joined += line;
      const secret = parseFragment(`1.${joined}`);
      if (secret !== null) return secret;
    }
  }
  return null;
}

/** Whether a link without a valid secret was cut, or never was one of this site. */
function whatIsWrong(plain: string): "incomplete" | "foreign" {
  const [begun, , version = "", rest = ""] = BEGINNING.exec(plain) ?? [];
  if (begun === undefined || !/^1?$/.test(version)) return "foreign";
  const [run = ""] = /^[\w-]*/.exec(rest) ?? [];
  if (run.length >= SECRET_LENGTH) return "foreign";
  // Behind a link that was cut there may be a tracker, or the signs that were around it.
  return /^(?:[&?#]|[^\p{L}\p{N}]*$)/u.test(rest.slice(run.length)) ? "incomplete" : "foreign";
}
