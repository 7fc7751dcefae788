import { Picker } from "../../lib/pages/picker.ts";
import type { OutgoingContent } from "../../lib/pictures/outgoing_list.ts";
import type { Prepared } from "../../lib/image/prepared.ts";
import { UNTOUCHED } from "../../lib/image/edits.ts";
import { ImageError } from "../../lib/image/errors.ts";
import { svg } from "../support/image_bytes.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { made, smallPng } from "../pictures/pictures.ts";

/** Prepares when a test allows it. */
class FakePreparer {
  running = 0;
  most = 0;
  answer: () => Promise<void> = () => Promise.resolve();

  async prepare(source: Blob): Promise<Prepared> {
    this.most = Math.max(this.most, ++this.running);
    try {
      await this.answer();
      return { ...await made(source), source, edits: UNTOUCHED };
    } finally {
      this.running--;
    }
  }
}

function start() {
  const preparer = new FakePreparer();
  const picker = new Picker(preparer);
  const taken: OutgoingContent[] = [];
  const lost: Promise<Prepared>[] = [];
  const taker = {
    room: Infinity,
    take(content: OutgoingContent): boolean {
      if (taken.length >= this.room) return false;
      taken.push(content);
      return true;
    },
    lose: (coming: Promise<Prepared>) => void lost.push(coming),
  };
  return {
    preparer,
    picker,
    taken,
    lost,
    taker,
    pick: (...files: readonly File[]) => picker.pick(files, taker),
  };
}

function png(name: string): File {
  return new File([smallPng()], name);
}

Deno.test("good files are handed on in order, with the rules that are chosen", async () => {
  const { picker, taken, pick } = start();
  picker.rules.value = { ...picker.rules.value, seconds: 30 };
  await pick(png("a.png"), png("b.png"));
  assertEquals(taken.map(({ name, rules }) => [name, rules.seconds]), [["a.png", 30], [
    "b.png",
    30,
  ]]);
  assertEquals([picker.problems.value, picker.preparing.value], [[], false]);
});

Deno.test("a wrong file is named with its reason; good ones are handed on", async () => {
  const { picker, taken, pick } = start();
  const wrong = new File([new Uint8Array(svg())], "drawing.svg");
  await pick(png("a.png"), wrong, png("b.png"));
  assertEquals(picker.problems.value, [{ reason: "svg", name: "drawing.svg" }]);
  assertEquals(taken.map(({ name }) => name), ["a.png", "b.png"]);
});

Deno.test("a file that can't be decoded is a problem like any other", async () => {
  const { picker, preparer, taken, lost, pick } = start();
  preparer.answer = () => Promise.reject(new ImageError("undecodable"));
  await pick(png("a.png"));
  assertEquals(picker.problems.value, [{ reason: "undecodable", name: "a.png" }]);
  // It was handed on before that was known, and its owner is told.
  assertEquals(lost, taken.map(({ prepared }) => prepared));
  await assertRejects(() => lost[0] ?? Promise.resolve(), ImageError);
});

Deno.test("the next choice clears the last problem", async () => {
  const { picker, pick } = start();
  picker.refuse({ reason: "too_many", name: "x.png" });
  await pick(png("a.png"));
  assertEquals(picker.problems.value, []);
});

Deno.test("choosing no files changes nothing: a problem stays", async () => {
  const { picker, pick } = start();
  picker.refuse({ reason: "too_many", name: "x.png" });
  await pick();
  assertEquals(picker.problems.value, [{ reason: "too_many", name: "x.png" }]);
});

Deno.test("two files are never prepared at once", async () => {
  const { preparer, taken, pick } = start();
  preparer.answer = () => new Promise((resolve) => setTimeout(resolve, 5));
  await pick(png("a.png"), png("b.png"), png("c.png"));
  assertEquals([preparer.most, taken.length], [1, 3]);
});

Deno.test("preparing is reported, and survives an unexpected error", async () => {
  const { picker, preparer, taken, pick } = start();
  const gate = Promise.withResolvers<void>();
  preparer.answer = () => gate.promise;
  const picking = pick(png("a.png"));
  assertEquals(picker.preparing.value, true);
  gate.reject(new RangeError("unforeseen"));
  await assertRejects(() => picking, RangeError);
  assertEquals(picker.preparing.value, false);
  assertEquals(picker.problems.value, [{ reason: "crashed", name: "a.png" }]);
  preparer.answer = () => Promise.resolve();
  await pick(png("b.png"));
  assertEquals(picker.problems.value, []);
  assertEquals((await taken[1]?.prepared)?.type, "image/png");
});

Deno.test("what looks like a picture is handed on before it is prepared, in order", async () => {
  const { preparer, taken, pick } = start();
  const gate = Promise.withResolvers<void>();
  preparer.answer = () => gate.promise;
  const picking = pick(png("a.png"), png("b.png"));
  while (taken.length < 2) await new Promise((resolve) => setTimeout(resolve));
  assertEquals(taken.map(({ name }) => name), ["a.png", "b.png"]);
  gate.resolve();
  await picking;
  for (const { prepared } of taken) assertEquals((await prepared).type, "image/png");
});

Deno.test("several wrong files are each named, despite an unexpected error", async () => {
  const { picker, preparer, taken, lost, pick } = start();
  const answers = [
    () => Promise.reject(new ImageError("truncated")),
    () => Promise.reject(new RangeError("unforeseen")),
    () => Promise.resolve(),
  ];
  preparer.answer = () => answers.shift()?.() ?? Promise.resolve();
  const wrong = new File([new Uint8Array(svg())], "drawing.svg");
  const picking = pick(png("a.png"), png("b.png"), png("c.png"), wrong);
  await assertRejects(() => picking, RangeError);
  assertEquals(picker.problems.value, [
    { reason: "truncated", name: "a.png" },
    { reason: "crashed", name: "b.png" },
    { reason: "svg", name: "drawing.svg" },
  ]);
  assertEquals([taken.length, lost.length], [3, 2]);
  assertEquals((await taken[2]?.prepared)?.type, "image/png");
});

Deno.test("what nobody wants any more is not prepared", async () => {
  const { preparer, taker, pick } = start();
  let prepared = 0;
  preparer.answer = () => Promise.resolve(void prepared++);
  taker.room = 1;
  await pick(png("a.png"), png("b.png"));
  assertEquals(prepared, 1);
});
