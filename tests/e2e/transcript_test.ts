/**
 * What known_answers_test.ts can't show: nothing can be moved from one input to its neighbor, and
 * nothing left out.
 */
import {
  bindingInput,
  codeChannel,
  codeSession,
  commitTo,
  confirmationS,
  deriveKey,
  type KeyLabel,
  keyMaterial,
  rebindingInput,
  stripeTranscript,
  transcript1,
  transcript2,
} from "../../lib/e2e/transcript.ts";
import { MODE } from "../../lib/protocol/handshake.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { assertEquals } from "../support/assert.ts";

function bytes(...values: number[]): Bytes {
  return new Uint8Array(values);
}

function distinct(values: readonly Bytes[]): void {
  assertEquals(new Set(values.map((value) => value.join())).size, values.length);
}

Deno.test("the first transcript depends on each of its parts and their borders", async () => {
  const parts = {
    mode: MODE.link,
    room: bytes(1, 2),
    commit: bytes(3, 4),
    helloS: bytes(5, 6),
    helloR: bytes(7, 8),
  };
  distinct(
    await Promise.all([
      transcript1(parts),
      transcript1({ ...parts, mode: MODE.code }),
      transcript1({ ...parts, room: bytes(1) }),
      transcript1({ ...parts, commit: bytes(3, 5) }),
      transcript1({ ...parts, helloS: bytes(5, 6, 7), helloR: bytes(8) }),
      transcript1({ ...parts, helloS: bytes(5), helloR: bytes(6, 7, 8) }),
      transcript1({ ...parts, helloS: parts.helloR, helloR: parts.helloS }),
    ]),
  );
});

Deno.test("the second one depends on the ciphertext, and on whether there was a code", async () => {
  const th1 = new Uint8Array(32);
  distinct(
    await Promise.all([
      transcript2(th1, bytes(1, 2)),
      transcript2(th1, bytes(1), bytes(2)),
      transcript2(th1, bytes(1, 2), bytes()),
      transcript2(bytes(1), bytes(1, 2)),
    ]),
  );
});

Deno.test("a commitment is bound to the mode in clear and to the HELLO", async () => {
  const commits = await Promise.all([
    commitTo(MODE.link, bytes(1)),
    commitTo(MODE.code, bytes(1)),
    commitTo(MODE.link, bytes(2)),
  ]);
  distinct(commits);
  assertEquals(commits.map(({ length }) => length), [35, 35, 35]);
});

Deno.test("each label, transcript and further connection has its own keys", async () => {
  const ikm = keyMaterial(bytes(1), bytes(2), bytes(3));
  const labels: readonly KeyLabel[] = [
    "confirm S",
    "confirm R",
    "bind S",
    "bind R",
    "sig S",
    "sig R",
    "ctl S",
    "ctl R",
    "rep S",
    "rep R",
    "resume",
    "stripes",
  ];
  const th2 = new Uint8Array(32);
  const transcripts = [th2, ...await Promise.all([1, 2, 3].map((n) => stripeTranscript(th2, n)))];
  distinct(
    await Promise.all(
      transcripts.flatMap((th) => labels.map((label) => deriveKey(ikm, th, label))),
    ),
  );
  distinct([
    ikm,
    keyMaterial(bytes(1, 2), bytes(), bytes(3)),
    keyMaterial(bytes(2), bytes(1), bytes(3)),
  ]);
});

Deno.test("nothing that is confirmed or bound can be read as something else", async () => {
  const [th2, a, b] = [bytes(9, 9), bytes(1, 1), bytes(2, 2)];
  distinct([
    confirmationS(th2, a),
    bindingInput(th2, a, b),
    bindingInput(th2, b, a),
    rebindingInput(th2, a),
    codeChannel(a),
    await codeSession(th2, a, b),
    await codeSession(th2, bytes(1, 1, 2), bytes(2)),
  ]);
});
