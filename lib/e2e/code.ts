/**
 * A code that can be read out: `4821-crystal-orbit-lemon`. The digits are issued by the server and
 * lead to the room. The three words are drawn in the sender's browser, never leave it, and are the
 * password of a CPace run.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { CODE_PATTERN } from "../protocol/signaling.ts";

/**
 * Words of a code. Three of 2,048 are 33 bits, which is enough: every guess costs a run, and after
 * three wrong ones the code is withdrawn.
 */
export const CODE_WORDS = 3;

const LIST_LENGTH = 2_048;

/** No two words of the list begin with the same four letters, so these are enough. */
const DISTINCT_LETTERS = 4;

/** Most suggestions at once: what fits above a phone's keyboard. */
const MAX_SUGGESTIONS = 4;

/** The parts of a code. */
export interface Code {
  /** 4 to 8 digits: the second address of the room. */
  readonly digits: string;
  /** Lower case, joined by hyphens: PRS of the CPace run. */
  readonly words: string;
}

/** What is wrong with what somebody typed. */
export type CodeProblem =
  /** A number or a word is missing, or there are too many. */
  | { readonly reason: "incomplete_code" }
  | { readonly reason: "unknown_word"; readonly word: string };

/**
 * The list of 2,048 words, loaded when somebody creates or types a code. Throws if it can't be
 * loaded.
 */
export async function loadWordlist(): Promise<readonly string[]> {
  const { wordlist } = await import("@scure/bip39/wordlists/english.js");
  if (wordlist.length !== LIST_LENGTH) throw new RangeError("Cannot use word list: wrong length");
  return wordlist;
}

/** Draws the words of a new code from the list. */
export function drawWords(list: readonly string[]): string {
  const random = crypto.getRandomValues(new Uint16Array(CODE_WORDS));
  // 2,048 divides 65,536, so all words are equally likely.
  const words = Array.from(random, (value) => list[value % LIST_LENGTH]).join("-");
  random.fill(0);
  return words;
}

/** The code as it is shown and read out. */
export function formatCode({ digits, words }: Code): string {
  return `${digits}-${words}`;
}

/**
 * Parses what somebody typed, dictated or pasted: in upper or lower case, in any script's digits,
 * with accents and any signs and spaces in between, with words cut to their first four letters or
 * more, and with a sentence around it. Returns the code, or what is wrong with it.
 */
export function parseCode(text: string, list: readonly string[]): Code | CodeProblem {
  const parts = split(text, list);
  return parseWhole(parts, list) ?? findCode(text, parts, list) ?? findProblem(parts, list);
}

/** The code, if `parts` are one number and three words in any order, and nothing else. */
function parseWhole(parts: readonly string[], list: readonly string[]): Code | null {
  const words = parts.filter((part) => !isNumber(part));
  return words.length === CODE_WORDS ? toCode(parts.filter(isNumber), words, list) : null;
}

/**
 * The one code within a sentence: as it is shown, or a number and then exactly three words of the
 * list. `null` if there is none, or if there are several.
 */
function findCode(text: string, parts: readonly string[], list: readonly string[]): Code | null {
  const shown = [...normalize(text).matchAll(AS_SHOWN)].map((match) => split(match[0], list));
  const spoken = parts.flatMap((part, index) =>
    isNumber(part) && !isNumber(parts[index - 1] ?? "") ? [following(parts.slice(index), list)] : []
  );
  for (const candidates of [shown, spoken]) {
    const found = new Map<string, Code>();
    for (const candidate of candidates) {
      const code = parseWhole(candidate, list);
      if (code !== null) found.set(formatCode(code), code);
    }
    const [code] = found.values();
    if (found.size === 1 && code !== undefined) return code;
  }
  return null;
}

/** A code as it is shown, {@linkcode formatCode}; people's words may touch neither of its ends. */
const AS_SHOWN = /\p{Nd}+(?:\p{Pd}[\p{Script=Latin}\p{M}]+){3}(?!\p{Pd}?[\p{Script=Latin}\p{M}])/gu;

/** A word in Latin letters, one in others, which need no space in between, or a number. */
const PART = /\p{Script=Latin}[\p{Script=Latin}\p{M}]*|(?:(?!\p{Script=Latin})\p{L})+|\p{Nd}+/gu;

/**
 * The number at the beginning of `parts`, and the words behind it that may be a code's: those
 * between short ones like “and”, up to the next number and to the first word that is not in the
 * list once there are three.
 */
function following(parts: readonly string[], list: readonly string[]): string[] {
  const start = parts.findIndex((part) => !isNumber(part));
  if (start < 0) return [...parts];
  const taken: string[] = [];
  for (const word of parts.slice(start)) {
    if (isNumber(word)) break;
    const known = findWord(word, list) !== null;
    if (!known && word.length < DISTINCT_LETTERS) continue;
    if (!known && taken.length >= CODE_WORDS) break;
    taken.push(word);
  }
  return [...parts.slice(0, start), ...taken];
}

function toCode(
  numbers: readonly string[],
  words: readonly string[],
  list: readonly string[],
): Code | null {
  const digits = numbers.join("");
  const found = words.flatMap((word) => findWord(word, list) ?? []);
  if (!CODE_PATTERN.test(digits) || found.length !== CODE_WORDS) return null;
  return { digits, words: found.join("-") };
}

function findProblem(parts: readonly string[], list: readonly string[]): CodeProblem {
  const words = (some: readonly string[]) => some.filter((part) => !isNumber(part));
  const start = parts.findIndex(isNumber);
  // A sentence has words before the code that have nothing to do with it.
  const behind = start < 0 ? [] : words(following(parts.slice(start), list)).slice(0, CODE_WORDS);
  const meant = behind.length === CODE_WORDS ? behind : words(parts);
  const word = meant.find((item) => findWord(item, list) === null);
  return word === undefined ? { reason: "incomplete_code" } : { reason: "unknown_word", word };
}

/**
 * Completions of the word that is being typed at the end of `text`. None if it is complete or
 * shorter than two letters.
 */
export function suggestWords(text: string, list: readonly string[]): readonly string[] {
  const begun = lastWord(text);
  if (begun.length < 2 || list.includes(begun)) return [];
  return list.filter((word) => word.startsWith(begun)).slice(0, MAX_SUGGESTIONS);
}

/** `text` with the word at its end replaced by `word`, ready for the next one. */
export function completeWord(text: string, word: string): string {
  const rest = text.replace(/[\p{L}\p{M}]*$/u, "");
  const whole = (rest.match(/[\p{L}\p{M}]+/gu) ?? []).length + 1 >= CODE_WORDS;
  return `${rest}${word}${whole ? "" : "-"}`;
}

/** The words and numbers of a text, the numbers in plain digits. */
function split(text: string, list: readonly string[]): string[] {
  const parts = normalize(text).match(PART) ?? [];
  return parts.flatMap((part) => {
    if (/^\p{Nd}/u.test(part)) return part.replace(/\p{Nd}/gu, toDigit);
    const word = part.toLowerCase();
    return findWord(word, list) === null ? splitCamelCase(part) : word;
  });
}

/** `CrystalOrbitLemon` as three words. */
function splitCamelCase(part: string): string[] {
  const humps = part.match(/\p{Lu}[\p{Ll}\p{M}]+/gu) ?? [];
  const words = humps.join("") === part ? humps : [part];
  return words.map((word) => word.toLowerCase());
}

function lastWord(text: string): string {
  return toPlain(/[\p{L}\p{M}]*$/u.exec(normalize(text).toLowerCase())?.[0] ?? "");
}

/** Full-width and other forms of letters and digits as the plain ones, without invisible signs. */
function normalize(text: string): string {
  return text.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
}

/** A word as it may be in the list: without accents, and with a Turkish i as any other. */
function toPlain(word: string): string {
  return word.normalize("NFKD").replace(/\p{M}/gu, "").replaceAll("ı", "i");
}

/** The plain digit for one of any script: Unicode has each script's ten in a row, from 0 to 9. */
function toDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let before = 0;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(code - before - 1))) before++;
  // Some scripts follow each other without a gap.
  return String(before % 10);
}

function isNumber(part: string): boolean {
  return /^\d/.test(part);
}

function findWord(word: string, list: readonly string[]): string | null {
  const plain = toPlain(word);
  if (list.includes(plain)) return plain;
  if (plain.length < DISTINCT_LETTERS) return null;
  return list.find((item) => item.startsWith(plain)) ?? null;
}
