/**
 * Links and codes are taken however they arrive, and nothing else is taken for one.
 *
 * @module
 */
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import { formatCode, loadWordlist, parseCode } from "../../lib/e2e/code.ts";
import { findLink, plainText, readFragment } from "../../lib/e2e/find_link.ts";
import { formatFragment, formatLink } from "../../lib/e2e/link.ts";
import { meantJoin } from "../../lib/server/join_path.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import { anyText } from "./messages.ts";
import type { Property } from "./property.ts";

const HOST = "pic.example";
const list = await loadWordlist();

const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) =>
  new Uint8Array(bytes)
);

/** What ends up before or behind a link, which can't be a part of it. */
const before = fc.constantFrom("", " ", "<", "(", "[", "“", "«", '"', "*", "> ", "Look: ", "看");
const behind = fc.constantFrom(
  ...["", ".", ",", ")", "]", ">", "”", "»", '"', "'", "*", "!", "…", "%20", " Bye", "\nBye", "。"],
  ...["&utm_source=x", "?fbclid=abc", "#part", "%E2%80%8B", "_", "-", "**", ")."],
);
const invisible = fc.constantFrom("", "\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff", "\u200e");

/** Ways to write the signs of a link that apps change. */
const written = fc.record({
  hash: fc.constantFrom("#", "%23", "%2523", "%252523", "＃", "&#35;", "/#", "?fbclid=a#"),
  dot: fc.constantFrom(".", "%2E", "%2e", "．"),
  hyphen: fc.constantFrom("-", "%2D", "\u2010", "\u2011", "－"),
  join: fc.constantFrom("join", "JOIN", "Join"),
  scheme: fc.constantFrom("https://", "http://", "HTTPS://", ""),
});

const links = fc.property(
  fc.tuple(secret, before, behind, written),
  fc.array(fc.tuple(fc.nat(80), invisible), { maxLength: 3 }),
  ([bytes, left, right, { hash, dot, hyphen, join, scheme }], hidden) => {
    const [, words = ""] = formatLink("", bytes).split(".");
    let link = `${hash}1${dot}${words.replaceAll("-", hyphen)}`;
    for (const [at, sign] of hidden) {
      // Within an encoded sign it would be another sign.
      const place = at % (link.length + 1);
      if (!/%\w{0,6}$|&#?\d*$/.test(link.slice(0, place))) {
        link = link.slice(0, place) + sign + link.slice(place);
      }
    }
    const text = `${left}${scheme}${HOST}/${join}${link}${right}`;
    assertEquals(findLink(text, HOST), { at: "whole", secret: bytes, exposed: false });
  },
);

const noLinks = fc.property(
  fc.oneof(
    anyText(200),
    fc.tuple(fc.constantFrom("#", "/join#", "https://pic.example/join#"), anyText(80))
      .map((parts) => parts.join("")),
    fc.tuple(
      fc.constantFrom("#1.", "1.", "https://pic.example/join#1.", "https://evil.example/join#1."),
      fc.stringMatching(/^[A-Za-z0-9_-]{38,47}$/),
      anyText(10),
    ).map((parts) => parts.join("")),
  ),
  (text) => {
    for (const found of [findLink(text, HOST), readFragment(text)]) {
      if (found?.at !== "whole") continue;
      assertEquals(found.secret.length, 32);
      // It may have been broken over lines.
      const plain = plainText(text).replaceAll(/=?[\r\n]+[> ]*/g, "");
      assert(plain.includes(toBase64Url(found.secret)), text);
    }
  },
);

const paths = fc.property(
  secret,
  fc.constantFrom("%23", "%2523", "/%23", ".%23", "%252523"),
  fc.constantFrom("", "?fbclid=a", "&utm_source=a", "%20", ").", "%E2%80%8B", "%EF%BB%BF"),
  anyText(60),
  (bytes, hash, right, text) => {
    const words = formatFragment(bytes).slice(1);
    const meant = meantJoin(new URL(`https://${HOST}/join${hash}${words}${right}`));
    assertEquals(meant, `/join${formatFragment(bytes, { exposed: true })}`);
    // Whatever else is there leads to this page or nowhere.
    const url = new URL(HOST, "https://pic.example");
    url.pathname = `/join${text}`;
    const other = meantJoin(url);
    assert(other === null || /^\/join(?:$|[?#])/.test(other), other ?? "");
    assert(other === null || !/[\r\n]/.test(other), other ?? "");
  },
);

const ZEROS = [0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10];
const separator = fc.constantFrom("-", " ", ", ", " – ", "_", "—", "\n", "\u00a0", " · ", "‑");
const word = fc.nat(list.length - 1).map((index) => list[index] ?? "");
const styles: readonly ((word: string) => string)[] = [
  (text) => text,
  (text) => text.toUpperCase(),
  (text) => text.charAt(0).toUpperCase() + text.slice(1),
  (text) => text.slice(0, 4),
  (text) => text.replaceAll("e", "é").replaceAll("o", "ö"),
  (text) => text.replaceAll("i", "ı"),
  (text) => text.toUpperCase().replaceAll("I", "İ"),
  (text) => text.slice(0, 2) + "\u00ad" + text.slice(2),
  (text) => Array.from(text, (letter) => fullWidth(letter)).join(""),
];

function fullWidth(letter: string): string {
  return String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0);
}

const codes = fc.property(
  fc.integer({ min: 1_000, max: 99_999_999 }).map(String),
  fc.tuple(word, word, word),
  fc.constantFrom(...ZEROS),
  fc.constantFrom(...styles),
  separator,
  fc.boolean(),
  (digits, words, zero, style, between, last) => {
    const number = Array.from(digits, (digit) => String.fromCodePoint(zero + Number(digit)));
    const said = words.map((item) => style(item));
    const parts = last ? [...said, number.join("")] : [number.join(""), ...said];
    assertEquals(parseCode(parts.join(between), list), { digits, words: words.join("-") });
  },
);

const sentences = fc.property(
  fc.integer({ min: 1_000, max: 99_999_999 }).map(String),
  fc.tuple(word, word, word),
  fc.constantFrom(
    "Code: ",
    "My code is ",
    "Hallo! Der Code: ",
    "暗号は",
    "الرمز: ",
    "«",
    "(see you) ",
  ),
  fc.constantFrom("", ".", " See you!", ", danke dir", "です", "»", " — open it once", "\nBye"),
  (digits, words, left, right) => {
    const code = { digits, words: words.join("-") };
    assertEquals(parseCode(left + formatCode(code) + right, list), code);
  },
);

const noCodes = fc.property(anyText(100), (text) => {
  const code = parseCode(text, list);
  if ("reason" in code) return;
  assert(/^\d{4,8}$/.test(code.digits), text);
  assert(code.words.split("-").every((item) => list.includes(item)), text);
});

/** Properties of links and codes. */
export const INVITATION_PROPERTIES: readonly Property[] = [
  { name: "a link is taken however an app wrote it", runs: 2_000, property: links },
  { name: "findLink() takes only what is in the text", runs: 2_000, property: noLinks },
  { name: "a path of /join leads to /join", runs: 1_000, property: paths },
  { name: "a code is taken in any script, case and order", runs: 1_000, property: codes },
  { name: "a code is taken out of a sentence", runs: 1_000, property: sentences },
  { name: "parseCode() takes any text", runs: 1_000, property: noCodes },
];
