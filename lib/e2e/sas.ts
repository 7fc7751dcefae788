/**
 * The short authentication string: 42 bits as 7 emoji, as their names, and as digits. Whoever swapped the keys
 * would make the two sides see different ones.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** 64 pictures that people call by one short name, and that look unlike each other at any size. */
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
 * The 7 indices into {@linkcode SAS_EMOJI}: the top 42 bits of the 6 SAS bytes, 6 at a time.
 * Throws `RangeError` for fewer than 6 bytes.
 */
export function sasIndices(sas: Uint8Array): readonly number[] {
  if (sas.length < 6) throw new RangeError("Cannot show SAS: needs 6 bytes");
  const bits = Array.from(sas.subarray(0, 6), (byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from({ length: SAS_COUNT }, (_, i) => parseInt(bits.slice(i * 6, i * 6 + 6), 2));
}

/** The SAS as `[emoji, name]` pairs, in order. */
export function sasEmoji(sas: Uint8Array): readonly (readonly [emoji: string, name: string])[] {
  return sasIndices(sas).map((index) => {
    const entry = SAS_EMOJI[index];
    if (entry === undefined) throw new RangeError("Cannot show SAS: index out of range");
    return entry;
  });
}
