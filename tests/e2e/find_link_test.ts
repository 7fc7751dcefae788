import { findLink, plainText, readFragment } from "../../lib/e2e/find_link.ts";
import { createLinkSecret, formatFragment, formatLink } from "../../lib/e2e/link.ts";
import { assertEquals } from "../support/assert.ts";

const HOST = "pic.example";
const SECRET = createLinkSecret();
const LINK = formatLink(`https://${HOST}`, SECRET);
const FRAGMENT = formatFragment(SECRET);
const [PATH = "", WORDS = ""] = LINK.split("#");
/** Not at an end of the secret. */
const INSIDE = LINK.length - 20;

function inserted(text: string): string {
  return LINK.slice(0, INSIDE) + text + LINK.slice(INSIDE);
}

const WHOLE: readonly (readonly [name: string, text: string])[] = [
  ["as it is", LINK],
  ["without its scheme", LINK.replace("https://", "")],
  ["with another scheme", LINK.replace("https", "http")],
  ["without its address", FRAGMENT],
  ["without its #", WORDS],
  ["with its # encoded", LINK.replace("#", "%23")],
  ["with its # encoded twice", LINK.replace("#", "%2523")],
  ["with its # as an HTML entity", LINK.replace("#", "&#35;")],
  ["with its # in full width", LINK.replace("#", "＃")],
  ["with its . encoded", LINK.replace("1.", "1%2E")],
  ["with hyphens encoded", LINK.replaceAll("-", "%2D")],
  ["with hyphens of a typesetter", LINK.replaceAll("-", "\u2011")],
  ["with a trailing slash", LINK.replace("#", "/#")],
  [
    "with a path in upper case",
    LINK.replace("https://pic.example/join", "HTTPS://PIC.EXAMPLE/JOIN"),
  ],
  ["with the usual port", LINK.replace(HOST, `${HOST}:443`)],
  ["with a tracker behind it", `${LINK}&utm_source=chat&utm_medium=x`],
  ["with a tracker as a query behind it", `${LINK}?fbclid=IwAR0_abc-def`],
  ["with a tracker before its #", LINK.replace("#", "?fbclid=IwAR0_abc#")],
  ["with another fragment behind it", `${LINK}#:~:text=x`],
  ["with an encoded space behind it", `${LINK}%20`],
  ["with a soft hyphen in it", inserted("\u00ad")],
  ["with a zero-width space in it", inserted("\u200b")],
  ["with an encoded zero-width space behind it", `${LINK}%E2%80%8B`],
  ["with marks of direction around it", `\u2068${LINK}\u2069`],
  ["with a byte order mark before it", `\ufeff${LINK}`],
  ["broken over two lines", inserted("\n")],
  ["broken over two quoted lines", `> ${inserted("=\r\n> ")}\n> Bye`],
  ["inside of another link", `https://safe.example/?url=${encodeURIComponent(LINK)}&data=1`],
  ["in a message", `I want to show you a picture. You can see it once. ${LINK} Bye!`],
  ["in lines of its own", `Hello,\n${LINK}\nBye`],
  ["right behind other letters", `打开${LINK}。谢谢`],
  ["as Markdown", `[the picture](${LINK})`],
  ["twice", `${LINK}\n${LINK}`],
  ...[..."*_~`"].map((sign) => [`marked with ${sign}`, sign + LINK + sign] as const),
  ...[...".,;:!?)]}>\"'”’»…*_-|\\"].map((sign) =>
    [`with a ${sign} behind it`, LINK + sign] as const
  ),
  ...["<>", "()", "[]", "“”", "«»", "„“", "''", '""'].map(
    (pair) => [`within ${pair}`, pair.charAt(0) + LINK + pair.charAt(1)] as const,
  ),
];

for (const [name, text] of WHOLE) {
  Deno.test(`a link ${name} is taken`, () => {
    assertEquals(findLink(text, HOST), { at: "whole", secret: SECRET, exposed: false });
  });
}

Deno.test("every end of a link that can be in an address bar is taken there as well", () => {
  for (const behind of [".", ",", ")", ">", "]", '"', "*", "%20", "&utm_source=x", "?fbclid=y"]) {
    const { hash } = new URL(LINK + behind);
    assertEquals(readFragment(hash), { at: "whole", secret: SECRET, exposed: false }, behind);
  }
});

for (
  const [at, name, text] of [
    ["incomplete", "that was cut", LINK.slice(0, -5)],
    ["incomplete", "that was cut, with a dot behind it", `${LINK.slice(0, -5)}.`],
    ["incomplete", "that was cut, with a tracker behind it", `${LINK.slice(0, -5)}?fbclid=x`],
    ["incomplete", "that was cut in a message", `Look: ${LINK.slice(0, -5)} Bye`],
    ["incomplete", "that was cut before its secret", `${PATH}#1.`],
    ["incomplete", "without anything behind its path", PATH],
    [
      "incomplete",
      "that has a space in place of a character",
      LINK.slice(0, -9) + " " + LINK.slice(-8),
    ],
    ["foreign", "that is too long", `${LINK}A`],
    ["foreign", "with a letter that no secret has", inserted("ä")],
    ["foreign", "with signs in the middle", inserted("$$")],
    ["foreign", "that is not canonical", `${LINK.slice(0, -1)}B`],
    ["foreign", "of another version", LINK.replace("#1.", "#2.")],
    ["foreign", "of another site", LINK.replace(HOST, "pic2.example")],
    ["foreign", "of a site whose name ends the same", LINK.replace(HOST, `not${HOST}`)],
    ["foreign", "of a site with this one as its user", LINK.replace(HOST, `${HOST}@evil.example`)],
    ["foreign", "to another page", "https://example.org/some/page#part"],
  ] as const
) {
  Deno.test(`a link ${name} is ${at}`, () => {
    assertEquals(findLink(text, HOST), { at });
  });
}

Deno.test("a text without a link, and a code, are no link", () => {
  for (
    const text of [
      "",
      "4821-crystal-orbit-lemon",
      "4821. crystal orbit lemon",
      "#4821 crystal orbit lemon",
      `Open ${HOST}/join and type this: 4821-crystal-orbit-lemon`,
      `Open https://${HOST}/join and type this: 4821-crystal-orbit-lemon`,
    ]
  ) assertEquals(findLink(text, HOST), null, text);
});

Deno.test("a fragment that is no link is left to the page", () => {
  for (const fragment of ["", "#", "#content", "#:~:text=once"]) {
    assertEquals(readFragment(fragment), null, fragment);
  }
  assertEquals(readFragment("#12345"), { at: "foreign" });
});

Deno.test("a fragment says whether the server was sent the secret", () => {
  const read = readFragment(formatFragment(SECRET, { exposed: true }));
  assertEquals(read, { at: "whole", secret: SECRET, exposed: true });
});

Deno.test("malformed percent-encoding is left as it is", () => {
  assertEquals(plainText("a%E4b%zz%"), "a%E4b%zz%");
});
