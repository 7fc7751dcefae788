/**
 * Spaces, quotes and directions in the texts, as each language writes them.
 *
 * @module
 */
import { TEXTS } from "../../lib/i18n/catalogue.ts";
import { LANGUAGES, type LanguageTag } from "../../lib/i18n/languages.ts";
import { assertEquals } from "../support/assert.ts";
import { textsOf } from "./reading.ts";

interface Rule {
  readonly wrong: RegExp;
  readonly why: string;
  /** All of them, if it is missing. */
  readonly only?: readonly LanguageTag[];
}

const EUROPEAN: readonly LanguageTag[] = ["de", "en", "es", "fr", "it", "pl", "pt", "ru"];

const RULES: readonly Rule[] = [
  { wrong: /%/, why: "Intl writes percentages, with the sign of the language" },
  { wrong: /["']/, why: "typewriter quotes" },
  { wrong: /\.\.\./, why: "three dots are one character: …" },
  { wrong: / {2}|^ | $/, why: "a space too many" },
  {
    wrong: /(?:\d|\{n\}) (?:s|с|MB|Mo|МБ|m[ée]gap\w*|мегап\S*)(?!\p{L})/u,
    why: "a number and its unit can be on two lines: U+00A0 between them",
    only: EUROPEAN,
  },
  {
    wrong: /\d \d{3}/,
    why: "a number can be on two lines: U+00A0 or U+202F within it",
  },
  { wrong: / …/, why: "the dots can be on the next line: U+00A0 before them", only: ["de"] },
  { wrong: /[^\u202f][;!?»]|«[^\u202f]/, why: "French: U+202F at ; ! ? « »", only: ["fr"] },
  { wrong: /[^\u00a0]:(?!\/)/, why: "French: U+00A0 before a colon", only: ["fr"] },
  { wrong: / [—–]/, why: "the dash can be on the next line: U+00A0 before it", only: ["ru"] },
  {
    wrong: /(?<!\u2066)(?:https:\/\/|localhost|\.local\b)/,
    why: "an address runs left to right: U+2066 and U+2069 around it",
    only: ["ar", "he"],
  },
  { wrong: /(?:[^\p{ASCII}]|\})[,:;!?]/u, why: "narrow punctuation", only: ["ja", "zh"] },
  { wrong: /[,;?](?!\d)/, why: "Arabic: ، ؛ ؟", only: ["ar"] },
];

function faultsOf(tag: LanguageTag, texts: ReadonlyMap<string, string>): string[] {
  return RULES.filter(({ only }) => only?.includes(tag) ?? true).flatMap(({ wrong, why }) =>
    [...texts].filter(([, text]) => wrong.test(text))
      .map(([path, text]) => `${tag} ${path}: “${text}”: ${why}`)
  );
}

for (const { tag } of LANGUAGES) {
  Deno.test(`${tag}: spaces, quotes and directions are those of the language`, () => {
    assertEquals(faultsOf(tag, textsOf(TEXTS[tag])), []);
  });
}

const WRONG: readonly (readonly [LanguageTag, string])[] = [
  ["de", "Wird gesendet, {percent} %"],
  ["de", "Wird vorbereitet …"],
  ["de", "Ansehen ({n} s)"],
  ["en", "up to 512 MB"],
  ["en", "Don't show it"],
  ["es", "más de 16 384 píxeles"],
  ["fr", "Retirer votre seule photo ?"],
  ["fr", "Visible : {duration}"],
  ["fr", "« {name} » a été retirée"],
  ["ru", "больше 512 МБ"],
  ["ru", "Это число — SHA-256"],
  ["ar", "افتح https:// أولًا"],
  ["he", "פותחים את https:// קודם"],
  ["ja", "表示時間：{duration}, 長押し中のみ"],
  ["zh", "查看时长: {duration}"],
];

for (const [tag, text] of WRONG) {
  Deno.test(`${tag}: “${text}” is reported`, () => {
    assertEquals(faultsOf(tag, new Map([["it", text]])).length, 1);
  });
}
