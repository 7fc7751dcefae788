/**
 * Pictures whose headers were damaged: whatever happened to a file, what <img> shows of it is
 * taken.
 *
 * @module
 */
import type { Property } from "../properties/property.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import type { Finding, Picture } from "./bench.ts";

/** What may be done to a file, within its first bytes. */
type Damage =
  | { readonly kind: "set"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "remove"; readonly at: number; readonly count: number }
  | { readonly kind: "cut"; readonly at: number };

/** Headers are within the first few hundred bytes of files as small as these. */
const HEADER_BYTES = 700;
/** What cleaning may add to a file: a header, a neutral color profile, an orientation. */
const MOST_ADDED = 4_096;
/** The most that redrawing may need, per pixel. */
const MOST_PER_PIXEL = 8;

const at = fc.nat(HEADER_BYTES);
const bytes = fc.uint8Array({ minLength: 1, maxLength: 4 });

const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("set" as const), at, bytes }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("insert" as const), at, bytes }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("remove" as const),
      at,
      count: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), at: fc.nat(20_000) }) },
);

/** Applies one damage to a file. */
export function damaged(file: Uint8Array, what: Damage): Uint8Array<ArrayBuffer> {
  switch (what.kind) {
    case "set": {
      const copy = file.slice();
      for (const [i, byte] of what.bytes.entries()) {
        if (what.at + i < copy.length) copy[what.at + i] = byte;
      }
      return copy;
    }
    case "insert":
      return joined(file.subarray(0, what.at), what.bytes, file.subarray(what.at));
    case "remove":
      return joined(file.subarray(0, what.at), file.subarray(what.at + what.count));
    case "cut":
      return file.slice(0, file.length - what.at);
    default:
      return what satisfies never;
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}

/**
 * Fails if a picture is refused that shows, even in part, the page hangs, or more is sent than
 * possible.
 */
export function assertTaken(finding: Finding, length: number): void {
  if (finding.kind === "lost") throw new Error(`No answer: ${finding.why}`);
  const { shown, outcome } = finding.look;
  if (outcome.ok) {
    assertEquals(outcome.unseen, null, "it was taken, so it can be decoded");
    const most = length + MOST_ADDED + outcome.width * outcome.height * MOST_PER_PIXEL;
    assert(outcome.size <= most, `${outcome.size} bytes of ${length}`);
    return;
  }
  const seen = shown?.whole === false ? "shown in part" : "shown";
  assert(shown === null, `refused as ${outcome.reason}, and ${seen} by <img>`);
}

/**
 * The property, for pictures that are intact to begin with. `look` puts one through the product.
 */
export function damageProperty(
  pictures: readonly Picture[],
  look: (picture: Picture) => Promise<Finding>,
): Property {
  return {
    name: "a picture with a damaged header is taken if <img> shows any of it",
    runs: 120,
    property: fc.asyncProperty(
      // By name, so that a report shows it.
      fc.constantFrom(...pictures.map(({ name }) => name)),
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      async (name, damages) => {
        const bytes = pictures.find((picture) => picture.name === name)?.bytes;
        if (bytes === undefined) throw new Error(`No picture ${name}`);
        const file = damages.reduce<Uint8Array<ArrayBuffer>>(damaged, bytes);
        assertTaken(await look({ name, bytes: file }), file.length);
      },
    ),
  };
}
