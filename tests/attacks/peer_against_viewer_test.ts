/**
 * A hostile sender against a viewer's page: they gain nothing, the viewer sees a clear message, and
 * what ends the session is listed in docs/threat-model.md.
 *
 * @module
 */
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { pngOfSize } from "../support/image_bytes.ts";
import type { Viewer } from "../support/flow.ts";
import {
  assertCalm,
  assertGone,
  assertNothingSeen,
  assertStopped,
  assertUnharmed,
  type Attack,
  attackTest,
  closeStage,
  honestPicture,
  inLanes,
  toBase64,
  tracesOf,
} from "./peer_stage.ts";

Deno.test.afterAll(closeStage);

/** Four chunks, the last one short. */
const FOUR_CHUNKS = pngOfSize(200_000);
const fourChunks = {
  bytes: toBase64(FOUR_CHUNKS.bytes),
  w: FOUR_CHUNKS.width,
  h: FOUR_CHUNKS.height,
};

/** Delivers an honest picture. */
async function delivered({ attacker, victim }: Attack<Viewer>): Promise<void> {
  await attacker.evaluate(
    async (bytes) => await evil.send(await evil.pack({ bytes })),
    await honestPicture(),
  );
  await victim.waitPhase("delivered");
}

/** Delivers an honest picture, and releases its key when the viewer asks. */
async function viewing({ attacker, victim }: Attack<Viewer>): Promise<void> {
  await attacker.evaluate(async (bytes) => {
    const parcel = await evil.pack({ bytes });
    await evil.send(parcel);
    evil.hears("open").then(() => evil.say({ t: "key", n: 0, key: parcel.key }));
  }, await honestPicture());
  await victim.waitPhase("delivered");
  await victim.look();
}

/**
 * Fails unless the viewer reads that the picture did not arrive as it was sent. The session
 * continues, and the viewer can leave it.
 */
async function assertRefused(attack: Attack<Viewer>, pattern = /not arrive as it was sent/) {
  const { attacker, victim } = attack;
  await victim.waitPhase("closed");
  assertMatch(await victim.text(), pattern);
  await assertNothingSeen(attack);
  await assertCalm(victim);
  const [said, ended] = await attacker.evaluate(() => [evil.heard.at(-1)?.t, evil.ended]);
  assertEquals([said, ended], ["abort", null]);
  await victim.leave();
  assertEquals(await victim.waitReason("ended"), "left");
}

attackTest("the hostile peer's tools work: what it seals honestly is shown", async (stage) => {
  using attack = await stage.viewer();
  await viewing(attack);
  assert((await tracesOf(attack.victim)).painted > 0, "the traces tell of a painted picture");
  assertEquals(await attack.attacker.evaluate(() => evil.heard.map(({ t }) => t)), [
    "got",
    "open",
    "shown",
  ]);
  await assertUnharmed(attack.victim);
});

// Chunks

type Change = "repeated" | "reordered" | "cut short" | "appended" | "two finals" | "no final";
type OddChunk = "wrong index" | "wrong picture" | "not a chunk" | "empty" | "too long";

attackTest(
  "chunks that are not exactly the next one stop the session, and nothing of the picture is kept",
  async (stage) => {
    const changes: readonly (Change | OddChunk)[] = [
      "repeated",
      "reordered",
      "cut short",
      "appended",
      "two finals",
      "no final",
      "wrong index",
      "wrong picture",
      "not a chunk",
      "empty",
      "too long",
    ];
    await inLanes(changes, async (change) => {
      using attack = await stage.viewer();
      const { attacker, victim } = attack;
      await attacker.evaluate(
        async (claim, change) => {
          const parcel = await evil.pack(claim);
          const { records } = parcel;
          const [first, second, third, last] = records;
          if (!first || !second || !third || !last) throw new Error("Four chunks expected");
          const flagged = (record: typeof first, at: number, value: number) =>
            record.with(at, value);
          const changed: Record<typeof change, typeof records> = {
            "repeated": [first, second, second, third, last],
            "reordered": [first, third, second, last],
            "cut short": [first, second, third.slice(0, -1), last],
            "appended": [...records, last],
            "two finals": [first, second, flagged(third, 1, 1), last],
            "no final": [first, second, third, flagged(last, 1, 0)],
            "wrong index": [first, flagged(second, 7, 9), third, last],
            "wrong picture": [first, flagged(second, 3, 7), third, last],
            "not a chunk": [first, flagged(second, 0, 0x20), third, last],
            "empty": [first, new Uint8Array(), third, last],
            "too long": [first, new Uint8Array(65_537), third, last],
          };
          await evil.say(parcel.meta);
          await evil.sendRecords(changed[change]);
          // The digest is that of the honest chunks: what is appended follows a complete picture.
          await evil.sendEnd(parcel);
        },
        fourChunks,
        change,
      );
      await assertStopped(victim);
      await assertNothingSeen(attack);
    });
  },
);

attackTest(
  "chunks whose digest says something else are refused before anybody can open them",
  async (stage) => {
    await inLanes(["wrong digest", "other chunk"], async (change) => {
      using attack = await stage.viewer();
      const { attacker } = attack;
      await attacker.evaluate(
        async (claim, change) => {
          const parcel = await evil.pack(claim);
          await evil.say(parcel.meta);
          const [first, second, ...rest] = parcel.records;
          if (!first || !second) throw new Error("Four chunks expected");
          const place = { image: 0, index: 1, final: false, metaHash: parcel.metaHash };
          // Another plaintext under the same key and nonce: it decrypts, but it is not what the
          // digest promised.
          const other = await evil.sealChunk(parcel.rawKey, new Uint8Array(65_512), place);
          await evil.sendRecords(
            change === "other chunk" ? [first, other, ...rest] : parcel.records,
          );
          if (change === "wrong digest") parcel.records = [...parcel.records].reverse();
          await evil.sendEnd(parcel);
        },
        fourChunks,
        change,
      );
      await assertRefused(attack);
      assertEquals(await attack.victim.offers("open"), false);
      const said = await attacker.evaluate(() => evil.heard.map(({ t }) => t));
      assertEquals(said.includes("got"), false, "it is not called delivered");
    });
  },
);

type Forgery = "flipped" | "wrong key" | "swapped with a new index" | "other meta";

attackTest(
  "chunks that do not verify are thrown away whole when they are opened",
  async (stage) => {
    const forgeries: readonly Forgery[] = [
      "flipped",
      "wrong key",
      "swapped with a new index",
      "other meta",
    ];
    await inLanes(forgeries, async (forgery) => {
      using attack = await stage.viewer();
      const { attacker, victim } = attack;
      await attacker.evaluate(
        async (claim, forgery, rules) => {
          const parcel = await evil.pack(claim);
          const [first, second, third, last] = parcel.records;
          if (!first || !second || !third || !last) throw new Error("Four chunks expected");
          let { key } = parcel;
          if (forgery === "flipped") second[1_000] = (second[1_000] ?? 0) ^ 1;
          if (forgery === "wrong key") key = (await evil.pack(claim)).key;
          if (forgery === "swapped with a new index") {
            parcel.records = [first, third.with(7, 1), second.with(7, 2), last];
          }
          const meta = forgery === "other meta"
            ? { ...parcel.meta, view: { ...rules, seconds: 600 } }
            : parcel.meta;
          await evil.send({ ...parcel, meta });
          evil.hears("open").then(() => evil.say({ t: "key", n: 0, key }));
        },
        fourChunks,
        forgery,
        DEFAULT_RULES,
      );
      await victim.waitPhase("delivered");
      await victim.openPicture();
      await assertRefused(attack);
      assertEquals((await tracesOf(victim)).decoded, 0, "no decoder has ever seen a byte of it");
    });
  },
);

attackTest(
  "chunks behind a picture that is on screen end the session, and the picture is removed",
  async (stage) => {
    using attack = await stage.viewer();
    const { attacker, victim } = attack;
    await viewing(attack);
    await attacker.evaluate(async (bytes) => {
      await evil.sendRecords((await evil.pack({ bytes })).records);
    }, await honestPicture());
    await assertStopped(victim);
    await assertGone(victim);
  },
);

attackTest(
  "at most 256 chunks wait for an announcement: the 257th ends the session",
  async (stage) => {
    using attack = await stage.viewer();
    const { attacker, victim } = attack;
    await attacker.evaluate(async () => {
      const record = new Uint8Array(65_536);
      record[0] = 0x21;
      for (let i = 0; i < 300; i++) {
        new DataView(record.buffer).setUint32(4, i);
        await evil.raw("files", record);
      }
    });
    await assertStopped(victim);
    await assertNothingSeen(attack);
  },
);

attackTest("chunks of a picture that was never announced end the session", async (stage) => {
  using attack = await stage.viewer();
  await attack.attacker.evaluate(async (bytes) => {
    const parcel = await evil.pack({ bytes, n: 3 });
    await evil.sendRecords(parcel.records);
  }, await honestPicture());
  await assertStopped(attack.victim);
  await assertNothingSeen(attack);
});

attackTest(
  "a picture announced longer than it is never unlocks, and the viewer can leave it",
  async (stage) => {
    using attack = await stage.viewer();
    const { attacker, victim } = attack;
    await attacker.evaluate(async (claim) => {
      const size = atob(claim.bytes).length + 65_512;
      const parcel = await evil.pack({ ...claim, lies: { size } });
      // The last chunk is short and marked as final, so it would end the session.
      parcel.records.pop();
      await evil.send(parcel);
    }, fourChunks);
    await victim.waitPhase("receiving");
    assertEquals(await victim.offers("open"), false);
    await victim.leave();
    assertEquals(await victim.waitReason("ended"), "left");
    await assertNothingSeen(attack);
    await assertCalm(victim);
  },
);

// The announcement

attackTest(
  "an announcement that lies about itself ends the session before anything is sent",
  async (stage) => {
    const view = DEFAULT_RULES;
    const lies: readonly Record<string, unknown>[] = [
      { type: "image/svg+xml" },
      { type: "text/html" },
      { size: 0 },
      { size: 64 * 1024 * 1024 + 1 },
      { w: 40_001, h: 1 },
      { w: 16_384, h: 16_384 },
      { n: 1 },
      { n: "__proto__" },
      { view: { ...view, seconds: -1 } },
      { view: { ...view, seconds: 601 } },
      { view: { ...view, seconds: "NaN" } },
      { view: { ...view, seconds: null } },
      { view: { ...view, mark: "x".repeat(81) } },
      { name: "x".repeat(256) },
      { alt: "x".repeat(501) },
    ];
    await inLanes(lies, async (lie) => {
      using attack = await stage.viewer();
      await attack.attacker.evaluate(
        async (bytes, lies) => await evil.say((await evil.pack({ bytes, lies })).meta),
        await honestPicture(),
        lie,
      );
      await assertStopped(attack.victim);
      await assertNothingSeen(attack);
    });
  },
);

attackTest("a third announcement while a picture is there ends the session", async (stage) => {
  using attack = await stage.viewer();
  await delivered(attack);
  await attack.attacker.evaluate(
    async (bytes) => {
      for (const n of [1, 2]) await evil.say((await evil.pack({ bytes, n })).meta);
    },
    await honestPicture(),
  );
  await assertStopped(attack.victim);
  await assertNothingSeen(attack);
});

attackTest("of more than 20 pictures the 21st ends the session", async (stage) => {
  using attack = await stage.viewer();
  await attack.attacker.evaluate(async (bytes) => {
    for (let n = 0; n <= 20; n++) {
      await evil.say((await evil.pack({ bytes, n })).meta);
      await evil.say({ t: "revoke", n });
    }
  }, await honestPicture());
  await assertStopped(attack.victim);
  await assertNothingSeen(attack);
});

attackTest("texts in an announcement are texts, whatever they contain", async (stage) => {
  using attack = await stage.viewer();
  const { attacker, victim } = attack;
  await attacker.evaluate(
    async (bytes, rules) => {
      const html = `"><img src=x onerror="globalThis.ran=1"><script>globalThis.ran=1</script>`;
      const lies = {
        name: html,
        alt: html,
        view: { ...rules, seconds: 60, mark: html },
      };
      const parcel = await evil.pack({
        bytes,
        lies: { ...lies, view: { ...lies.view, mark: html.slice(0, 80) } },
      });
      await evil.send(parcel);
      evil.hears("open").then(() => evil.say({ t: "key", n: 0, key: parcel.key }));
    },
    await honestPicture(),
    DEFAULT_RULES,
  );
  await victim.waitPhase("delivered");
  await victim.look();
  const found = await victim.page.evaluate(() => ({
    ran: "ran" in globalThis,
    elements: document.querySelectorAll("img, main script").length,
    label: document.querySelector("canvas")?.getAttribute("aria-label")?.slice(0, 6),
  }));
  assertEquals(found, { ran: false, elements: 0, label: `"><img` });
  await assertUnharmed(victim);
});

// Order

type Turn = readonly [what: string, messages: readonly Record<string, unknown>[]];

attackTest("what comes out of turn ends the session", async (stage) => {
  const key = "A".repeat(43);
  const digest = key;
  const turns: readonly Turn[] = [
    ["a key before anything", [{ t: "key", n: 0, key }]],
    ["an end before anything", [{ t: "end", n: 0, digest }]],
    ["a revoke of what is not there", [{ t: "revoke", n: 0 }]],
    ["an extension of what is not there", [{ t: "extend", n: 0, seconds: 5 }]],
    ["a receipt for what was never sent", [{ t: "got", n: 0 }]],
    ["opened, what was never sent", [{ t: "open", n: 0 }]],
    ["shown, what was never sent", [{ t: "shown", n: 0 }]],
    ["closed, what was never sent", [{ t: "closed", n: 0, why: "user", ms: 5 }]],
    ["refused, what was never sent", [{ t: "abort", n: 0, code: "corrupt" }]],
    ["the whole session aborted", [{ t: "abort", code: "corrupt" }]],
  ];
  await inLanes(turns, async ([, messages]) => {
    using attack = await stage.viewer();
    await attack.attacker.evaluate(async (messages) => {
      for (const message of messages) await evil.say(message);
    }, messages);
    await assertStopped(attack.victim);
    await assertNothingSeen(attack);
  });
});

attackTest(
  "a key before the viewer asked for it ends the session, and the picture stays locked",
  async (stage) => {
    using attack = await stage.viewer();
    await attack.attacker.evaluate(async (bytes) => {
      const parcel = await evil.pack({ bytes });
      await evil.send(parcel);
      await evil.hears("got");
      await evil.say({ t: "key", n: 0, key: parcel.key });
    }, await honestPicture());
    await assertStopped(attack.victim);
    await assertNothingSeen(attack);
    assertEquals((await tracesOf(attack.victim)).decoded, 0);
  },
);

attackTest(
  "a message that does not fit a picture on screen ends the session and removes the picture",
  async (stage) => {
    const key = "A".repeat(43);
    const messages: readonly Record<string, unknown>[] = [
      { t: "key", n: 0, key },
      { t: "extend", n: 0, seconds: 1e9 },
      { t: "extend", n: 0, seconds: -60 },
      { t: "extend", n: 0, seconds: 0.5 },
      { t: "extend", n: 5, seconds: 5 },
      { t: "revoke", n: 5 },
      { t: "shown", n: 0 },
    ];
    await inLanes(messages, async (message) => {
      using attack = await stage.viewer();
      await viewing(attack);
      await attack.attacker.evaluate((message) => evil.say(message), message);
      await assertStopped(attack.victim);
      await assertGone(attack.victim);
    });
  },
);

attackTest(
  "a channel that closes while a picture is on screen removes the picture",
  async (stage) => {
    await inLanes(["control", "files"] as const, async (label) => {
      using attack = await stage.viewer();
      await viewing(attack);
      await attack.attacker.evaluate((label) => evil.close(label), label);
      // The attacker's page might be reloading, so the viewer waits for it, but what is on screen
      // must be removed at once.
      await attack.victim.waitPhase("closed");
      assertEquals(await attack.victim.reason(), null);
      await assertGone(attack.victim);
      await assertCalm(attack.victim);
    });
  },
);

attackTest("a goodbye is said once, and a second one changes nothing", async (stage) => {
  using attack = await stage.viewer();
  const { attacker, victim } = attack;
  await viewing(attack);
  await attacker.evaluate(async () => {
    await Promise.all([
      evil.say({ t: "bye", why: "burned" }),
      evil.say({ t: "bye", why: "done" }),
    ]);
  });
  assertEquals(await victim.waitReason("ended"), "burned");
  await assertGone(victim);
  await assertCalm(victim);
});

attackTest(
  "a goodbye that says that all was seen is not believed where nothing was",
  async (stage) => {
    await inLanes([true, false], async (announced) => {
      using attack = await stage.viewer();
      const { attacker, victim } = attack;
      if (announced) await delivered(attack);
      await attacker.evaluate(() => evil.say({ t: "bye", why: "done" }));
      assertEquals(await victim.waitReason("ended"), "peer_left");
      const text = await victim.text();
      assertEquals(/you saw|it was closed|\bgone\b/i.test(text), false, text);
      assertEquals(/seen/i.test(text.replaceAll(/nothing (of it )?was seen/gi, "")), false, text);
      await assertNothingSeen(attack);
      await assertCalm(victim);
    });
  },
);

// Control records

type Oddity =
  | "wrong seq"
  | "seq not counted"
  | "flags"
  | "picture number"
  | "chunk type"
  | "not padded"
  | "too large"
  | "repeated"
  | "reflected"
  | "text"
  | "garbage"
  | "64 KiB"
  | "256 KiB"
  | "text on files"
  | "control on files"
  | "bind again";

attackTest("a control record that is not exactly the next one ends the session", async (stage) => {
  const records: readonly Oddity[] = [
    "wrong seq",
    "seq not counted",
    "flags",
    "picture number",
    "chunk type",
    "not padded",
    "too large",
    "repeated",
    "reflected",
    "text",
    "garbage",
    "64 KiB",
    "256 KiB",
    "text on files",
    "control on files",
    "bind again",
  ];
  await inLanes(records, async (kind) => {
    using attack = await stage.viewer();
    const { attacker, victim } = attack;
    await delivered(attack);
    await attacker.evaluate(async (kind) => {
      const keep = `{"t":"keep","on":true}`;
      const bytes = new TextEncoder().encode(keep.padEnd(256));
      switch (kind) {
        case "wrong seq":
          return await evil.sayBytes(bytes, { seq: 77 });
        case "seq not counted":
          return await evil.sayBytes(bytes, { nonce: 77 });
        case "flags":
          return await evil.sayBytes(bytes, { flags: 1 });
        case "picture number":
          return await evil.sayBytes(bytes, { image: 1 });
        case "chunk type":
          return await evil.sayBytes(bytes, { type: 0x21 });
        case "not padded":
          return await evil.sayText(keep, 1);
        case "too large":
          return await evil.sayText(keep.padEnd(8_193));
        case "repeated":
          await evil.say({ t: "keep", on: true });
          return await evil.repeat();
        case "reflected":
          return await evil.reflect();
        case "text":
          return await evil.raw("control", keep);
        case "garbage":
          return await evil.raw("control", crypto.getRandomValues(new Uint8Array(280)));
        case "64 KiB":
          return await evil.raw("control", new Uint8Array(65_537));
        case "256 KiB":
          return await evil.raw("control", new Uint8Array(262_144));
        case "text on files":
          return await evil.raw("files", keep);
        case "control on files":
          return await evil.raw("files", new Uint8Array(280).fill(0x20, 0, 1));
        case "bind again":
          return await evil.raw("control", new Uint8Array(33).fill(0x10, 0, 1));
      }
    }, kind);
    await assertStopped(victim);
    await assertNothingSeen(attack);
  });
});

attackTest("an empty message is ignored, and later ones are handled", async (stage) => {
  using attack = await stage.viewer();
  const { attacker, victim } = attack;
  await delivered(attack);
  await attacker.evaluate(async () => {
    for (let i = 0; i < 100; i++) evil.raw("control", new Uint8Array());
    await evil.say({ t: "revoke", all: true });
  });
  await victim.waitPhase("closed");
  assertEquals(await victim.reason(), null);
  await assertNothingSeen(attack);
});

attackTest(
  "control messages that are no message of the protocol end the session, and affect nothing else",
  async (stage) => {
    const texts = [
      "",
      "{",
      `{"t":"destroy"}`,
      `{"t":"__proto__"}`,
      `{"t":"constructor","n":0}`,
      `{"__proto__":{"t":"bye","why":"done"}}`,
      `{"t":"revoke","all":true,"n":0}`,
      "[".repeat(8_192),
      `${`{"a":`.repeat(1_300)}1${"}".repeat(1_300)}`,
      "\u0000\ufffd\u2028",
    ];
    await inLanes(texts, async (text) => {
      using attack = await stage.viewer();
      await attack.attacker.evaluate(
        (text) => evil.sayText(text === "" ? " ".repeat(256) : text),
        text,
      );
      await assertStopped(attack.victim);
      await assertNothingSeen(attack);
    });
  },
);

attackTest(
  "keys like __proto__ in a valid message reach no object of the page",
  async (stage) => {
    using attack = await stage.viewer();
    const { attacker, victim } = attack;
    await attacker.evaluate(async () => {
      const evilKeys = `"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}`;
      await evil.sayText(`{"t":"keep","on":true,${evilKeys}}`);
      await evil.sayText(`{${evilKeys},"t":"revoke","all":true}`);
    });
    // `keep` was received: the viewer may send now.
    await victim.waitFor(
      "the viewer may answer",
      () => document.querySelector("input[type=file]") !== null,
    );
    await assertCalm(victim);
    await victim.leave();
    assertEquals(await victim.waitReason("ended"), "left");
  },
);

attackTest(
  "the page survives a flood of 10,000 control messages, and the viewer can leave",
  async (stage) => {
    using attack = await stage.viewer();
    const { attacker, victim } = attack;
    await delivered(attack);
    await attacker.evaluate(async () => {
      for (let i = 0; i < 5_000; i++) {
        evil.say({ t: "keep", on: i % 2 === 0 });
        await evil.say({ t: "extend", n: 0, seconds: 600 });
      }
      await evil.say({ t: "keep", on: true });
    });
    await victim.waitFor(
      "the last message",
      () => document.querySelector("input[type=file]") !== null,
    );
    assertEquals(await victim.phase(), "delivered");
    await victim.leave();
    assertEquals(await victim.waitReason("ended"), "left");
    await assertCalm(victim);
  },
);
