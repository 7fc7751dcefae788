import { OutgoingList } from "../../lib/pictures/outgoing_list.ts";
import { PictureSender } from "../../lib/pictures/picture_sender.ts";
import { parseHeader } from "../../lib/protocol/record.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { STEADY } from "../connection/keys.ts";
import { linkPair } from "../connection/link_pair.ts";
import { ProtocolError } from "../../lib/e2e/suite.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { settle, until } from "../support/fake_time.ts";
import { bigPng, prepared, smallPng } from "./pictures.ts";

/** A sender with its list, and what arrives at the other end of a link. */
async function start() {
  const { s, r } = await linkPair();
  const heard: ControlMessage[] = [];
  const records: Bytes[] = [];
  const list = new OutgoingList({ onChange: () => {}, onQueue: () => sender.pump(), states: [] });
  const sender = new PictureSender(list);
  r.link.listen({
    ...STEADY,
    onControl: ({ message }) => void heard.push(message),
    onRecord: (record) => void records.push(record),
    onEnd: () => {},
  });
  return {
    sender,
    list,
    s,
    heard,
    add: (bytes = smallPng()) => {
      const picture = prepared(bytes);
      list.add({ name: "x", prepared: picture, rules: DEFAULT_RULES });
      return picture;
    },
    /** Picture and chunk of each record. */
    arrived: () =>
      records.map((record) => {
        const header = parseHeader(record);
        return header === null ? "none" : `${header.image}:${header.seq}`;
      }),
    said: () => heard.map((message) => "n" in message ? `${message.t} ${message.n}` : message.t),
  };
}

Deno.test("a second picture goes ahead once the first is there, a third waits", async () => {
  const { sender, list, s, add, said } = await start();
  for (let i = 0; i < 3; i++) add();
  sender.attach(s.link);
  await until(() => said().includes("end 0"), "the first was sent");
  await settle(20);
  assertEquals([said(), sender.wasSent(0), sender.wasSent(1)], [["meta 0", "end 0"], true, false]);
  list.apply(0, { type: "got" });
  sender.pump();
  await until(() => said().includes("end 1"), "the second was sent");
  list.apply(1, { type: "got" });
  sender.pump();
  await settle(20);
  assertEquals(said(), ["meta 0", "end 0", "meta 1", "end 1"]);
});

Deno.test("a key exists from the announcement until its picture ended", async () => {
  const { sender, s, add, said } = await start();
  add();
  await assertRejects(() => sender.releaseKey(0), ProtocolError);
  sender.attach(s.link);
  await until(() => said().includes("end 0"), "it was sent");
  await sender.releaseKey(0);
  await until(() => said().includes("key 0"), "the key came");
  sender.finish(0);
  await assertRejects(() => sender.releaseKey(0), ProtocolError);
});

Deno.test("after a detach nothing old counts, and the picture is sent anew", async () => {
  const { sender, list, s, add, arrived } = await start();
  s.files.stuck = true;
  add(bigPng(2_000_000));
  sender.attach(s.link);
  await until(() => arrived().length > 0, "it is on its way");
  sender.detach(0);
  list.restart();
  s.files.drain(Infinity);
  await settle(20);
  assertEquals(list.pictures.peek().map(({ state }) => state), [{ at: "queued" }]);
  await assertRejects(() => sender.releaseKey(0), ProtocolError);
  const other = await linkPair();
  const again: string[] = [];
  other.r.link.listen({
    ...STEADY,
    onControl: ({ message }) => void again.push(message.t),
    onRecord: () => {},
    onEnd: () => {},
  });
  sender.attach(other.s.link);
  await until(() => again.includes("end"), "all of it was sent again");
  assertEquals(again, ["meta", "end"]);
});

Deno.test("two transports in a row resume once, from the last position", async () => {
  const { sender, s, add, arrived, said } = await start();
  s.files.stuck = true;
  add(bigPng(400_000));
  sender.attach(s.link);
  await until(() => arrived().length > 0, "it is on its way");
  const resumed = [{ image: 0, chunk: 0 }, { image: 0, chunk: 3 }].map((at) => sender.resume(at));
  const before = arrived().length;
  s.files.stuck = false;
  s.files.drain(Infinity);
  await Promise.all(resumed);
  await until(() => said().includes("end 0"), "it was sent");
  const after = arrived().slice(before).slice(-4);
  assertEquals(after, ["0:3", "0:4", "0:5", "0:6"]);
  assertEquals(said().filter((what) => what === "end 0").length, 1);
});

Deno.test("a picture that is edited or not prepared holds back those behind it", async () => {
  const { sender, list, s, add, said } = await start();
  add();
  add();
  const [first] = list.pictures.peek();
  list.edit(first?.id ?? -1, true);
  sender.attach(s.link);
  await settle(20);
  assertEquals(said(), []);
  list.edit(first?.id ?? -1, false);
  await until(() => said().includes("meta 0"), "it is announced");
});

Deno.test("without a link the next picture is read ahead; another one stops that", async () => {
  const { list, add } = await start();
  const { blob } = add();
  const cancelled: string[] = [];
  const stream = blob.stream.bind(blob);
  const [picture] = list.pictures.peek();
  assert(picture !== undefined);
  const next = prepared();
  Object.assign(next.blob, {
    stream: () => {
      const source = stream();
      return {
        getReader: () => {
          const reader = source.getReader();
          return {
            read: () => reader.read(),
            cancel: () => Promise.resolve(void cancelled.push("next")),
          };
        },
      };
    },
  });
  list.replace(picture.id, next);
  assertEquals(cancelled, []);
  list.remove(picture.id);
  assertEquals(cancelled, ["next"]);
});
