/**
 * The short authentication string: 42 bits as 7 emoji, as their names, and as digits. If somebody
 * swapped the keys, the two sides see different ones.
 *
 * This module is browser compatible.
 *
 * @module
 */

/**
 * 64 pictures that people call by one short name, and that look different from each other at any
 * size.
 */
export const SAS_EMOJI: readonly (readonly [emoji: string, name: string])[] = [
  ["🐶", "dog"],
  ["🐱", "cat"],
  ["🦁", "lion"],
  ["🐴", "horse"],
  ["🦄", "unicorn"],
  ["🐷", "pig"],
  ["🐘", "elephant"],
  ["🐰", "rabbit"],
  ["🐼", "panda"],
  ["🐓", "rooster"],
  ["🐧", "penguin"],
  ["🐢", "turtle"],
  ["🐟", "fish"],
  ["🐙", "octopus"],
  ["🦋", "butterfly"],
  ["🐝", "bee"],
  ["🌸", "blossom"],
  ["🌳", "tree"],
  ["🌵", "cactus"],
  ["🍄", "mushroom"],
  ["🌍", "globe"],
  ["🌙", "moon"],
  ["☁️", "cloud"],
  ["🔥", "fire"],
  ["🌈", "rainbow"],
  ["⛄", "snowman"],
  ["🍌", "banana"],
  ["🍎", "apple"],
  ["🍓", "strawberry"],
  ["🌽", "corn"],
  ["🍕", "pizza"],
  ["🎂", "cake"],
  ["🍋", "lemon"],
  ["🥕", "carrot"],
  ["🧀", "cheese"],
  ["🥚", "egg"],
  ["☂️", "umbrella"],
  ["⏰", "clock"],
  ["🎁", "gift"],
  ["💡", "lamp"],
  ["📕", "book"],
  ["✏️", "pencil"],
  ["📎", "clip"],
  ["✂️", "scissors"],
  ["🔑", "key"],
  ["🔨", "hammer"],
  ["☎️", "telephone"],
  ["🏁", "flag"],
  ["🚂", "train"],
  ["🚲", "bicycle"],
  ["✈️", "plane"],
  ["🚀", "rocket"],
  ["⛵", "boat"],
  ["⚓", "anchor"],
  ["🏆", "cup"],
  ["⚽", "ball"],
  ["🎸", "guitar"],
  ["🎺", "trumpet"],
  ["🔔", "bell"],
  ["🎩", "hat"],
  ["👓", "glasses"],
  ["🧦", "sock"],
  ["🎈", "balloon"],
  ["🤖", "robot"],
];

/** Number of emoji in a SAS. */
const SAS_COUNT = 7;

/**
 * Groups of digits in the SAS, and bits of each: 1,000 plus 13 bits are always four digits without
 * a leading zero.
 */
const DIGIT_GROUPS = 3;
const GROUP_BITS = 13;

/**
 * The 7 indices into {@linkcode SAS_EMOJI}: the top 42 bits of the 6 SAS bytes, 6 at a time.
 * Throws `RangeError` for fewer than 6 bytes.
 */
export function sasIndices(sas: Uint8Array): readonly number[] {
  return Array.from({ length: SAS_COUNT }, (_, i) => bitsAt(sas, i * 6, 6));
}

/**
 * The SAS as three groups of four digits, for people who can't see the pictures: its first 39 bits.
 * Throws `RangeError` for fewer than 6 bytes.
 */
export function sasDigits(sas: Uint8Array): string {
  const groups = Array.from(
    { length: DIGIT_GROUPS },
    (_, i) => 1_000 + bitsAt(sas, i * GROUP_BITS, GROUP_BITS),
  );
  return groups.join(" ");
}

function bitsAt(sas: Uint8Array, start: number, length: number): number {
  if (sas.length < 6) throw new RangeError("Cannot show SAS: needs 6 bytes");
  const bits = Array.from(sas.subarray(0, 6), (byte) => byte.toString(2).padStart(8, "0")).join("");
  return parseInt(bits.slice(start, start + length), 2);
}

/** The SAS as `[emoji, name]` pairs, in order. */
export function sasEmoji(sas: Uint8Array): readonly (readonly [emoji: string, name: string])[] {
  return sasIndices(sas).map((index) => {
    const entry = SAS_EMOJI[index];
    if (entry === undefined) throw new RangeError("Cannot show SAS: index out of range");
    return entry;
  });
}
