import type { Outgoing } from "../../lib/pictures/outgoing.ts";
import {
  free,
  OutboxFullError,
  OutgoingList,
  type OutgoingPicture,
} from "../../lib/pictures/outgoing_list.ts";
import type { Prepared } from "../../lib/image/prepared.ts";
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { settle } from "../support/fake_time.ts";
import { prepared } from "./pictures.ts";

const CLOSED = { at: "closed", why: "timer", ms: 3 } as const;

/** A list, and what it told. */
function start(...states: readonly Outgoing[]) {
  const changes: OutgoingPicture[] = [];
  const told = { queue: 0 };
  const list = new OutgoingList({
    onChange: (picture) => void changes.push(picture),
    onQueue: () => void told.queue++,
    states,
  });
  const add = (...names: readonly string[]) => {
    for (const name of names) list.add({ name, prepared: prepared(), rules: DEFAULT_RULES });
  };
  const all = () => list.pictures.peek();
  return { list, changes, told, add, all, id: (n: number) => all()[n]?.id ?? -1 };
}

Deno.test("pictures are numbered in their order, and told of once", () => {
  const { add, all, changes, told } = start();
  add("a", "b");
  assertEquals(all().map(({ n, name, state }) => [n, name, state.at]), [
    [0, "a", "queued"],
    [1, "b", "queued"],
  ]);
  assertEquals([changes.length, told.queue], [2, 2]);
});

Deno.test("the 21st picture is refused, and nothing else changes", () => {
  const { add, all } = start();
  for (let i = 0; i < 20; i++) add(`${i}`);
  assertThrows(() => add("one more"), OutboxFullError);
  assertEquals(all().length, 20);
});

Deno.test("whatever was announced can't be changed, moved, removed or replaced", () => {
  const { list, add, id, all } = start();
  add("a", "b", "c");
  list.apply(0, { type: "progress", sent: 0 });
  const late = prepared();
  assertEquals([list.change(id(0), { caption: "late" }), list.edit(id(0), true)], [false, false]);
  assertEquals([list.remove(id(0)), list.replace(id(0), late)], [null, false]);
  assertEquals([list.move(id(0), 1), list.move(id(1), -1), list.move(id(2), 1)], [
    false,
    false,
    false,
  ]);
  assert(list.move(id(2), -1));
  assertEquals(all().map(({ n, name }) => [n, name]), [[0, "a"], [1, "c"], [2, "b"]]);
  assertEquals([all()[0]?.caption, late.thumbnail.closes], ["", 0]);
});

Deno.test("rules change for pictures that were not announced, and only for those", () => {
  const { list, add, all } = start();
  add("a", "b");
  list.apply(0, { type: "progress", sent: 0 });
  list.setRules({ seconds: 60 });
  assertEquals(all().map(({ rules }) => rules.seconds), [DEFAULT_RULES.seconds, 60]);
});

Deno.test("a version that was replaced is freed; one that was removed is its taker's", () => {
  const { list, id } = start();
  const [first, second] = [prepared(), prepared()];
  list.add({ name: "a", prepared: first, rules: DEFAULT_RULES });
  assert(list.replace(id(0), second));
  const removed = list.remove(id(0));
  assertEquals([first.thumbnail.closes, second.thumbnail.closes], [1, 0]);
  assert(removed !== null);
  free(removed);
  assertEquals(second.thumbnail.closes, 1);
});

Deno.test("progress changes the picture, but is not told", () => {
  const { list, add, all, changes } = start();
  add("a");
  list.apply(0, { type: "progress", sent: 0 });
  const before = changes.length;
  list.apply(0, { type: "progress", sent: 7 });
  assertEquals(all()[0]?.state, { at: "sending", sent: 7 });
  assertEquals(changes.length, before);
});

Deno.test("an impossible event changes nothing and returns false", () => {
  const { list, add, all } = start();
  add("a");
  const before = all();
  assertEquals([list.apply(0, { type: "got" }), list.apply(1, { type: "got" })], [false, false]);
  assertEquals(all(), before);
});

Deno.test("a finished picture is freed, and what was asked for it is settled", () => {
  const { list, all } = start();
  const picture = prepared();
  list.add({ name: "a", prepared: picture, rules: DEFAULT_RULES });
  list.put(0, { request: "more" });
  list.apply(0, { type: "burn" });
  assertEquals([all()[0]?.request, picture.thumbnail.closes], [null, 1]);
});

Deno.test("a picture is sent once prepared; one that can’t be leaves the list", async () => {
  const { list, all, told } = start();
  const [good, bad] = [Promise.withResolvers<Prepared>(), Promise.withResolvers<Prepared>()];
  for (const { promise } of [good, bad]) {
    list.add({ name: "x", prepared: promise, rules: DEFAULT_RULES });
  }
  assertEquals(all().map(({ prepared }) => prepared), [null, null]);
  const before = told.queue;
  good.resolve(prepared());
  bad.reject(new Error("undecodable"));
  await settle();
  list.lose(bad.promise);
  assertEquals(all().map(({ prepared, coming }) => [prepared !== null, coming]), [[true, null]]);
  assert(told.queue > before);
});

Deno.test("what comes too late is freed", async () => {
  const { list } = start();
  const coming = Promise.withResolvers<Prepared>();
  list.add({ name: "x", prepared: coming.promise, rules: DEFAULT_RULES });
  list.apply(0, { type: "burn" });
  const late = prepared();
  coming.resolve(late);
  await settle();
  assertEquals(late.thumbnail.closes, 1);
});

Deno.test("a reloaded page knows what was opened, and that there was more", () => {
  const { list, add } = start(CLOSED, { at: "opened" });
  assertEquals(list.remembered, { states: [CLOSED, { at: "opened" }], pending: false });
  assertEquals(list.first, 1);
  add("a");
  assertEquals(list.remembered, { states: [CLOSED, { at: "opened" }], pending: true });
});

Deno.test("after a reload unopened pictures are queued again, behind the opened ones", () => {
  const { list, add, all } = start();
  add("a", "b", "c");
  for (const n of [0, 1]) {
    list.apply(n, { type: "progress", sent: 0 });
    list.apply(n, { type: "got" });
  }
  list.apply(1, { type: "open", ask: false });
  list.restart();
  assertEquals(all().map(({ n, name, state }) => [n, name, state.at]), [
    [0, "b", "opened"],
    [1, "a", "queued"],
    [2, "c", "queued"],
  ]);
});

Deno.test("at the end nobody has seen the rest, nor what is added then", () => {
  const { list, add, all } = start();
  add("a");
  list.end();
  add("b");
  assertEquals(all().map(({ state }) => state.at), ["unseen", "unseen"]);
  assertEquals(list.takeUnseen().map(({ name }) => name), ["a", "b"]);
  assertEquals(all(), []);
});
