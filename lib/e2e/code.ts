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
 * Parses what somebody typed: in upper or lower case, with any signs and spaces in between, and
 * with words cut to their first four letters or more. Returns the code, or what is wrong with it.
 */
export function parseCode(text: string, list: readonly string[]): Code | CodeProblem {
  const parts = split(text);
  const digits = parts.filter(isNumber).join("");
  const words: string[] = [];
  for (const part of parts.filter((item) => !isNumber(item))) {
    const word = findWord(part, list);
    if (word === null) return { reason: "unknown_word", word: part };
    words.push(word);
  }
  if (!CODE_PATTERN.test(digits) || words.length !== CODE_WORDS) {
    return { reason: "incomplete_code" };
  }
  return { digits, words: words.join("-") };
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
  const rest = text.replace(/\p{L}*$/u, "");
  const whole = split(rest).filter((part) => !isNumber(part)).length + 1 >= CODE_WORDS;
  return `${rest}${word}${whole ? "" : "-"}`;
}

function split(text: string): string[] {
  return normalize(text).match(/\p{L}+|\d+/gu) ?? [];
}

function lastWord(text: string): string {
  return /\p{L}*$/u.exec(normalize(text))?.[0] ?? "";
}

/** Converts full-width and other forms of letters and digits to the plain ones. */
function normalize(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

function isNumber(part: string): boolean {
  return /^\d/.test(part);
}

function findWord(part: string, list: readonly string[]): string | null {
  if (list.includes(part)) return part;
  if (part.length < DISTINCT_LETTERS) return null;
  return list.find((word) => word.startsWith(part)) ?? null;
}
